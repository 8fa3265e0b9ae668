//! What product hears, as its `events.rs` says.

use common::Change;
use product::domain::{Obstacle, Reservation};

use super::{ALARM, Heard, Shop};
use crate::bus::{Fact, Letter};

impl Shop {
    pub(super) fn product_hears(&mut self, letter: &Letter) -> Heard {
        let (now, stock) = (self.now, &self.house.shelf);
        let of = |order| self.house.of(order);
        let outcome = match &letter.fact {
            Fact::Placed(it) => of(it.order_id).place(it.round, &it.lines, stock, now),
            Fact::Paid(it) => of(it.order_id).pay(&it.lines, stock, now),
            Fact::Expired(it) => of(it.order_id).expire(it.round, stock, now),
            Fact::Cancelled(it) => of(it.order_id).cancel(&it.lost, stock, now),
            // Pieces have no names: only the receipt tells a repeat from more of them.
            Fact::RestockDue(_) if letter.again => return Heard::Done,
            Fact::RestockDue(it) => of(it.order_id).restock(&it.lines, stock, now),
            other => panic!("product does not hear {other:?}"),
        };
        match outcome {
            Ok(change) => {
                self.change_goods(&change);
                Heard::Done
            }
            Err(Obstacle::NotSoldYet { .. }) => Heard::Waits,
            Err(obstacle) => Heard::Dead(obstacle.to_string()),
        }
    }

    /// Product asks about orders of which nothing was heard.
    pub(super) fn remind(&mut self) {
        for reservation in self.house.reservations.clone().into_values() {
            let change = reservation.remind(ALARM, self.now);
            self.change_goods(&change);
        }
    }

    fn change_goods(&mut self, change: &Change<Reservation>) {
        self.house.commit(change);
        self.bus.take(change);
    }
}
