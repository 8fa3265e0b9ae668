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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The provider's name for it; empty where it was not noted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// How much the bank took back.
    pub amount: Money,
    /// When it was heard of.
    pub opened_at: Timestamp,
    /// How far it has come.
    pub state: DisputeState,
}

impl Dispute {
    /// Whether it is not clear yet whose the money is.
    pub fn is_open(&self) -> bool {
        self.state == DisputeState::Opened
    }

    /// Whether this name means it; one without a name is any.
    fn is(&self, name: &str) -> bool {
        self.id == name || self.id.is_empty() || name.is_empty()
    }

    /// Whether its money is not the shop's, for now or for good.
    pub fn takes(&self) -> bool {
        match self.state {
            DisputeState::Opened | DisputeState::Lost => true,
            DisputeState::Won => false,
        }
    }
}

impl Payment {
    /// The provider says how far the dispute of this name has come. Its end may be heard of before
    /// its beginning; once it ended it stays so. Money that one dispute took no other takes.
    pub fn dispute(
        mut self,
        id: AttemptId,
        name: &str,
        amount: Money,
        state: DisputeState,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let attempt = self.attempt(id).ok_or(Refusal::NotKnown)?;
        let amount = disputable(attempt, amount)?;
        let known = attempt.disputes().find(|dispute| dispute.is(name));
        let (opens, closes) = match (known.map(|dispute| dispute.state), state) {
            (None, _) if !amount.is_positive() => return Ok(Change::none(self)),
            (None, DisputeState::Opened) => (true, false),
            (None, DisputeState::Won | DisputeState::Lost) => (true, true),
            (Some(DisputeState::Opened), DisputeState::Won | DisputeState::Lost) => (false, true),
            (Some(DisputeState::Opened), DisputeState::Opened)
            | (Some(DisputeState::Won | DisputeState::Lost), _) => return Ok(Change::none(self)),
        };
        let opened = Dispute { id: name.to_owned(), amount, opened_at: now, state };
        let dispute = Dispute { state, ..known.cloned().unwrap_or(opened) };
        let entered = attempt.disputes_under(&dispute);
        let disputed = self.attempts.iter_mut().filter(|attempt| attempt.id == id);
        disputed.for_each(|attempt| attempt.note_dispute(dispute.clone()));
        let mut change = if closes { self.wake_refunds(id, now) } else { Change::to(self) };
        if opens {
            change = opening(change, id, &entered, &dispute, now);
        }
        Ok(if closes { closing(change, id, &entered, &dispute, now) } else { change })
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
    let taken = attempt.disputes().filter(|it| it.takes()).map(|it| it.amount.amount);
    let left = came.amount.saturating_sub(taken.fold(0, i64::saturating_add)).max(0);
    Ok(Money::new(amount.amount.min(left), came.currency))
}

fn opening(
    change: Change<Payment>,
    attempt_id: AttemptId,
    entered: &str,
    dispute: &Dispute,
    now: Timestamp,
) -> Change<Payment> {
    let (payment_id, order_id) = (change.value.id, change.value.order_id);
    let told = Disputed { payment_id, order_id, attempt_id, amount: dispute.amount };
    let entries = Entry::disputed(payment_id, entered, dispute.amount, now);
    entries.iter().fold(change.telling(&told), Change::row)
}

fn closing(
    change: Change<Payment>,
    attempt_id: AttemptId,
    entered: &str,
    dispute: &Dispute,
    now: Timestamp,
) -> Change<Payment> {
    let (payment_id, order_id) = (change.value.id, change.value.order_id);
    let (won, amount) = (dispute.state == DisputeState::Won, dispute.amount);
    let told = DisputeClosed { payment_id, order_id, attempt_id, amount, won };
    let entries = Entry::dispute_closed(payment_id, entered, amount, won, now);
    entries.iter().fold(change.telling(&told), Change::row)
}
