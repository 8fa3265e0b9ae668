//! Whatever comes, in whatever order and however often, the money adds up.

use std::time::Duration;

use common::Change;
use contracts::payment::{AttemptStarted, Captured, Failed, Failure, Refunded};
use contracts::{AttemptId, Currency, Money, OrderId, RefundId, Timestamp, UserId};
use proptest::prelude::*;

use super::{
    Account, Due, Entry, Method, Outcome, Payment, Reference, RefundCause, Refusal, Status, Step,
};

const AMOUNT: i64 = 2500;
const TRIES: u8 = 4;

type Decided = Result<Change<Payment>, Refusal>;

/// Anything that may happen to a payment.
#[derive(Clone, Debug)]
enum Happening {
    Asked,
    Extended(u16),
    Closed,
    Starts(u8),
    Said(u8, Said),
    RefundDue(u8, i64),
    Staff(u8, Option<i64>),
    GivenBack(u8),
    Later(u16),
    LookedAt,
}

/// What the provider may say of an attempt, true or stale.
#[derive(Clone, Copy, Debug)]
enum Said {
    Processing,
    ActionRequired,
    Captured,
    Declined,
}

fn happening() -> impl Strategy<Value = Happening> {
    let said = prop_oneof![
        Just(Said::Processing),
        Just(Said::ActionRequired),
        Just(Said::Captured),
        Just(Said::Declined),
    ];
    prop_oneof![
        2 => Just(Happening::Asked),
        1 => any::<u16>().prop_map(Happening::Extended),
        1 => Just(Happening::Closed),
        6 => (0..TRIES).prop_map(Happening::Starts),
        8 => (0..TRIES, said).prop_map(|(number, said)| Happening::Said(number, said)),
        2 => (0..6_u8, 1..2 * AMOUNT).prop_map(|(id, amount)| Happening::RefundDue(id, amount)),
        3 => (10..16_u8, prop::option::of(-5..2 * AMOUNT))
            .prop_map(|(id, amount)| Happening::Staff(id, amount)),
        4 => (0..16_u8).prop_map(Happening::GivenBack),
        1 => (0..600_u16).prop_map(Happening::Later),
        1 => Just(Happening::LookedAt),
    ]
}

fn uuid(number: u8) -> uuid::Uuid {
    uuid::Uuid::from_u128(number.into())
}

fn attempt(number: u8) -> AttemptId {
    AttemptId::from_uuid(uuid(100 + number))
}

fn refund(number: u8) -> RefundId {
    RefundId::from_uuid(uuid(number))
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// A payment as it is stored, with all that was told and entered on the way.
struct Shop {
    payment: Payment,
    now: Timestamp,
    started: Vec<AttemptStarted>,
    captured: Vec<Captured>,
    failed: Vec<Failed>,
    refunded: Vec<Refunded>,
    entries: Vec<Entry>,
}

impl Shop {
    fn new() -> Self {
        Self {
            payment: Payment::of(OrderId::from_uuid(uuid(1))),
            now: "2026-01-31T12:00:00Z".parse().unwrap(),
            started: Vec::new(),
            captured: Vec::new(),
            failed: Vec::new(),
            refunded: Vec::new(),
            entries: Vec::new(),
        }
    }

    fn commit(&mut self, decided: Decided) {
        let Ok(change) = decided else { return };
        assert!(change.is_none() || change.writes::<Payment>() == [change.value.clone()]);
        self.started.extend(change.told());
        self.captured.extend(change.told());
        self.failed.extend(change.told());
        self.refunded.extend(change.told());
        self.entries.extend(change.entries());
        self.payment = change.value;
    }

    fn happen(&mut self, happening: &Happening) {
        if let Happening::Later(by) = happening {
            self.now = later(self.now, *by);
        }
        if let Some(decided) = decide(self.payment.clone(), happening, self.now) {
            self.commit(decided);
        }
    }

    /// The reconciler at work until nothing is open, at a provider that knows of nothing.
    fn reconcile(&mut self) {
        for _ in 0..50 {
            let payment = self.payment.clone();
            let Some(look_at) = payment.look_at else { return };
            self.now = self.now.max(look_at);
            for open in payment.open_attempts() {
                if payment.step(open, None, self.now) == Step::CallOff {
                    let outcome = Outcome::Declined { failure: Failure::NeverArrived };
                    self.commit(Ok(self.payment.clone().settle(open.id, &outcome, self.now)));
                }
            }
            for open in payment.open_refunds() {
                self.commit(Ok(self.payment.clone().refunded(open.id, self.now)));
            }
            self.happen(&Happening::LookedAt);
        }
        panic!("still open: {:?}", self.payment);
    }

    fn check(&self) {
        let payment = &self.payment;
        let came =
            sum(payment.attempts.iter().filter(|a| a.captured().is_some()).map(|a| a.amount));
        let taken = sum(payment.refunds.iter().map(|refund| refund.amount));
        let went = sum(payment.refunds.iter().filter(|r| !r.is_open()).map(|r| r.amount));
        assert!(taken <= came, "more goes back than came");
        assert_eq!(payment.remaining(), eur(came - went));
        let held = payment.held().map_or(0, |(_, held)| held.amount);
        assert_eq!(held, came - taken, "money of two attempts is held");
        assert!(held <= AMOUNT, "the order is paid more than once");

        let open = payment.open_attempts().count();
        assert!(open <= 1, "two attempts are open");
        assert_eq!(payment.look_at.is_some(), open + payment.open_refunds().count() > 0);

        assert_eq!(self.started.len(), usize::from(!payment.attempts.is_empty()));
        for attempt in &payment.attempts {
            let told = self.captured.iter().filter(|told| told.attempt_id == attempt.id).count();
            assert_eq!(told, usize::from(attempt.captured().is_some()));
            let failed = self.failed.iter().filter(|told| told.attempt_id == attempt.id).count();
            assert!(failed <= 1);
        }
        assert_eq!(sum(self.captured.iter().map(|told| told.amount)), came);
        assert_eq!(sum(self.refunded.iter().map(|told| told.amount)), went);
        let last = self.refunded.last().map(|told| told.remaining.amount);
        assert!(last.is_none_or(|remaining| remaining >= 0));
        self.check_ledger(came - went);
        self.check_status(came - went);
    }

    fn check_ledger(&self, kept: i64) {
        let of =
            |account| sum(self.entries.iter().filter(|e| e.account == account).map(|e| e.amount));
        assert_eq!(of(Account::ProviderClearing), kept);
        assert_eq!(of(Account::CustomerFunds), -kept);
        let mut ids: Vec<&String> = self.entries.iter().map(|entry| &entry.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), self.entries.len(), "a movement is entered twice");
    }

    fn check_status(&self, kept: i64) {
        let paid = self.payment.is_paid();
        match self.payment.status() {
            Some(Status::Captured) => assert!(paid && kept >= AMOUNT),
            Some(Status::PartiallyRefunded) => assert!(paid && kept > 0 && kept < AMOUNT),
            Some(Status::Refunded) => assert!(paid && kept == 0),
            Some(Status::Processing | Status::RequiresAction | Status::Declined) => assert!(!paid),
            None => assert!(self.payment.attempts.is_empty()),
        }
    }
}

/// What is decided; nothing for time that passes, and for what is drawn anew each time and so never
/// comes up twice.
fn decide(payment: Payment, happening: &Happening, now: Timestamp) -> Option<Decided> {
    let decided = match *happening {
        Happening::Asked => {
            let due = Due { customer: UserId::from_uuid(uuid(2)), amount: eur(AMOUNT) };
            payment.ask(due, later(now, 900))
        }
        Happening::Extended(by) => Ok(payment.wait_until(later(now, by))),
        Happening::Closed => Ok(payment.close(now)),
        Happening::Starts(number) if payment.attempt(attempt(number)).is_none() => {
            payment.start(attempt(number), Method::try_from("pm".to_owned()).unwrap(), now)
        }
        Happening::Said(number, said) => Ok(payment.settle(attempt(number), &outcome(said), now)),
        Happening::RefundDue(id, amount) => payment.refund_due(refund(id), eur(amount), now),
        Happening::Staff(id, amount) if payment.refund_of(refund(id)).is_none() => {
            payment.refund(refund(id), amount.map(eur), RefundCause::Order, now)
        }
        Happening::GivenBack(id) => Ok(payment.refunded(refund(id), now)),
        Happening::LookedAt => {
            let known = payment.clone();
            Ok(payment.look(now).map(|looked| looked.unwrap_or(known)))
        }
        Happening::Starts(_) | Happening::Staff(..) | Happening::Later(_) => return None,
    };
    Some(decided)
}

fn later(now: Timestamp, seconds: u16) -> Timestamp {
    now.plus(Duration::from_secs(seconds.into()))
}

fn sum(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.map(|money| money.amount).sum()
}

fn outcome(said: Said) -> Outcome {
    let reference = Reference("ch_1".into());
    match said {
        Said::Processing => Outcome::Processing { reference },
        Said::ActionRequired => Outcome::ActionRequired { reference, url: "/confirm".into() },
        Said::Captured => Outcome::Captured { reference, amount: eur(AMOUNT) },
        Said::Declined => Outcome::Declined { failure: Failure::Declined },
    }
}

proptest! {
    #[test]
    fn the_money_adds_up_whatever_happens(happenings in prop::collection::vec(happening(), 0..60)) {
        let mut shop = Shop::new();

        for happening in &happenings {
            shop.happen(happening);
            shop.check();
        }
    }

    #[test]
    fn a_repeat_changes_nothing(happenings in prop::collection::vec(happening(), 0..40)) {
        let (mut once, mut twice) = (Shop::new(), Shop::new());

        for happening in &happenings {
            once.happen(happening);
            twice.happen(happening);
            if !matches!(happening, Happening::Later(_)) {
                twice.happen(happening);
            }
        }

        prop_assert_eq!(once.payment, twice.payment);
        prop_assert_eq!(once.captured, twice.captured);
        prop_assert_eq!(once.refunded, twice.refunded);
    }

    #[test]
    fn nothing_stays_open_for_ever(happenings in prop::collection::vec(happening(), 0..40)) {
        let mut shop = Shop::new();
        for happening in &happenings {
            shop.happen(happening);
        }

        shop.reconcile();

        shop.check();
        prop_assert_eq!(shop.payment.open_attempts().count(), 0);
        prop_assert_eq!(shop.payment.open_refunds().count(), 0);
    }

    #[test]
    fn what_the_order_says_has_no_order(
        (happenings, shuffled) in Just(vec![
            Happening::Asked, Happening::Extended(1200), Happening::Closed, Happening::Extended(60),
        ]).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let (mut one, mut other) = (Shop::new(), Shop::new());

        for (happening, shuffled) in happenings.iter().zip(&shuffled) {
            one.happen(happening);
            other.happen(shuffled);
        }

        prop_assert_eq!(one.payment, other.payment);
    }
}
