//! A provider with a will of its own that keeps to its word.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::AttemptId;
use contracts::payment::Failure;

use super::happening::{AMOUNT, Happening, eur, reference};
use super::shop::Shop;
use crate::domain::{Attempt, AttemptState, Outcome, RefundOutcome, Step};

/// A refund takes no longer than so many askings.
const PATIENCE: u32 = 30;

/// What became of each attempt, as far as the provider had it.
pub(super) struct Bank<'a> {
    charges: BTreeMap<AttemptId, Outcome>,
    /// What it does when it may choose.
    moods: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    /// How often it was asked for refunds.
    asked: u32,
}

impl<'a> Bank<'a> {
    /// The provider of a shop that was told the truth so far.
    pub(super) fn of(shop: &Shop, moods: &'a [u8]) -> Self {
        let open = shop.payment.open_attempts();
        let known = open.filter_map(|attempt| Some((attempt.id, known(attempt, shop)?)));
        Self { charges: known.collect(), moods: moods.iter().cycle(), asked: 0 }
    }

    /// The shop asks about what is open until nothing is.
    pub(super) fn reconcile(&mut self, shop: &mut Shop) {
        for _ in 0..80 {
            let payment = shop.payment.clone();
            let Some(look_at) = payment.look_at else { return };
            shop.now = shop.now.max(look_at);
            for open in payment.open_attempts() {
                if let Some(outcome) = self.bring_closer(open, shop) {
                    let settled = shop.payment.clone().answered(open.id, &outcome, shop.now);
                    shop.commit(Ok(settled));
                }
            }
            for open in payment.open_refunds() {
                let said = self.refund();
                shop.commit(Ok(shop.payment.clone().settle_refund(open.key(), said, shop.now)));
            }
            shop.check();
            shop.happen(&Happening::LookedAt);
        }
        panic!("still open: {:?}", shop.payment);
    }

    fn bring_closer(&mut self, open: &Attempt, shop: &Shop) -> Option<Outcome> {
        let found = self.charges.get(&open.id).cloned();
        let outcome = match shop.payment.step(open, found, shop.now) {
            Step::Settle(outcome) => outcome,
            Step::Send => self.sent(shop)?,
            Step::Capture => self.collected(shop),
            Step::CallOff => Outcome::Declined { failure: Failure::CalledOff },
            Step::Leave => return None,
        };
        self.charges.insert(open.id, outcome.clone());
        Some(outcome)
    }

    fn sent(&mut self, shop: &Shop) -> Option<Outcome> {
        let capture_by = shop.now.plus(Duration::from_hours(24));
        match self.mood() % 5 {
            0 => None,
            1 => Some(Outcome::Authorized { reference: reference(), capture_by }),
            2 => Some(Outcome::Captured { reference: reference(), amount: eur(AMOUNT) }),
            3 => Some(Outcome::Processing { reference: reference() }),
            _ => Some(Outcome::Declined { failure: Failure::Declined }),
        }
    }

    fn collected(&mut self, shop: &Shop) -> Outcome {
        match self.mood() % 4 {
            3 => Outcome::Authorized { reference: reference(), capture_by: shop.now },
            0 => Outcome::Captured { reference: reference(), amount: eur(AMOUNT) },
            1 => Outcome::Captured { reference: reference(), amount: eur(1) },
            _ => Outcome::Declined { failure: Failure::AuthorizationEnded },
        }
    }

    /// It may take its time, but not for ever.
    fn refund(&mut self) -> RefundOutcome {
        self.asked += 1;
        match self.mood() % 3 {
            0 => RefundOutcome::Done,
            1 => RefundOutcome::Refused,
            _ if self.asked < PATIENCE => RefundOutcome::Processing,
            _ => RefundOutcome::Done,
        }
    }

    fn mood(&mut self) -> u8 {
        self.moods.next().copied().unwrap_or_default()
    }
}

/// What the provider had said of an attempt that is open.
fn known(attempt: &Attempt, shop: &Shop) -> Option<Outcome> {
    let (reference, capture_by) = (attempt.reference()?.clone(), shop.now);
    match &attempt.state {
        AttemptState::Processing { .. } => Some(Outcome::Processing { reference }),
        AttemptState::ActionRequired { url, .. } => {
            Some(Outcome::ActionRequired { reference, url: url.clone() })
        }
        AttemptState::Authorized { capture_by, .. } => {
            Some(Outcome::Authorized { reference, capture_by: *capture_by })
        }
        AttemptState::Capturing { .. } => Some(Outcome::Authorized { reference, capture_by }),
        AttemptState::Started
        | AttemptState::Captured { .. }
        | AttemptState::Mismatched { .. }
        | AttemptState::Declined { .. } => None,
    }
}
