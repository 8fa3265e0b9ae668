//! What has to hold: some of it always, all of it in the end.

use contracts::OrderId;
use order::domain::{Order, Status};
use payment::domain::Account;
use product::domain::State;

use crate::house::kept;
use crate::shop::Shop;

impl Shop {
    /// What holds at every moment.
    pub(crate) fn keeps_its_word(&self) {
        self.house.adds_up();
        for payment in self.payments.values() {
            assert!(payment.open_attempts().count() <= 1, "two attempts are open: {payment:?}");
        }
    }

    /// What holds once everything was heard and time has passed.
    pub(crate) fn kept_its_word(&self) {
        assert_eq!(self.dead, Vec::<String>::new(), "a person has to look at what needs none");
        for order in self.orders.values() {
            rests(order);
            self.nothing_is_open(order.id);
            self.goods_are_right(order);
            self.money_is_right(order);
        }
        self.ledger_is_right();
    }

    fn nothing_is_open(&self, order: OrderId) {
        let Some(payment) = self.payments.get(&order) else { return };
        assert_eq!(payment.open_attempts().count(), 0, "an attempt is open: {payment:?}");
        assert_eq!(payment.open_refunds().count(), 0, "a refund is open: {payment:?}");
    }

    /// An order has its pieces if and only if it keeps them.
    fn goods_are_right(&self, order: &Order) {
        let reservation = self.house.of(order.id);
        match (&order.status, &reservation.state) {
            (
                Status::Paid { .. }
                | Status::Shipped { .. }
                | Status::Delivered { .. }
                | Status::Completed { .. },
                State::Sold,
            ) => {
                for line in &order.lines {
                    let pieces = order.lines.iter().filter(|it| it.sku == line.sku);
                    let pieces: u32 = pieces.map(|it| it.quantity.get()).sum();
                    assert_eq!(kept(&reservation, &line.sku), pieces, "pieces of {order:?}");
                }
            }
            (
                Status::Cancelled { .. } | Status::Expired { .. },
                State::Released
                | State::Refused
                | State::SaleRefused { .. }
                | State::GivenUp
                | State::Returned,
            ) => {}
            (status, state) => panic!("{status:?}, and its goods are {state:?}"),
        }
    }

    /// What the provider keeps for an order, what payment says and what the order says are one, and
    /// it is what the order is owed: all less what staff gave back, or nothing when there are no
    /// goods.
    fn money_is_right(&self, order: &Order) {
        let kept = self.provider.keeps(order.id);
        let given: i64 = self.given.get(&order.id).map_or(0, |given| given.values().sum());
        let owed = match &order.status {
            Status::Cancelled { .. } | Status::Expired { .. } => 0,
            _ => order.sums.total.amount - given,
        };
        assert_eq!(kept, owed, "kept and owed for {order:?}\n{:?}", self.payments.get(&order.id));
        let by_order = order.payment.remaining().map_or(0, |money| money.amount);
        assert_eq!(by_order, kept, "as the order says: {order:?}");
        let by_payment = self.payments.get(&order.id).map_or(0, |it| it.remaining().amount);
        assert_eq!(by_payment, kept, "as payment says");
    }

    /// Every movement is entered twice, and the books are those of the provider.
    fn ledger_is_right(&self) {
        let all: i64 = self.ledger.iter().map(|entry| entry.amount.amount).sum();
        assert_eq!(all, 0, "the ledger");
        for (order, payment) in &self.payments {
            let of = self.ledger.iter().filter(|entry| entry.payment_id == payment.id);
            let held = of.filter(|entry| entry.account == Account::ProviderClearing);
            let held: i64 = held.map(|entry| entry.amount.amount).sum();
            assert_eq!(held, self.provider.keeps(*order), "the ledger of {payment:?}");
        }
    }
}

/// An order came to its end, or waits for somebody who is named: staff send and deliver.
fn rests(order: &Order) {
    match &order.status {
        Status::Cancelled { .. }
        | Status::Expired { .. }
        | Status::Completed { .. }
        | Status::Paid { .. }
        | Status::Shipped { .. } => {}
        Status::Placed | Status::Reserved { .. } | Status::Delivered { .. } => {
            panic!("nobody sees to {order:?}")
        }
    }
}
