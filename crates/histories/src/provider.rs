//! Who really has the money: a provider of payments that does what it likes.

mod books;

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::payment::Failure;
use contracts::{AttemptId, Money, OrderId, RefundId, Timestamp};
use payment::domain::{CaptureMode, DisputeState, Method, Outcome, RefundOutcome};

pub(crate) use books::{Books, Charge, GivenBack, Stands};

/// What is promised can be collected for so long.
const PROMISE: Duration = Duration::from_hours(7 * 24);

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
    /// Less moves than was asked for.
    Short,
    /// It is promised, and then does not move.
    Empty,
    /// It is promised, and nobody gets it to move.
    Stubborn,
}

/// What becomes of a question to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Works,
    QuestionLost,
    AnswerLost,
}

/// What becomes of money that is to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bank {
    /// It goes back at once.
    Pays,
    /// It takes its time.
    Waits,
    /// It does not.
    Refuses,
}

/// The provider, and what it is about to say by itself.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) books: Books,
    pub(crate) notices: Vec<Notice>,
    pub(crate) bank: Bank,
}

/// What the provider says by itself of the money of an order.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) order: OrderId,
    pub(crate) about: About,
}

#[derive(Clone, Debug)]
pub(crate) enum About {
    Attempt(AttemptId, Outcome),
    Refund(RefundId, RefundOutcome),
    /// Which dispute of the attempt it is, how much it is about, and how it stands.
    Dispute(AttemptId, usize, Money, DisputeState),
}

/// Money to be taken.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) attempt: AttemptId,
    pub(crate) order: OrderId,
    pub(crate) amount: Money,
    pub(crate) method: Method,
    pub(crate) capture: CaptureMode,
}

impl Card {
    pub(crate) const ALL: [Self; 7] =
        [Self::Good, Self::Bad, Self::Slow, Self::Asking, Self::Short, Self::Empty, Self::Stubborn];

    pub(crate) fn method(self) -> Method {
        format!("{self:?}").try_into().unwrap()
    }

    pub(crate) fn of(method: &Method) -> Self {
        Self::ALL.into_iter().find(|card| card.method() == *method).unwrap()
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
    pub(crate) fn open() -> Self {
        Self { books: Books::default(), notices: Vec::new(), bank: Bank::Pays }
    }

    /// Money is to be taken; asked twice it is taken once.
    pub(crate) fn charge(&mut self, asked: &Asking, now: Timestamp) -> Outcome {
        let Asking { attempt, order, amount, capture, .. } = *asked;
        let card = Card::of(&asked.method);
        let fresh = || Charge::new(order, amount, card, capture, now);
        self.books.charges.entry(attempt).or_insert_with(fresh).outcome(attempt)
    }

    pub(crate) fn look_up(&self, attempt: AttemptId) -> Option<Outcome> {
        self.books.charges.get(&attempt).map(|charge| charge.outcome(attempt))
    }

    /// What was promised is to be collected.
    pub(crate) fn capture(&mut self, attempt: AttemptId) -> Outcome {
        let charge = self.books.charges.get_mut(&attempt).expect("it was promised");
        if charge.is_promised() && !charge.is_stubborn() {
            charge.moves();
        }
        charge.outcome(attempt)
    }

    /// From now on no money moves, even should the charge arrive only later.
    pub(crate) fn call_off(&mut self, asked: &Asking) -> Outcome {
        let charges = &mut self.books.charges;
        let charge = charges
            .entry(asked.attempt)
            .or_insert(Charge::never_arrived(asked.order, asked.amount));
        if charge.is_under_way() || charge.is_promised() {
            charge.stands = Stands::Declined(Failure::CalledOff);
        }
        charge.outcome(asked.attempt)
    }

    /// Money is to go back; asked twice it goes back once, and never more than came.
    pub(crate) fn give_back(
        &mut self,
        refund: RefundId,
        attempt: AttemptId,
        amount: Money,
    ) -> RefundOutcome {
        if let Some(known) = self.look_up_refund(refund) {
            return known;
        }
        let (left, disputed) = (self.books.left_of(attempt), self.books.disputed(attempt));
        assert!(
            amount.amount <= left + disputed,
            "{amount:?} is to go back of {attempt}, of which {left} are left"
        );
        let for_dispute = amount.amount > left;
        let outcome = match self.bank {
            _ if for_dispute => RefundOutcome::Refused,
            Bank::Pays => RefundOutcome::Done,
            Bank::Waits => RefundOutcome::Processing,
            Bank::Refuses => RefundOutcome::Refused,
        };
        self.books.refunds.insert(refund, GivenBack { attempt, amount, outcome, for_dispute });
        outcome
    }

    pub(crate) fn look_up_refund(&self, refund: RefundId) -> Option<RefundOutcome> {
        self.books.refunds.get(&refund).map(|given| given.outcome)
    }
}

/// What happens there by itself.
impl Provider {
    /// A charge that is under way comes to its end, and a webhook says so.
    pub(crate) fn decide(&mut self, pick: impl FnOnce(usize) -> usize, good: bool, now: Timestamp) {
        let Some(attempt) = picked(&self.books.charges, Charge::is_under_way, pick) else { return };
        let charge = self.books.charges.get_mut(&attempt).unwrap();
        if good {
            charge.succeeds(now);
        } else {
            charge.stands = Stands::Declined(Failure::NotAuthenticated);
        }
        self.tell_of(attempt);
    }

    /// The money of a charge of which nothing should have come moves all the same.
    pub(crate) fn takes_after_all(&mut self, pick: impl FnOnce(usize) -> usize) {
        let declined = |it: &Charge| matches!(it.stands, Stands::Declined(_));
        let Some(attempt) = picked(&self.books.charges, declined, pick) else { return };
        let charge = self.books.charges.get_mut(&attempt).unwrap();
        charge.stands = Stands::Captured(charge.amount);
        self.tell_of(attempt);
    }

    /// Promises that were not collected end.
    pub(crate) fn end_promises(&mut self, now: Timestamp) {
        for charge in self.books.charges.values_mut() {
            if matches!(charge.stands, Stands::Promised { capture_by } if capture_by <= now) {
                charge.stands = Stands::Declined(Failure::AuthorizationEnded);
            }
        }
    }

    /// A refund that takes its time comes to its end; one that was done may come back.
    pub(crate) fn decide_refund(&mut self, pick: impl FnOnce(usize) -> usize, good: bool) {
        let open = if good { RefundOutcome::Processing } else { RefundOutcome::Done };
        let is_open =
            |given: &GivenBack| given.outcome == RefundOutcome::Processing || given.outcome == open;
        let Some(id) = picked(&self.books.refunds, is_open, pick) else { return };
        let given = self.books.refunds.get_mut(&id).unwrap();
        given.outcome = if good { RefundOutcome::Done } else { RefundOutcome::Refused };
        let (attempt, about) = (given.attempt, About::Refund(id, given.outcome));
        let order = self.books.order_of(attempt);
        self.notices.extend(order.map(|order| Notice { order, about }));
    }

    /// A bank takes the money of a charge back, or more of it, or says whose it is.
    pub(crate) fn dispute(
        &mut self,
        pick: impl FnOnce(usize) -> usize,
        percent: u8,
        more: bool,
        won: bool,
    ) {
        let Some(attempt) = picked(&self.books.charges, Charge::is_disputable, pick) else {
            return;
        };
        let left = self.books.left_of(attempt) * i64::from(percent) / 100;
        let charge = self.books.charges.get_mut(&attempt).unwrap();
        let known = if more { None } else { charge.close(won) };
        let Some((number, amount, state)) = known.or_else(|| charge.open(left)) else { return };
        let about = About::Dispute(attempt, number, amount, state);
        self.notices.push(Notice { order: charge.order, about });
    }

    /// Everything under way ends: half of what may or may not move does, refunds arrive, and
    /// disputes are lost.
    pub(crate) fn come_to_ends(&mut self, now: Timestamp) {
        for number in 0..self.books.charges.len() {
            self.decide(|_| 0, number % 2 == 0, now);
        }
        for _ in 0..self.books.refunds.len() {
            self.decide_refund(|_| 0, true);
        }
        for number in 0..2 * self.books.charges.len() {
            self.close_dispute(number % 2 == 0);
        }
        self.bank = Bank::Pays;
    }

    /// A bank that has not said whose the money is says so.
    fn close_dispute(&mut self, won: bool) {
        let mut charges = self.books.charges.iter_mut();
        let closed = charges.find_map(|(attempt, charge)| {
            let (number, amount, state) = charge.close(won)?;
            let about = About::Dispute(*attempt, number, amount, state);
            Some(Notice { order: charge.order, about })
        });
        self.notices.extend(closed);
    }

    fn tell_of(&mut self, attempt: AttemptId) {
        let charge = &self.books.charges[&attempt];
        let about = About::Attempt(attempt, charge.outcome(attempt));
        self.notices.push(Notice { order: charge.order, about });
    }
}

/// One of those that are so, if any is.
fn picked<Id: Copy, T>(
    all: &BTreeMap<Id, T>,
    is_so: impl Fn(&T) -> bool,
    pick: impl FnOnce(usize) -> usize,
) -> Option<Id> {
    let so: Vec<Id> = all.iter().filter(|(_, one)| is_so(one)).map(|(id, _)| *id).collect();
    (!so.is_empty()).then(|| so[pick(so.len())])
}
