//! Hearing the facts about orders.

use common::bus::{Fact, Handled, Work};
use common::store::Cause;
use contracts::{cart, order, payment, product};

use super::Timelines;
use super::entry::Entry;
use super::words::Worded;

/// All facts that a timeline tells of.
macro_rules! facts {
    ($($fact:ty),+ $(,)?) => {
        /// Hears everything that happens to orders.
        ///
        /// Every fact is kept, not only the newest of a kind, so this is work and no copying. But
        /// as with copies, a database that was wiped hears anew what the streams still hold: its
        /// `generation` names the durables.
        pub(crate) fn hearing(timelines: Timelines, generation: &str) -> Work<Timelines> {
            Work::new(format!("timeline-{generation}"), timelines)$(.on(keep::<$fact>))+
        }

        /// What each of them says, by the example of its contract.
        #[cfg(test)]
        pub(super) fn examples() -> Vec<(String, super::words::Words)> {
            use contracts::Event as _;

            let noon = "2026-01-31T12:00:00Z".parse().unwrap();
            vec![$((<$fact>::TYPE.type_name(), <$fact>::sample().words(noon))),+]
        }
    };
}

facts! {
    cart::CheckedOut,
    order::Placed,
    product::Reserved,
    order::PaymentDue,
    payment::AttemptStarted,
    order::PayByExtended,
    payment::ActionRequired,
    payment::Authorized,
    payment::Captured,
    order::Paid,
    product::Committed,
    order::CaptureDue,
    order::Shipped,
    order::TrackingCorrected,
    order::Delivered,
    order::Completed,
    // What can come in between
    product::Refused,
    payment::Failed,
    order::AddressChanged,
    order::Cancelled,
    order::Expired,
    product::Released,
    product::CommitRefused,
    product::ReservationOverdue,
    payment::CaptureFailed,
    // What comes back
    order::ReturnRequested,
    order::ReturnApproved,
    order::ReturnRejected,
    order::ReturnReceived,
    order::RestockDue,
    order::RefundDue,
    payment::Refunded,
    order::Refunded,
    payment::RefundFailed,
    payment::Disputed,
    payment::DisputeClosed,
}

async fn keep<E: Worded>(timelines: Timelines, fact: Fact<E>) -> Handled {
    let Fact { event, envelope, .. } = &fact;
    let entry = Entry::of(envelope, event.words(envelope.time));
    Ok(timelines.keep(event.order(), entry, Cause::heard(envelope)).await?)
}
