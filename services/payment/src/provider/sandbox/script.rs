//! What the sandbox does with a charge, by the name of its method.

use contracts::payment::Failure;

use crate::domain::Method;

/// How a charge goes, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// What comes of it when it arrives.
    pub(super) ends: Ends,
    /// Whether it arrives, and its answer comes back; so for the capture, the calling off and the
    /// refunds.
    pub(super) charge: Way,
    pub(super) capture: Way,
    pub(super) call_off: Way,
    pub(super) refund: Way,
    /// What becomes of its refunds.
    pub(super) refunds: Refunds,
    /// Which webhooks tell of it.
    pub(super) tells: Tells,
    /// Whether it is disputed, and whether the shop wins that.
    pub(super) dispute: Option<bool>,
    /// Whether less is captured than was asked for.
    pub(super) partly: bool,
    /// Whether its authorisation ends soon.
    pub(super) lapses: bool,
}

/// The way there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It arrives, and so does the answer.
    Plain,
    /// It arrives, but the first answer does not come back.
    AnswerLost,
    /// It never arrives, however often it is sent.
    Lost,
    /// It is lost when it is sent first; the second time it arrives.
    LostOnce,
}

/// What comes of a charge that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Succeeds,
    TakesItsTime,
    Asks,
    Fails(Failure),
}

/// What becomes of refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refunds {
    Done,
    Slow,
    Refused,
}

/// Which webhooks are sent of a charge by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// None: the answer says it all.
    Nothing,
    /// The same one twice.
    Twice,
    /// That it succeeded, and then that it is being worked on.
    OutOfOrder,
    /// Before the answer.
    First,
    /// A forged one and one that is too old say that it failed; the true one says the truth.
    Forged,
}

/// It succeeds, and nothing else happens.
const PLAIN: Script = Script {
    ends: Ends::Succeeds,
    charge: Way::Plain,
    capture: Way::Plain,
    call_off: Way::Plain,
    refund: Way::Plain,
    refunds: Refunds::Done,
    tells: Tells::Nothing,
    dispute: None,
    partly: false,
    lapses: false,
};

impl Script {
    pub(super) fn of(method: &Method) -> Self {
        let name = method.as_str();
        match name.strip_prefix("pm_sandbox_") {
            Some(name) => Self::of_sandbox(name),
            None => Self { ends: Ends::of_card(name), ..PLAIN },
        }
    }

    fn of_sandbox(name: &str) -> Self {
        match name {
            "slow_success" => Self { ends: Ends::TakesItsTime, ..PLAIN },
            "webhook_twice" => Self { tells: Tells::Twice, ..PLAIN },
            "webhook_first" => Self { tells: Tells::First, ..PLAIN },
            "webhooks_out_of_order" => {
                Self { ends: Ends::TakesItsTime, tells: Tells::OutOfOrder, ..PLAIN }
            }
            "webhook_forged" => Self { ends: Ends::TakesItsTime, tells: Tells::Forged, ..PLAIN },
            "partial_capture" => Self { partly: true, ..PLAIN },
            "authorization_lapses" => Self { lapses: true, ..PLAIN },
            "dispute_won" => Self { dispute: Some(true), ..PLAIN },
            "dispute_lost" => Self { dispute: Some(false), ..PLAIN },
            "refund_slow" => Self { refunds: Refunds::Slow, ..PLAIN },
            "refund_refused" => Self { refunds: Refunds::Refused, ..PLAIN },
            _ => Self::of_way(name).unwrap_or(UNKNOWN),
        }
    }

    /// Of what is lost on the way.
    fn of_way(name: &str) -> Option<Self> {
        if name == "timeout_then_decline" {
            let ends = Ends::Fails(Failure::Declined);
            return Some(Self { ends, charge: Way::AnswerLost, ..PLAIN });
        }
        let (asking, way) = name.split_once("timeout_")?;
        let way = match way {
            "then_success" => Way::AnswerLost,
            "then_nothing" => Way::Lost,
            "once" => Way::LostOnce,
            _ => return None,
        };
        match asking {
            "" => Some(Self { charge: way, ..PLAIN }),
            "capture_" => Some(Self { capture: way, ..PLAIN }),
            "void_" => Some(Self { call_off: way, ..PLAIN }),
            "refund_" => Some(Self { refund: way, ..PLAIN }),
            _ => None,
        }
    }
}

const UNKNOWN: Script = Script { ends: Ends::Fails(Failure::UnknownMethod), ..PLAIN };

impl Ends {
    /// The names are those of Stripe's test methods.
    fn of_card(name: &str) -> Self {
        match name {
            "pm_card_visa" | "pm_card_mastercard" => Self::Succeeds,
            "pm_card_authenticationRequired" => Self::Asks,
            "pm_card_chargeDeclined" | "pm_card_visa_chargeDeclined" => {
                Self::Fails(Failure::Declined)
            }
            "pm_card_chargeDeclinedInsufficientFunds"
            | "pm_card_visa_chargeDeclinedInsufficientFunds" => {
                Self::Fails(Failure::InsufficientFunds)
            }
            "pm_card_chargeDeclinedExpiredCard" => Self::Fails(Failure::ExpiredCard),
            "pm_card_chargeDeclinedIncorrectCvc" => Self::Fails(Failure::IncorrectCvc),
            "pm_card_chargeDeclinedProcessingError" => Self::Fails(Failure::ProcessingError),
            "pm_card_visa_chargeDeclinedLostCard" | "pm_card_visa_chargeDeclinedStolenCard" => {
                Self::Fails(Failure::LostOrStolen)
            }
            "pm_card_visa_chargeDeclinedVelocityLimitExceeded" => {
                Self::Fails(Failure::NotPermitted)
            }
            "pm_card_radarBlock" => Self::Fails(Failure::Suspicious),
            _ => Self::Fails(Failure::UnknownMethod),
        }
    }
}
