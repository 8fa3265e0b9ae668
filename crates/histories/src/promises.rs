//! What has to hold: some of it always, all of it in the end.

mod money;

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::Sku;
use order::domain::{Goods, Order, Return, ReturnState, Status};
use payment::domain::{Attempt, AttemptState};
use product::domain::State;

use crate::house::kept;
use crate::shop::Shop;

/// A provider that answers does not take longer to collect money, or not to.
const COLLECTING: Duration = Duration::from_mins(10);

impl Shop {
    /// What holds at every moment.
    pub(crate) fn keeps_its_word(&self) {
        self.house.adds_up();
        self.orders.values().for_each(|order| self.has_what_it_was_promised(order));
        for payment in self.payments.values() {
            assert!(payment.open_attempts().count() <= 1, "two attempts are open: {payment:?}");
        }
    }

    /// What holds soon after nobody does anything any more: an order that came to nothing holds
    /// neither goods nor money, not even for a while, and money that is to be collected is, or it is
    /// clear that it will not be.
    pub(crate) fn has_let_go(&self) {
        for order in self.orders.values() {
            if matches!(order.status, Status::Cancelled { .. } | Status::Expired { .. }) {
                let state = self.house.of(order.id).state;
                assert!(!matches!(state, State::Held { .. }), "goods are held for {order:?}");
                let payment = self.payments.get(&order.id);
                let open = payment.is_some_and(|it| it.open_attempts().next().is_some());
                assert!(!open, "money is held for {order:?}\n{payment:?}");
            }
        }
        for payment in self.payments.values() {
            let collects = |it: &Attempt| match it.state {
                AttemptState::Capturing { since, .. } => self.now.since(since) > COLLECTING,
                _ => false,
            };
            assert!(!payment.attempts.iter().any(collects), "is it collected? {payment:?}");
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

    /// What was set aside for an order is set aside, or sold to it.
    fn has_what_it_was_promised(&self, order: &Order) {
        let has_goods = match &order.status {
            Status::Reserved { .. }
            | Status::Paid { .. }
            | Status::Shipped { .. }
            | Status::Delivered { .. }
            | Status::Completed { .. } => true,
            Status::Placed | Status::Cancelled { .. } | Status::Expired { .. } => false,
        };
        let state = self.house.of(order.id).state;
        let there = matches!(state, State::Held { .. } | State::Sold);
        assert!(there || !has_goods, "its goods are {state:?}: {order:?}");
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
                    let came =
                        order.returns.iter().filter_map(|it| Some(it.arrival()?.lines.of(sku)));
                    let in_house = order.dropped.of(sku) + came.sum::<u32>();
                    assert!(pieces - left <= in_house, "{sku} is for sale and away: {order:?}");
                }
            }
            (
                Status::Cancelled { .. } | Status::Expired { .. },
                State::Released
                | State::Refused
                | State::SaleRefused { .. }
                | State::GivenUp
                | State::Returned,
            ) => {
                // All of it is for sale again but what staff said is not, whoever was heard first.
                let lost: Goods = reservation.lost.clone().into_iter().collect();
                assert_eq!(lost, order.lost, "of the goods of {order:?}");
            }
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
    let is_completed = matches!(order.status, Status::Completed { .. });
    assert!(!is_completed || !order.returns.iter().any(Return::is_open), "too early: {order:?}");
    let in_between = |it: &ReturnState| matches!(it, ReturnState::Received(_));
    assert!(!order.returns.iter().any(|it| in_between(&it.state)), "a return hangs: {order:?}");
    assert_eq!(order.waiting, None, "a parcel waits for its money: {order:?}");
}
