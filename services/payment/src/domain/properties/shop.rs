//! A payment as it is stored, with all that was told and entered on the way.

use common::Change;
use contracts::payment::{
    AttemptStarted, Authorized, CaptureFailed, Captured, DisputeClosed, Disputed, Failed,
    RefundFailed, Refunded,
};
use contracts::{Money, OrderId, Timestamp};

use super::happening::{AMOUNT, Happening, after, decide, eur};
use crate::domain::{
    Account, Attempt, AttemptState, DisputeState, Entry, Payment, Refund, RefundState, Refusal,
    Status,
};

pub(super) struct Shop {
    pub(super) payment: Payment,
    pub(super) now: Timestamp,
    pub(super) told: Told,
    pub(super) entries: Vec<Entry>,
}

/// Everything that was told.
#[derive(Default)]
pub(super) struct Told {
    started: Vec<AttemptStarted>,
    pub(super) captured: Vec<Captured>,
    authorized: Vec<Authorized>,
    failed: Vec<Failed>,
    capture_failed: Vec<CaptureFailed>,
    pub(super) refunded: Vec<Refunded>,
    refund_failed: Vec<RefundFailed>,
    disputed: Vec<Disputed>,
    dispute_closed: Vec<DisputeClosed>,
}

impl Told {
    fn take<T>(&mut self, change: &Change<T>) {
        self.started.extend(change.told());
        self.captured.extend(change.told());
        self.authorized.extend(change.told());
        self.failed.extend(change.told());
        self.capture_failed.extend(change.told());
        self.refunded.extend(change.told());
        self.refund_failed.extend(change.told());
        self.disputed.extend(change.told());
        self.dispute_closed.extend(change.told());
    }
}

impl Shop {
    pub(super) fn new() -> Self {
        Self {
            payment: Payment::of(OrderId::from_uuid(uuid::Uuid::from_u128(1))),
            now: "2026-01-31T12:00:00Z".parse().unwrap(),
            told: Told::default(),
            entries: Vec::new(),
        }
    }

    pub(super) fn commit(&mut self, decided: Result<Change<Payment>, Refusal>) {
        let Ok(change) = decided else { return };
        let written = change.writes::<Payment>();
        assert!(written.is_empty() || written == [change.value.clone()]);
        assert!(!written.is_empty() || change.value == self.payment, "a change is not written");
        self.told.take(&change);
        self.entries.extend(change.entries());
        self.payment = change.value;
    }

    pub(super) fn happen(&mut self, happening: &Happening) {
        self.now = after(happening, self.now);
        if let Some(decided) = decide(self.payment.clone(), happening, self.now) {
            self.commit(decided);
        }
    }

    pub(super) fn check(&self) {
        let payment = &self.payment;
        for attempt in &payment.attempts {
            self.check_attempt(attempt);
        }
        for refund in &payment.refunds {
            self.check_refund(refund);
        }
        let open = payment.open_attempts().count();
        assert!(open <= 1, "two attempts are open");
        assert_eq!(payment.look_at.is_some(), open + payment.open_refunds().count() > 0);
        let held = payment.held().map_or(0, |(_, held)| held.amount);
        assert!((0..=AMOUNT).contains(&held), "the order is paid more than once");
        assert!(self.paid_and_untouched() <= 1, "money that came twice was kept");
        assert_eq!(sum(self.told.captured.iter().map(|told| told.amount)), paid(payment));
        self.check_ledger();
        self.check_status();
    }

    /// How many attempts paid, without that anything went back, should have gone back, or was
    /// disputed.
    fn paid_and_untouched(&self) -> usize {
        let payment = &self.payment;
        let went_back = |attempt: &Attempt| payment.refunds.iter().any(|r| r.attempt == attempt.id);
        let untouched = payment.attempts.iter().filter(|attempt| {
            attempt.is_captured() && attempt.dispute.is_none() && !went_back(attempt)
        });
        untouched.count()
    }

    fn check_attempt(&self, attempt: &Attempt) {
        let id = attempt.id;
        let count = |told: &[bool]| told.iter().filter(|is_it| **is_it).count();
        let of = |ids: Vec<bool>| count(&ids);
        let started = of(self.told.started.iter().map(|told| told.attempt_id == id).collect());
        let captured = of(self.told.captured.iter().map(|told| told.attempt_id == id).collect());
        let promised = of(self.told.authorized.iter().map(|told| told.attempt_id == id).collect());
        let failed = of(self.told.failed.iter().map(|told| told.attempt_id == id).collect());
        let disputed = of(self.told.disputed.iter().map(|told| told.attempt_id == id).collect());
        let closed = of(self.told.dispute_closed.iter().map(|t| t.attempt_id == id).collect());
        assert_eq!(started, 1);
        assert_eq!(captured, usize::from(attempt.is_captured()));
        assert!(failed + promised <= 1, "it failed at once, or was promised first");
        assert_eq!(disputed, attempt.disputes().count());
        assert_eq!(closed, attempt.disputes().filter(|dispute| !dispute.is_open()).count());
        let came = attempt.came().map_or(0, |came| came.amount);
        let of_it = |refund: &&Refund| refund.attempt == id && refund.takes();
        let taken = sum(self.payment.refunds.iter().filter(of_it).map(|refund| refund.amount));
        assert!(taken <= came, "more goes back than came");
    }

    fn check_refund(&self, refund: &Refund) {
        let done = self.told.refunded.iter().filter(|told| told.refund_id == refund.id).count();
        let failed = self.told.refund_failed.iter().filter(|t| t.refund_id == refund.id).count();
        assert_eq!(failed, usize::from(refund.failure().is_some()));
        match refund.state {
            RefundState::Started | RefundState::Waiting => assert_eq!(done, 0),
            RefundState::Done { .. } => {
                let paid = self.payment.attempt(refund.attempt).is_some_and(Attempt::is_captured);
                assert_eq!(done, usize::from(paid), "the order hears of what it had heard coming");
            }
            RefundState::Failed { .. } => assert!(done <= 1),
        }
    }

    /// The ledger alone says how much the provider holds, the shop owes, banks hold and are lost.
    fn check_ledger(&self) {
        let payment = &self.payment;
        let came = sum(payment.attempts.iter().filter_map(Attempt::came));
        let went = sum(payment.refunds.iter().filter(|r| r.is_done()).map(|refund| refund.amount));
        let in_dispute = |state: DisputeState| {
            let disputes = payment.attempts.iter().flat_map(Attempt::disputes);
            sum(disputes.filter(|dispute| dispute.state == state).map(|dispute| dispute.amount))
        };
        let (opened, lost) = (in_dispute(DisputeState::Opened), in_dispute(DisputeState::Lost));
        assert_eq!(self.balance(Account::ProviderClearing), came - went - opened - lost);
        assert_eq!(self.balance(Account::CustomerFunds), went - came);
        assert_eq!(self.balance(Account::Disputed), opened);
        assert_eq!(self.balance(Account::Losses), lost);
        assert_eq!(sum(self.entries.iter().map(|entry| entry.amount)), 0);
        assert_eq!(payment.remaining(), eur(self.owed_for_paid()));
        let mut ids: Vec<&String> = self.entries.iter().map(|entry| &entry.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), self.entries.len(), "a movement is entered twice");
    }

    fn balance(&self, account: Account) -> i64 {
        sum(self.entries.iter().filter(|entry| entry.account == account).map(|entry| entry.amount))
    }

    /// What the ledger says is owed of the money that paid for the order.
    fn owed_for_paid(&self) -> i64 {
        let is_paid = |id: &str| {
            let mut paid = self.payment.attempts.iter().filter(|attempt| attempt.is_captured());
            paid.any(|attempt| id == attempt.id.to_string() || self.is_refund_of(attempt, id))
        };
        let owed = self.entries.iter().filter(|entry| {
            let movement = entry.id.split(':').nth(1).unwrap();
            entry.account == Account::CustomerFunds && is_paid(movement)
        });
        -sum(owed.map(|entry| entry.amount))
    }

    fn is_refund_of(&self, attempt: &Attempt, id: &str) -> bool {
        let mut refunds = self.payment.refunds.iter();
        refunds.any(|refund| refund.attempt == attempt.id && refund.id.to_string() == id)
    }

    fn check_status(&self) {
        let (is_paid, kept) = (self.payment.is_paid(), self.payment.remaining().amount);
        match self.payment.status() {
            Some(Status::Captured) => assert!(is_paid && kept >= AMOUNT),
            Some(Status::PartiallyRefunded) => assert!(is_paid && kept > 0 && kept < AMOUNT),
            Some(Status::Refunded) => assert!(is_paid && kept == 0),
            Some(Status::Authorized) => assert!(!is_paid && self.payment.is_promised()),
            Some(Status::Processing | Status::RequiresAction | Status::Declined) => {
                assert!(!is_paid && !self.payment.is_promised());
            }
            None => assert!(self.payment.attempts.is_empty()),
        }
    }

    /// All is over: whoever heard of a promise heard of its end, unless it has no need to.
    pub(super) fn check_endings(&self) {
        let payment = &self.payment;
        assert_eq!((payment.open_attempts().count(), payment.open_refunds().count()), (0, 0));
        for promised in &self.told.authorized {
            let attempt = payment.attempt(promised.attempt_id).unwrap();
            let kept = attempt.is_captured();
            let failed = self.told.capture_failed.iter().any(|told| told.attempt_id == attempt.id);
            assert!(kept || failed || payment.cancelled || payment.is_paid(), "{attempt:?}");
        }
        for attempt in &payment.attempts {
            if let AttemptState::Mismatched { .. } = attempt.state {
                let back = payment.refunds.iter().any(|refund| refund.attempt == attempt.id);
                assert!(back, "money of another amount was kept");
            }
        }
    }
}

fn paid(payment: &Payment) -> i64 {
    sum(payment.attempts.iter().filter(|a| a.is_captured()).map(|attempt| attempt.amount))
}

fn sum(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.map(|money| money.amount).sum()
}
