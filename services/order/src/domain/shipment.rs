//! How the goods get to the shopper.

use common::Change;
use contracts::Timestamp;

use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Act, Order, Outcome, Parcel, told};

impl Order {
    /// The goods left the warehouse.
    pub fn ship(self, parcel: Parcel, now: Timestamp) -> Outcome {
        if self.status.parcel() == Some(&parcel) {
            return Ok(Change::none(self));
        }
        match self.status {
            Paid { .. } => {
                let event = told::shipped(&self, &parcel);
                Ok(self.becomes(Shipped { parcel, at: now }, |_| event))
            }
            Placed | Reserved { .. } => self.unfit(Act::Ship),
            Shipped { .. } | Delivered { .. } | Completed { .. } => self.unfit(Act::Ship),
            Cancelled { .. } | Expired { .. } => self.unfit(Act::Ship),
        }
    }

    /// The goods arrived.
    pub fn deliver(self, now: Timestamp) -> Outcome {
        match &self.status {
            Shipped { parcel, .. } => {
                let delivered = Delivered { parcel: parcel.clone(), at: now };
                Ok(self.becomes(delivered, told::delivered))
            }
            Delivered { .. } | Completed { .. } => Ok(Change::none(self)),
            Placed | Reserved { .. } | Paid { .. } => self.unfit(Act::Deliver),
            Cancelled { .. } | Expired { .. } => self.unfit(Act::Deliver),
        }
    }
}
