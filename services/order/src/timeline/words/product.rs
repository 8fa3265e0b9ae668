//! What product tells.

use contracts::product::{
    CommitRefused, Committed, Refused, Released, ReservationOverdue, Reserved, Shortage,
};
use contracts::{OrderId, Timestamp};

use super::{Worded, Words};
use crate::timeline::plain::{shortages, time};

impl Worded for Reserved {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The goods are set aside for you").detail("round", &self.round)
    }
}

impl Worded for Refused {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        missing("The goods were not all there", &self.shortages)
            .explains("the goods were not all there")
            .detail("round", &self.round)
    }
}

impl Worded for Released {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The goods that were set aside are for sale again").for_staff()
    }
}

impl Worded for Committed {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        Words::new("The goods that were set aside are sold").for_staff()
    }
}

impl Worded for CommitRefused {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, _: Timestamp) -> Words {
        missing("The goods were gone", &self.shortages).explains("the goods were gone")
    }
}

impl Worded for ReservationOverdue {
    fn order(&self) -> OrderId {
        self.order_id
    }

    fn words(&self, at: Timestamp) -> Words {
        let since = time(self.reserved_at, at);
        Words::new(format!(
            "The goods are set aside since {since}: product asks what became of the order"
        ))
        .for_staff()
    }
}

fn missing(text: &str, missing: &[Shortage]) -> Words {
    let missing = shortages(missing);
    Words::new(missing.map_or_else(|| text.to_owned(), |missing| format!("{text}: {missing}")))
}
