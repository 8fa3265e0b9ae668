//! What the provider has in its books.

use std::collections::BTreeMap;

use contracts::payment::Failure;
use contracts::{AttemptId, Money, OrderId, RefundId, Timestamp};
use payment::domain::{CaptureMode, DisputeState, Outcome, Reference, RefundOutcome};

use super::{Card, PROMISE};

/// So often banks take money of one charge back.
const DISPUTES: usize = 2;

/// Charges and refunds by their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) charges: BTreeMap<AttemptId, Charge>,
    pub(crate) refunds: BTreeMap<RefundId, GivenBack>,
}

#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) order: OrderId,
    pub(crate) amount: Money,
    pub(crate) stands: Stands,
    /// How much banks took back each time, and how that stands.
    pub(crate) disputes: Vec<(Money, DisputeState)>,
    card: Card,
    capture: CaptureMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Processing,
    Asks,
    Promised { capture_by: Timestamp },
    Captured(Money),
    Declined(Failure),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenBack {
    pub(crate) attempt: AttemptId,
    pub(crate) amount: Money,
    pub(crate) outcome: RefundOutcome,
    /// Whether it was refused because a bank holds the money.
    pub(crate) for_dispute: bool,
}

impl Books {
    /// The money of an order that came and did not go back, in minor units; what a bank took back
    /// is gone.
    pub(crate) fn keep(&self, order: OrderId) -> i64 {
        self.of(order)
            .map(|(attempt, charge)| {
                charge.came() - self.went(attempt, |it| it == RefundOutcome::Done) - charge.taken()
            })
            .sum()
    }

    /// The charges of an order.
    pub(crate) fn of(&self, order: OrderId) -> impl Iterator<Item = (AttemptId, &Charge)> {
        let all = self.charges.iter().map(|(attempt, charge)| (*attempt, charge));
        all.filter(move |(_, charge)| charge.order == order)
    }

    /// The refunds of an order.
    pub(crate) fn refunds_of(
        &self,
        order: OrderId,
    ) -> impl Iterator<Item = (RefundId, &GivenBack)> {
        let all = self.refunds.iter().map(|(id, given)| (*id, given));
        all.filter(move |(_, given)| self.order_of(given.attempt) == Some(order))
    }

    pub(crate) fn order_of(&self, attempt: AttemptId) -> Option<OrderId> {
        Some(self.charges.get(&attempt)?.order)
    }

    /// What came with a charge and is neither gone nor about to go.
    pub(crate) fn left_of(&self, attempt: AttemptId) -> i64 {
        let Some(charge) = self.charges.get(&attempt) else { return 0 };
        let went = self.went(attempt, |it| it != RefundOutcome::Refused);
        charge.came() - went - charge.taken()
    }

    /// What a bank took of a charge.
    pub(crate) fn disputed(&self, attempt: AttemptId) -> i64 {
        self.charges.get(&attempt).map_or(0, Charge::taken)
    }

    fn went(&self, attempt: AttemptId, which: impl Fn(RefundOutcome) -> bool) -> i64 {
        let of_attempt = self.refunds.values().filter(|given| given.attempt == attempt);
        of_attempt.filter(|given| which(given.outcome)).map(|given| given.amount.amount).sum()
    }
}

impl Charge {
    /// One that arrives.
    pub(super) fn new(
        order: OrderId,
        amount: Money,
        card: Card,
        capture: CaptureMode,
        now: Timestamp,
    ) -> Self {
        let stands = Stands::Processing;
        let mut charge = Self { order, amount, stands, disputes: Vec::new(), card, capture };
        match card {
            Card::Good | Card::Short | Card::Empty | Card::Stubborn => charge.succeeds(now),
            Card::Bad => charge.stands = Stands::Declined(Failure::Declined),
            Card::Slow => {}
            Card::Asking => charge.stands = Stands::Asks,
        }
        charge
    }

    /// One that was called off before it arrived.
    pub(super) const fn never_arrived(order: OrderId, amount: Money) -> Self {
        let stands = Stands::Declined(Failure::NeverArrived);
        let (card, capture) = (Card::Bad, CaptureMode::AtOnce);
        Self { order, amount, stands, disputes: Vec::new(), card, capture }
    }

    /// Nothing stands in its way.
    pub(super) fn succeeds(&mut self, now: Timestamp) {
        match self.capture {
            CaptureMode::AtOnce => self.moves(),
            CaptureMode::Later => {
                self.stands = Stands::Promised { capture_by: now.plus(PROMISE) };
            }
        }
    }

    /// The money moves, if it is there.
    pub(super) fn moves(&mut self) {
        let Money { amount, currency } = self.amount;
        self.stands = match self.card {
            Card::Empty => Stands::Declined(Failure::InsufficientFunds),
            Card::Short => Stands::Captured(Money::new(amount - 1, currency)),
            Card::Good | Card::Bad | Card::Slow | Card::Asking | Card::Stubborn => {
                Stands::Captured(self.amount)
            }
        };
    }

    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.stands, Stands::Processing | Stands::Asks)
    }

    pub(super) fn is_promised(&self) -> bool {
        matches!(self.stands, Stands::Promised { .. })
    }

    /// Whether it is promised and nobody gets it to move.
    pub(super) fn is_stubborn(&self) -> bool {
        self.card == Card::Stubborn
    }

    /// Whether a bank may take it back, or took it and has not said whose it is.
    pub(super) fn is_disputable(&self) -> bool {
        let is_open = self.disputes.iter().any(|(_, state)| *state == DisputeState::Opened);
        self.came() > 0 && (is_open || self.disputes.len() < DISPUTES)
    }

    /// A bank takes so much of it back, if no bank had its hands on that: which dispute it is.
    pub(super) fn open(&mut self, amount: i64) -> Option<(usize, Money, DisputeState)> {
        let before: i64 = self.disputes.iter().map(|(money, _)| money.amount).sum();
        let amount = Money::new(amount.min(self.came() - before), self.amount.currency);
        let may = amount.is_positive() && self.disputes.len() < DISPUTES;
        may.then(|| {
            self.disputes.push((amount, DisputeState::Opened));
            (self.disputes.len(), amount, DisputeState::Opened)
        })
    }

    /// A bank says whose the money of the first dispute is that is open: which that is.
    pub(super) fn close(&mut self, won: bool) -> Option<(usize, Money, DisputeState)> {
        let mut all = self.disputes.iter_mut().enumerate();
        let (place, open) = all.find(|(_, (_, state))| *state == DisputeState::Opened)?;
        open.1 = if won { DisputeState::Won } else { DisputeState::Lost };
        Some((place + 1, open.0, open.1))
    }

    /// What came.
    pub(crate) fn came(&self) -> i64 {
        match self.stands {
            Stands::Captured(money) => money.amount,
            Stands::Processing | Stands::Asks | Stands::Promised { .. } | Stands::Declined(_) => 0,
        }
    }

    fn taken(&self) -> i64 {
        let taken = |(money, state): &(Money, DisputeState)| match state {
            DisputeState::Opened | DisputeState::Lost => money.amount,
            DisputeState::Won => 0,
        };
        self.disputes.iter().map(taken).sum()
    }

    pub(super) fn outcome(&self, attempt: AttemptId) -> Outcome {
        let reference = Reference(format!("ch_{attempt}"));
        match self.stands {
            Stands::Processing => Outcome::Processing { reference },
            Stands::Asks => Outcome::ActionRequired { reference, url: "/confirm".to_owned() },
            Stands::Promised { capture_by } => Outcome::Authorized { reference, capture_by },
            Stands::Captured(amount) => Outcome::Captured { reference, amount },
            Stands::Declined(failure) => Outcome::Declined { failure },
        }
    }
}
