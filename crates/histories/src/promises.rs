//! What has to hold: some of it always, all of it in the end.

mod money;

use std::collections::BTreeMap;

use contracts::Sku;
use order::domain::{Order, ReturnState, Status};
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
            self.goods_are_right(order);
            self.money_is_right(order);
        }
        self.ledger_is_right();
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
                let mut back = BTreeMap::<&Sku, u32>::new();
                for it in self.restocked.get(&order.id).into_iter().flatten() {
                    *back.entry(&it.sku).or_default() += it.quantity.get();
                }
                for (sku, pieces) in order.bought().iter() {
                    let left = pieces - back.get(sku).copied().unwrap_or(0);
                    assert_eq!(kept(&reservation, sku), left, "pieces of {sku} in {order:?}");
                    assert!(left >= order.to_send().of(sku), "{sku} is both to send and for sale");
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
            (status, state) => panic!("{status:?}, and its goods are {state:?}: {order:?}"),
        }
    }
}

/// An order came to its end, or waits for somebody who is named: staff send, deliver and see to
/// returns.
fn rests(order: &Order) {
    let waits_for_staff = order
        .returns
        .iter()
        .any(|it| matches!(it.state, ReturnState::Requested | ReturnState::Approved { .. }));
    match &order.status {
        Status::Cancelled { .. }
        | Status::Expired { .. }
        | Status::Completed { .. }
        | Status::Paid { .. }
        | Status::Shipped { .. } => {}
        Status::Delivered { .. } if waits_for_staff => {}
        Status::Placed | Status::Reserved { .. } | Status::Delivered { .. } => {
            panic!("nobody sees to {order:?}")
        }
    }
    let in_between = |it: &ReturnState| matches!(it, ReturnState::Received(_));
    assert!(!order.returns.iter().any(|it| in_between(&it.state)), "a return hangs: {order:?}");
    assert_eq!(order.waiting, None, "a parcel waits for its money: {order:?}");
}
