//! Who really has the money: a provider of payments that does what it likes.

use std::collections::BTreeMap;

use contracts::payment::Failure;
use contracts::{AttemptId, Money, OrderId, RefundId};
use payment::domain::{Method, Outcome, Reference, RefundOutcome};

/// What comes of a charge that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Card {
    /// The money moves.
    Good,
    /// It does not.
    Bad,
    /// It moves later, or does not.
    Slow,
    /// The shopper has to confirm it.
    Asking,
}

/// What becomes of a question to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Works,
    QuestionLost,
    AnswerLost,
}

/// What the provider has in its books.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provider {
    pub(crate) charges: BTreeMap<AttemptId, Charge>,
    pub(crate) refunds: BTreeMap<RefundId, GivenBack>,
    /// Webhooks on their way.
    pub(crate) notices: Vec<Notice>,
}

#[derive(Clone, Debug)]
pub(crate) struct Charge {
    /// Not known of one that was called off before it arrived.
    order: Option<OrderId>,
    amount: Money,
    stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Processing,
    Asks,
    Captured,
    Declined(Failure),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenBack {
    attempt: AttemptId,
    amount: Money,
}

/// What the provider says by itself of a charge.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) order: OrderId,
    pub(crate) attempt: AttemptId,
    pub(crate) outcome: Outcome,
}

impl Card {
    pub(crate) const ALL: [Self; 4] = [Self::Good, Self::Bad, Self::Slow, Self::Asking];

    pub(crate) fn method(self) -> Method {
        format!("{self:?}").try_into().unwrap()
    }

    fn of(method: &Method) -> Self {
        Self::ALL.into_iter().find(|card| card.method() == *method).unwrap()
    }

    fn stands(self) -> Stands {
        match self {
            Self::Good => Stands::Captured,
            Self::Bad => Stands::Declined(Failure::Declined),
            Self::Slow => Stands::Processing,
            Self::Asking => Stands::Asks,
        }
    }
}

impl Line {
    /// The answer, if it comes; what was asked is done even should only the answer be lost.
    pub(crate) fn ask<T>(self, answer: impl FnOnce() -> T) -> Option<T> {
        match self {
            Self::Works => Some(answer()),
            Self::QuestionLost => None,
            Self::AnswerLost => {
                answer();
                None
            }
        }
    }
}

impl Provider {
    /// Money is to be taken; asked twice it is taken once.
    pub(crate) fn charge(
        &mut self,
        attempt: AttemptId,
        order: OrderId,
        amount: Money,
        method: &Method,
    ) -> Outcome {
        let stands = Card::of(method).stands();
        let fresh = Charge { order: Some(order), amount, stands };
        self.charges.entry(attempt).or_insert(fresh).outcome(attempt)
    }

    pub(crate) fn look_up(&self, attempt: AttemptId) -> Option<Outcome> {
        self.charges.get(&attempt).map(|charge| charge.outcome(attempt))
    }

    /// From now on no money moves, even should the charge arrive only later.
    pub(crate) fn call_off(&mut self, attempt: AttemptId, amount: Money) -> Outcome {
        let never = Charge { order: None, amount, stands: Stands::Declined(Failure::NeverArrived) };
        let charge = self.charges.entry(attempt).or_insert(never);
        if matches!(charge.stands, Stands::Processing | Stands::Asks) {
            charge.stands = Stands::Declined(Failure::CalledOff);
        }
        charge.outcome(attempt)
    }

    /// Money is to go back; asked twice it goes back once, and never more than came.
    pub(crate) fn give_back(
        &mut self,
        refund: RefundId,
        attempt: AttemptId,
        amount: Money,
    ) -> RefundOutcome {
        self.refunds.entry(refund).or_insert(GivenBack { attempt, amount });
        let came = self.charges.get(&attempt).map_or(0, Charge::came);
        let went = self.went_back(attempt);
        assert!(went <= came, "of {came} that came with {attempt}, {went} are to go back");
        RefundOutcome::Done
    }

    pub(crate) fn look_up_refund(&self, refund: RefundId) -> Option<RefundOutcome> {
        self.refunds.get(&refund).map(|_| RefundOutcome::Done)
    }

    /// A charge that is under way comes to its end, and a webhook says so.
    pub(crate) fn decide(&mut self, pick: impl FnOnce(usize) -> usize, good: bool) {
        let under_way = |it: &Charge| matches!(it.stands, Stands::Processing | Stands::Asks);
        let open: Vec<AttemptId> =
            self.charges.iter().filter(|(_, it)| under_way(it)).map(|(id, _)| *id).collect();
        if open.is_empty() {
            return;
        }
        let attempt = open[pick(open.len())];
        let charge = self.charges.get_mut(&attempt).unwrap();
        charge.stands =
            if good { Stands::Captured } else { Stands::Declined(Failure::NotAuthenticated) };
        let outcome = charge.outcome(attempt);
        self.notices.extend(charge.order.map(|order| Notice { order, attempt, outcome }));
    }

    /// The money of an order that came and did not go back, in minor units.
    pub(crate) fn keeps(&self, order: OrderId) -> i64 {
        let of_order = self.charges.iter().filter(|(_, charge)| charge.order == Some(order));
        of_order.map(|(attempt, charge)| charge.came() - self.went_back(*attempt)).sum()
    }

    fn went_back(&self, attempt: AttemptId) -> i64 {
        let of_attempt = self.refunds.values().filter(|refund| refund.attempt == attempt);
        of_attempt.map(|refund| refund.amount.amount).sum()
    }
}

impl Charge {
    fn came(&self) -> i64 {
        if self.stands == Stands::Captured { self.amount.amount } else { 0 }
    }

    fn outcome(&self, attempt: AttemptId) -> Outcome {
        let reference = Reference(format!("ch_{attempt}"));
        match self.stands {
            Stands::Processing => Outcome::Processing { reference },
            Stands::Asks => Outcome::ActionRequired { reference, url: "/confirm".to_owned() },
            Stands::Captured => Outcome::Captured { reference, amount: self.amount },
            Stands::Declined(failure) => Outcome::Declined { failure },
        }
    }
}
