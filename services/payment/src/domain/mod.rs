//! What a payment is, and what may become of it. Pure.

mod act;
mod attempt;
mod chase;
mod dispute;
mod ledger;
mod method;
mod outcome;
mod payment;
mod people;
mod reason;
mod refund;
mod refunding;
mod settling;
mod status;
mod waking;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod properties;

pub use act::Act;
pub use attempt::{Attempt, AttemptState, Terms};
pub use chase::Step;
pub use dispute::{Dispute, DisputeState};
pub use ledger::{Account, Entry};
pub use method::{InvalidMethod, Method};
pub use outcome::{CaptureMode, Outcome, Reference};
pub use payment::{Due, Payment, Refusal};
pub use people::{Merged, People};
pub use reason::Reason;
pub use refund::{AskedBy, Refund, RefundCause, RefundOutcome, RefundState};
pub use status::Status;
