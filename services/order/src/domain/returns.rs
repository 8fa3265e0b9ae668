//! Goods on their way back to the shop.

use common::Change;
use contracts::order::RefundReason;
use contracts::{RefundId, ReturnId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refund::Because;
use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Act, Goods, Note, Order, Outcome, Refusal, Terms, told};

/// No order has more returns: each is part of its document.
const MOST: usize = 100;

/// Goods that the shopper sends back.
///
/// ```text
/// Requested ─ approve ─▶ Approved ─ receive ─▶ Received ─ refunded ─▶ Refunded
///     │                      └── receive, nothing due ──▶ Settled
///   reject ─▶ Rejected                 Received, Refunded ─ refund failed ─▶ Settled
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Names it.
    pub id: ReturnId,
    /// What is to come back.
    pub lines: Goods,
    /// Why, in the shopper's words.
    pub reason: Note,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub state: ReturnState,
}

/// Where a return stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ReturnState {
    /// It waits for staff to agree.
    Requested,
    /// It waits for the goods.
    Approved {
        /// Since when.
        at: Timestamp,
    },
    /// Staff did not agree. Final.
    Rejected {
        /// When.
        at: Timestamp,
    },
    /// The goods came, and their money is on its way.
    Received(Arrival),
    /// The goods came, and no money follows: none was due, or it could not be given back. Final.
    Settled(Arrival),
    /// The money went back; should the bank send it back to the shop, the return is settled.
    Refunded(Arrival),
}

/// Goods that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// What really came.
    pub lines: Goods,
    /// Whether it is for sale again.
    pub restock: bool,
    /// The refund for it; none when nothing was due.
    pub refund: Option<RefundId>,
}

/// Where a return stands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStage {
    /// It waits for staff to agree.
    Requested,
    /// It waits for the goods.
    Approved,
    /// Staff did not agree.
    Rejected,
    /// The goods came.
    Received,
    /// The money went back.
    Refunded,
}

impl Return {
    /// Where it stands, by name.
    pub fn stage(&self) -> ReturnStage {
        match &self.state {
            ReturnState::Requested => ReturnStage::Requested,
            ReturnState::Approved { .. } => ReturnStage::Approved,
            ReturnState::Rejected { .. } => ReturnStage::Rejected,
            ReturnState::Received(_) | ReturnState::Settled(_) => ReturnStage::Received,
            ReturnState::Refunded(_) => ReturnStage::Refunded,
        }
    }

    /// The goods that came, once they did.
    pub fn arrival(&self) -> Option<&Arrival> {
        match &self.state {
            ReturnState::Received(arrival)
            | ReturnState::Settled(arrival)
            | ReturnState::Refunded(arrival) => Some(arrival),
            ReturnState::Requested
            | ReturnState::Approved { .. }
            | ReturnState::Rejected { .. } => None,
        }
    }

    /// Whether something is still to happen about it.
    pub fn is_open(&self) -> bool {
        match &self.state {
            ReturnState::Requested | ReturnState::Approved { .. } | ReturnState::Received(_) => {
                true
            }
            ReturnState::Rejected { .. } | ReturnState::Settled(_) | ReturnState::Refunded(_) => {
                false
            }
        }
    }

    /// The pieces that no other return may name.
    pub(super) fn claims(&self) -> Goods {
        match &self.state {
            ReturnState::Requested | ReturnState::Approved { .. } => self.lines.clone(),
            ReturnState::Rejected { .. } => Goods::default(),
            ReturnState::Received(arrival)
            | ReturnState::Settled(arrival)
            | ReturnState::Refunded(arrival) => arrival.lines.clone(),
        }
    }

    /// The same after its refund came to an end.
    pub(super) fn after_refund(self, id: RefundId, went_back: bool) -> Self {
        let state = match self.state {
            ReturnState::Received(arrival)
            | ReturnState::Settled(arrival)
            | ReturnState::Refunded(arrival)
                if arrival.refund == Some(id) =>
            {
                if went_back {
                    ReturnState::Refunded(arrival)
                } else {
                    ReturnState::Settled(arrival)
                }
            }
            other => other,
        };
        Self { state, ..self }
    }
}

impl ReturnStage {
    /// What may be done about a return that stands here.
    pub fn allows(self) -> &'static [Act] {
        match self {
            Self::Requested => &[Act::Approve, Act::Reject],
            Self::Approved => &[Act::Receive],
            Self::Rejected | Self::Received | Self::Refunded => &[],
        }
    }

    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Received => "received",
            Self::Refunded => "refunded",
        }
    }
}

/// What shopper and staff do about returns.
impl Order {
    /// The shopper wants to send goods back: from when they were sent until the days of return
    /// have passed.
    pub fn request_return(
        self,
        id: ReturnId,
        goods: &Goods,
        reason: Note,
        now: Timestamp,
        terms: &Terms,
    ) -> Outcome {
        if self.returns.iter().any(|known| known.id == id) {
            return Ok(Change::none(self));
        }
        match &self.status {
            Paid { .. } if self.parcels.is_empty() => return self.unfit(Act::Return),
            Delivered { at } if at.plus(terms.to_return) <= now => return self.unfit(Act::Return),
            Placed | Reserved { .. } | Completed { .. } => return self.unfit(Act::Return),
            Cancelled { .. } | Expired { .. } => return self.unfit(Act::Return),
            Paid { .. } | Shipped { .. } | Delivered { .. } => {}
        }
        if !self.may_return_more() {
            return Err(Refusal::Crowded { act: Act::Return, standing: self.standing() });
        }
        let goods = self.spelled(goods);
        self.has(&goods, &self.returnable(), Act::Return)?;
        let state = ReturnState::Requested;
        let asked = Return { id, lines: goods, reason, requested_at: now, state };
        let event = told::return_requested(&self, &asked);
        Ok(Change::to(self.with_return(asked)).telling(&event))
    }

    /// Staff agree to a return.
    pub fn approve_return(self, id: ReturnId, now: Timestamp) -> Outcome {
        let known = self.goods_back(id)?;
        match known.state {
            ReturnState::Requested => {
                let approved = Return { state: ReturnState::Approved { at: now }, ..known };
                let event = told::return_approved(&self, id);
                Ok(Change::to(self.with_return(approved)).telling(&event))
            }
            ReturnState::Approved { .. } | ReturnState::Received(_) => Ok(Change::none(self)),
            ReturnState::Settled(_) | ReturnState::Refunded(_) => Ok(Change::none(self)),
            ReturnState::Rejected { .. } => self.unfit_return(Act::Approve, &known),
        }
    }

    /// Staff do not agree to a return.
    pub fn reject_return(self, id: ReturnId, now: Timestamp) -> Outcome {
        let known = self.goods_back(id)?;
        match known.state {
            ReturnState::Requested => {
                let rejected = Return { state: ReturnState::Rejected { at: now }, ..known };
                let event = told::return_rejected(&self, id);
                Ok(Change::to(self.with_return(rejected)).telling(&event))
            }
            ReturnState::Rejected { .. } => Ok(Change::none(self)),
            ReturnState::Approved { .. } | ReturnState::Received(_) => {
                self.unfit_return(Act::Reject, &known)
            }
            ReturnState::Settled(_) | ReturnState::Refunded(_) => {
                self.unfit_return(Act::Reject, &known)
            }
        }
    }

    /// The goods of a return came: all of them, or those that are named. Their money goes back, as
    /// far as it did not already.
    pub fn receive_return(
        self,
        id: ReturnId,
        came: Option<Goods>,
        restock: bool,
        now: Timestamp,
    ) -> Outcome {
        let known = self.goods_back(id)?;
        let came = came.map_or_else(|| known.lines.clone(), |came| self.spelled(&came));
        match &known.state {
            ReturnState::Approved { .. } => self.takes_back(known, came, restock, now),
            ReturnState::Received(arrival)
            | ReturnState::Settled(arrival)
            | ReturnState::Refunded(arrival)
                if arrival.lines == came && arrival.restock == restock =>
            {
                Ok(Change::none(self))
            }
            ReturnState::Requested | ReturnState::Rejected { .. } => {
                self.unfit_return(Act::Receive, &known)
            }
            ReturnState::Received(_) | ReturnState::Settled(_) | ReturnState::Refunded(_) => {
                self.unfit_return(Act::Receive, &known)
            }
        }
    }

    fn takes_back(self, known: Return, came: Goods, restock: bool, now: Timestamp) -> Outcome {
        self.knows(&came)?;
        if let Some(sku) = came.beyond(&known.lines) {
            return Err(self.too_many(Act::Receive, sku, &known.lines));
        }
        let because =
            Because { reason: RefundReason::Returned, cause: format!("return {}", known.id) };
        let refund = self.refund_of(&came, &Goods::default(), &because, now);
        let arrival =
            Arrival { at: now, lines: came, restock, refund: refund.as_ref().map(|due| due.id) };
        let received = told::return_received(&self, known.id, &arrival.lines);
        let restocked = restock.then(|| told::restock_due(&self, &arrival.lines)).flatten();
        let state = match refund {
            Some(_) => ReturnState::Received(arrival),
            None => ReturnState::Settled(arrival),
        };
        let due = refund.as_ref().map(|refund| told::refund_due(&self, refund));
        let order = self.with_return(Return { state, ..known }).asking(refund);
        let change = Change::to(order).telling(&received);
        Ok(told::also(told::also(change, due.as_ref()), restocked.as_ref()))
    }

    /// Whether the order holds another return.
    pub(super) fn may_return_more(&self) -> bool {
        self.returns.len() < MOST && !self.is_full()
    }

    /// Whether a return waits for somebody.
    pub(super) fn has_open_return(&self) -> bool {
        self.returns.iter().any(Return::is_open)
    }

    fn goods_back(&self, id: ReturnId) -> Result<Return, Refusal> {
        let known = self.returns.iter().find(|known| known.id == id);
        known.cloned().ok_or(Refusal::UnknownReturn)
    }

    fn with_return(mut self, changed: Return) -> Self {
        match self.returns.iter_mut().find(|known| known.id == changed.id) {
            Some(known) => *known = changed,
            None => self.returns.push(changed),
        }
        self
    }

    fn unfit_return(&self, act: Act, known: &Return) -> Outcome {
        Err(Refusal::UnfitReturn { act, stage: known.stage(), order: self.status.stage() })
    }
}
