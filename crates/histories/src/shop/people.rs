//! What people do about orders.

use std::time::Duration;

use contracts::order::CancelReason;
use contracts::{OrderId, RefundId, ReturnId, Timestamp};
use order::domain::{
    GivingBack, Goods, Label, Note, Order, Outcome, Refusal, Return, ReturnState, Shipment, Status,
};
use payment::domain::CaptureMode;
use uuid::Uuid;

use super::{Shop, TERMS};
use crate::provider::Card;
use crate::step::{Act, Few, Sweep};

impl Shop {
    /// Somebody does something about an order; it may well be refused.
    pub(super) fn act(&mut self, order: OrderId, act: &Act) {
        let drawn = self.draw();
        let _ = self.step(order, |order, now| acts(order, act, drawn, now));
    }

    /// The shopper pays, and the money moves when the order no longer waits for it.
    pub(super) fn pay_late(&mut self, id: OrderId, capture: CaptureMode) {
        self.pay(id, Card::Slow, capture);
        self.now = self.now.plus(Duration::from_mins(40));
        self.sweep(Sweep::PayBy);
        self.provider.decide(|_| 0, true, self.now);
        if let Some(last) = self.provider.notices.len().checked_sub(1) {
            self.read_notice(last, false);
        }
    }

    /// What has to happen next for an order to come further, happens.
    pub(super) fn go_on(&mut self, id: OrderId, few: Few, capture: CaptureMode) {
        let Some(order) = self.orders.get(&id) else { return self.hear_all(false) };
        let waits = order.waiting.is_some();
        let last = order.returns.last().map(|last| last.state.clone());
        match &order.status {
            Status::Reserved { .. } => self.pay(id, Card::Good, capture),
            Status::Paid { .. } if !waits => self.act(id, &Act::Ship((few.1 != 3).then_some(few))),
            Status::Shipped { .. } => self.act(id, &Act::Deliver(None)),
            Status::Delivered { .. } => match last {
                Some(ReturnState::Requested) => self.act(id, &Act::Approve(u8::MAX)),
                Some(ReturnState::Approved { .. }) => {
                    let (which, restock) = (u8::MAX, few.1 != 2);
                    self.act(id, &Act::Receive { which, only: None, restock });
                }
                Some(ReturnState::Received(_)) => {}
                Some(
                    ReturnState::Rejected { .. }
                    | ReturnState::Settled(_)
                    | ReturnState::Refunded(_),
                )
                | None => self.act(id, &Act::Return(few)),
            },
            Status::Placed
            | Status::Paid { .. }
            | Status::Completed { .. }
            | Status::Cancelled { .. }
            | Status::Expired { .. } => {}
        }
        self.hear_all(false);
    }
}

fn acts(order: Order, act: &Act, drawn: Uuid, now: Timestamp) -> Outcome {
    match *act {
        Act::Cancel => order.cancel(CancelReason::Customer, None, now),
        Act::Ship(few) => {
            let label = |text: String| Label::try_from(text).unwrap();
            let (carrier, tracking) = (label("Hermes".to_owned()), label(format!("H-{drawn}")));
            let goods = few.map(|few| goods(&order, few));
            order.ship(Shipment { carrier: Some(carrier), tracking: Some(tracking), goods }, now)
        }
        Act::Deliver(parcel) => order.deliver(parcel.map(u32::from), now),
        Act::Refund { goods: few, shipping, restock } => {
            let (id, goods) = (RefundId::from_uuid(drawn), goods(&order, few));
            order.refund(&GivingBack { id, goods, shipping, restock, note: note() }, now)
        }
        Act::Return(few) => {
            let (id, goods) = (ReturnId::from_uuid(drawn), goods(&order, few));
            order.request_return(id, &goods, note(), now, &TERMS)
        }
        Act::Approve(which) => {
            let id = return_of(&order, which)?.id;
            order.approve_return(id, now)
        }
        Act::Reject(which) => {
            let id = return_of(&order, which)?.id;
            order.reject_return(id, now)
        }
        Act::Receive { which, only, restock } => {
            let Return { id, lines, .. } = return_of(&order, which)?;
            let fewer = |most: u32| -> Goods {
                lines.iter().map(|(sku, pieces)| (sku.clone(), pieces.min(most))).collect()
            };
            order.receive_return(id, only.map(fewer), restock, now)
        }
    }
}

/// A few pieces of one of its lines.
fn goods(order: &Order, (which, pieces): Few) -> Goods {
    let line = &order.lines[usize::from(which) % order.lines.len()];
    Goods::from_iter([(line.sku.clone(), pieces)])
}

/// One of its returns; the last when there are not so many.
fn return_of(order: &Order, which: u8) -> Result<Return, Refusal> {
    let returns = &order.returns;
    let known = returns.get(usize::from(which)).or(returns.last());
    known.cloned().ok_or(Refusal::UnknownReturn)
}

fn note() -> Note {
    Note::try_from("why not".to_owned()).unwrap()
}
