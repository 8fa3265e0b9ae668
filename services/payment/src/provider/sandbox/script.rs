//! What the sandbox does with a charge, by its method.

use contracts::Timestamp;
use contracts::payment::Failure;

use super::Standing;
use crate::domain::Method;

/// How a charge goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// It arrives, and so does the answer.
    Plain(Plain),
    /// It arrives and succeeds, but the answer does not come back.
    AnswerLost,
    /// It never arrives, however often it is sent.
    Lost,
    /// It is lost when it is sent first; the second time it succeeds.
    LostOnce,
}

/// What comes of a charge that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Succeeds,
    TakesItsTime,
    Asks,
    Fails(Failure),
}

impl Script {
    pub(super) fn of(method: &Method) -> Self {
        match method.as_str() {
            "pm_card_visa" | "pm_card_mastercard" => Self::Plain(Plain::Succeeds),
            "pm_card_chargeDeclined" => Self::Plain(Plain::Fails(Failure::Declined)),
            "pm_card_chargeDeclinedInsufficientFunds" => {
                Self::Plain(Plain::Fails(Failure::InsufficientFunds))
            }
            "pm_card_authenticationRequired" => Self::Plain(Plain::Asks),
            "pm_sandbox_slow_success" => Self::Plain(Plain::TakesItsTime),
            "pm_sandbox_timeout_then_success" => Self::AnswerLost,
            "pm_sandbox_timeout_then_nothing" => Self::Lost,
            "pm_sandbox_timeout_once" => Self::LostOnce,
            _ => Self::Plain(Plain::Fails(Failure::UnknownMethod)),
        }
    }

    /// How the charge stands when it has arrived; what takes its time is done at `later`.
    pub(super) fn standing(&self, later: Timestamp) -> Standing {
        match self {
            Self::Plain(Plain::Succeeds) | Self::AnswerLost | Self::Lost | Self::LostOnce => {
                Standing::Captured
            }
            Self::Plain(Plain::TakesItsTime) => Standing::Processing { until: later },
            Self::Plain(Plain::Asks) => Standing::RequiresAction,
            Self::Plain(Plain::Fails(failure)) => Standing::Declined { failure: *failure },
        }
    }
}
