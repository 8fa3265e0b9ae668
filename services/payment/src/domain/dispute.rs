//! Money that the shopper's bank takes back until it is clear whose it is.

use common::Change;
use contracts::payment::{DisputeClosed, Disputed};
use contracts::{AttemptId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Attempt, Entry, Payment, Refusal};

/// How far a dispute has come.
///
/// ```text
/// Opened ─▶ Won
///    └────▶ Lost
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank holds the money.
    Opened,
    /// The shop has it again.
    Won,
    /// The shop lost it.
    Lost,
}

/// A dispute about the money of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// How much the bank took back.
    pub amount: Money,
    /// When it was heard of.
    pub opened_at: Timestamp,
    /// How far it has come.
    pub state: DisputeState,
}

impl Dispute {
    /// Whether its money is not the shop's, for now or for good.
    pub fn takes(&self) -> bool {
        match self.state {
            DisputeState::Opened | DisputeState::Lost => true,
            DisputeState::Won => false,
        }
    }
}

impl Payment {
    /// The provider says how far a dispute has come. Its end may be heard of before its beginning;
    /// once it ended it stays so.
    pub fn dispute(
        mut self,
        id: AttemptId,
        amount: Money,
        state: DisputeState,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let attempt = self.attempt(id).ok_or(Refusal::NotKnown)?;
        let amount = disputable(attempt, amount)?;
        let known = attempt.dispute;
        let (opens, closes) = match (known.map(|dispute| dispute.state), state) {
            (None, DisputeState::Opened) => (true, false),
            (None, DisputeState::Won | DisputeState::Lost) => (true, true),
            (Some(DisputeState::Opened), DisputeState::Won | DisputeState::Lost) => (false, true),
            (Some(DisputeState::Opened), DisputeState::Opened)
            | (Some(DisputeState::Won | DisputeState::Lost), _) => return Ok(Change::none(self)),
        };
        let opened = Dispute { amount, opened_at: now, state };
        let dispute = Dispute { state, ..known.unwrap_or(opened) };
        let disputed = self.attempts.iter_mut().filter(|attempt| attempt.id == id);
        disputed.for_each(|attempt| attempt.dispute = Some(dispute));
        let mut change = Change::to(self);
        if opens {
            change = opening(change, id, dispute, now);
        }
        Ok(if closes { closing(change, id, dispute, now) } else { change })
    }
}

/// How much of what an attempt brought can be disputed.
fn disputable(attempt: &Attempt, amount: Money) -> Result<Money, Refusal> {
    let came = attempt.came().ok_or(Refusal::NothingCaptured)?;
    if came.currency != amount.currency {
        return Err(Refusal::OtherCurrency);
    }
    if !amount.is_positive() {
        return Err(Refusal::NoAmount);
    }
    Ok(Money::new(amount.amount.min(came.amount), came.currency))
}

fn opening(
    change: Change<Payment>,
    attempt_id: AttemptId,
    dispute: Dispute,
    now: Timestamp,
) -> Change<Payment> {
    let (payment_id, order_id) = (change.value.id, change.value.order_id);
    let told = Disputed { payment_id, order_id, attempt_id, amount: dispute.amount };
    let entries = Entry::disputed(payment_id, attempt_id, dispute.amount, now);
    entries.iter().fold(change.telling(&told), Change::row)
}

fn closing(
    change: Change<Payment>,
    attempt_id: AttemptId,
    dispute: Dispute,
    now: Timestamp,
) -> Change<Payment> {
    let (payment_id, order_id) = (change.value.id, change.value.order_id);
    let (won, amount) = (dispute.state == DisputeState::Won, dispute.amount);
    let told = DisputeClosed { payment_id, order_id, attempt_id, amount, won };
    let entries = Entry::dispute_closed(payment_id, attempt_id, amount, won, now);
    entries.iter().fold(change.telling(&told), Change::row)
}
