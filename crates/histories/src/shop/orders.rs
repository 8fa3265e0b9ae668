//! What order hears, as its `events.rs` says, and what people do about orders.

use common::Change;
use contracts::cart::{self, CheckedOut};
use contracts::order::{RefundDue, RestockDue};
use contracts::{CartId, OrderId, Quantity, Timestamp};
use order::domain::{Back, NotBack, Order, Outcome, Promise, Refusal};

use super::{Heard, Shop, TERMS, customer, eur, id};
use crate::bus::{Fact, Hearer};
use crate::house::{GOODS, product_id, sku};
use crate::step::Basket;

/// No history has more orders.
const MOST: usize = 3;

impl Shop {
    /// A cart is checked out: the order will hear of it.
    pub(super) fn check_out(&mut self, basket: &Basket) {
        let known = self.bus.letters.iter().filter(|it| matches!(it.fact, Fact::CheckedOut(_)));
        let number = self.orders.len() + known.filter(|it| !it.again).count();
        if number < MOST {
            let bought = bought(id(u8::try_from(number).unwrap()), basket);
            self.bus.post(Hearer::Order, Fact::CheckedOut(bought));
        }
    }

    pub(super) fn order_hears(&mut self, fact: &Fact) -> Heard {
        let outcome = match fact {
            Fact::CheckedOut(bought) => self.begin(bought),
            Fact::Reserved(it) => {
                self.step(it.order_id, |order, now| Ok(order.reserve(it.round, now, &TERMS)))
            }
            Fact::Refused(it) => {
                self.step(it.order_id, |order, now| Ok(order.refuse(it.round, now)))
            }
            Fact::CommitRefused(it) => {
                self.step(it.order_id, |order, now| Ok(order.refuse_commit(now)))
            }
            Fact::ReservationOverdue(it) => {
                self.step(it.order_id, |order, now| Ok(order.answer_overdue(now)))
            }
            Fact::AttemptStarted(it) => {
                self.step(it.order_id, |order, now| Ok(order.await_attempt(now, &TERMS)))
            }
            Fact::Captured(it) => {
                self.step(it.order_id, |order, now| order.capture(it.attempt_id, it.amount, now))
            }
            Fact::Authorized(it) => self.step(it.order_id, |order, now| {
                let promise = Promise { amount: it.amount, capture_by: it.capture_by };
                order.authorize(it.attempt_id, promise, now)
            }),
            Fact::CaptureFailed(it) => {
                self.step(it.order_id, |order, now| Ok(order.fail_capture(it.attempt_id, now)))
            }
            Fact::RefundFailed(it) => self.step(it.order_id, |order, now| {
                let (amount, failure, cause) = (it.amount, it.failure, it.cause);
                let not_back = NotBack { amount, failure, cause };
                Ok(order.refund_failed(it.refund_id, not_back, now))
            }),
            Fact::Refunded(it) => self.step(it.order_id, |order, now| {
                let back = Back { amount: it.amount, remaining: it.remaining, cause: it.cause };
                order.refunded(it.refund_id, back, now)
            }),
            other => panic!("order does not hear {other:?}"),
        };
        match outcome {
            Ok(()) => Heard::Done,
            Err(Refusal::Unknown | Refusal::NotCaptured) => Heard::Waits,
            Err(refusal) => Heard::Dead(refusal.to_string()),
        }
    }

    /// Every order is taken a step further, for which it is time.
    pub(super) fn each_order(&mut self, step: impl Fn(Order, Timestamp) -> Change<Order>) {
        let all: Vec<OrderId> = self.orders.keys().copied().collect();
        for order in all {
            let _ = self.step(order, |order, now| Ok(step(order, now)));
        }
    }

    fn begin(&mut self, bought: &CheckedOut) -> Result<(), Refusal> {
        if !self.orders.contains_key(&bought.order_id) {
            let change = Order::place(bought.clone(), self.now)?;
            self.change_order(change);
        }
        Ok(())
    }

    pub(super) fn step(
        &mut self,
        order: OrderId,
        step: impl FnOnce(Order, Timestamp) -> Outcome,
    ) -> Result<(), Refusal> {
        let known = self.orders.get(&order).cloned().ok_or(Refusal::Unknown)?;
        let change = step(known, self.now)?;
        self.change_order(change);
        Ok(())
    }

    fn change_order(&mut self, change: Change<Order>) {
        self.bus.take(&change);
        self.asked.extend(
            change.told::<RefundDue>().iter().filter_map(|it| Some((it.refund_id?, it.order_id))),
        );
        for RestockDue { order_id, lines } in change.told() {
            self.restocked.entry(order_id).or_default().extend(lines);
        }
        self.orders.insert(change.value.id, change.value);
    }
}

/// What a cart comes to.
fn bought(order_id: OrderId, basket: &Basket) -> CheckedOut {
    let line = |(which, pieces): &(u8, u32)| {
        let (name, _, price) = GOODS[usize::from(*which) % GOODS.len()];
        let quantity = Quantity::new(*pieces).unwrap();
        cart::Line {
            sku: sku(name),
            product_id: product_id(),
            title: name.to_owned(),
            options: [].into(),
            quantity,
            unit_price: eur(price),
            line_total: eur(price).times(quantity).unwrap(),
        }
    };
    let lines: Vec<_> = basket.lines.iter().map(line).collect();
    let subtotal: i64 = lines.iter().map(|line| line.line_total.amount).sum();
    let discount = subtotal * i64::from(basket.discount_percent) / 100;
    let goods = subtotal - discount;
    let (shipping, tax) = if goods == 0 { (0, 0) } else { (490, goods * 19 / 100) };
    CheckedOut {
        cart_id: CartId::from_uuid(order_id.uuid()),
        order_id,
        customer: customer(order_id),
        lines,
        subtotal: eur(subtotal),
        discount: eur(discount),
        shipping: eur(shipping),
        tax: eur(tax),
        total: eur(goods + shipping + tax),
    }
}
