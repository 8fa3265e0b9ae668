//! Mails: written in the commit of what they tell of, sent afterwards.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use common::{Change, Document};
use contracts::order::RefundReason;
use contracts::{EventId, Money, OrderId, RefundId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// After a first try that failed; each wait is twice the one before, up to [`LONGEST`].
const FIRST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(1);
/// So often it is tried, which takes about three days.
pub(crate) const MOST: u32 = 78;
/// No name of a mail is longer.
const LONGEST_NAME: usize = 100;

/// Names a mail: by the fact that it tells of, where that happens once, so that nobody is told twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MailId(String);

/// A text that names no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a mail")]
pub(crate) struct InvalidMailId;

/// A mail that is to be sent, or was.
///
/// ```text
/// waiting ── sent ──────────────────────────────▶ sent
///    └────── refused for good, or tried too often ─▶ dead
/// ```
///
/// It names a person, never an address, and holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// Names it.
    #[serde(rename = "_id")]
    pub(crate) id: MailId,
    /// Whom it is for; absent where only the order is known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<UserId>,
    /// What it tells.
    pub(crate) about: About,
    /// When it was written.
    pub(crate) written_at: Timestamp,
    /// Counts the events of its order: mails of one order are sent in this order. Absent where no
    /// order is told of, and in mails that earlier versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<i64>,
    /// How far it has come.
    #[serde(flatten)]
    pub(crate) state: State,
}

/// What a mail tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum About {
    /// Somebody registered: is this their address?
    Verify,
    /// Somebody forgot their password.
    Reset,
    /// The password is another one now.
    PasswordChanged,
    /// Mail is to go elsewhere; to the address it goes to now.
    AddressOld,
    /// Mail is to go elsewhere; to that address.
    AddressNew,
    /// An order was received.
    Received {
        /// The order.
        order: OrderId,
    },
    /// An order is paid.
    Paid {
        /// The order.
        order: OrderId,
    },
    /// A parcel is on its way.
    Shipped {
        /// The order.
        order: OrderId,
        /// Which parcel of the order, from 1.
        parcel: u32,
        /// Who carries it; empty when no carrier is named.
        carrier: String,
        /// Where it can be followed; empty when it cannot.
        tracking: String,
        /// Whether more parcels are to follow.
        more_to_come: bool,
    },
    /// Carrier or tracking number of a parcel were corrected.
    Corrected {
        /// The order.
        order: OrderId,
        /// Which parcel of the order, from 1.
        parcel: u32,
        /// Who carries it; empty when no carrier is named.
        carrier: String,
        /// Where it can be followed; empty when it cannot.
        tracking: String,
        /// The correction.
        event: EventId,
    },
    /// Money went back.
    Refunded {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// How much.
        amount: Money,
        /// Why.
        reason: RefundReason,
    },
}

/// How far a mail has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum State {
    /// It is to be sent.
    Waiting {
        /// Not before then.
        at: Timestamp,
        /// How often it was tried.
        tries: u32,
    },
    /// The server has it.
    Sent {
        /// Since when.
        at: Timestamp,
    },
    /// It is not sent.
    Dead {
        /// Since when.
        at: Timestamp,
        /// What the server said last, if anything: a reply code of RFC 5321.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
}

impl Document for Mail {
    const COLLECTION: &'static str = "mails";
    type Id = MailId;

    fn id(&self) -> MailId {
        self.id.clone()
    }
}

impl Mail {
    /// Something is to be told, as soon as it is true.
    pub(crate) fn write(id: MailId, to: Option<UserId>, about: About, now: Timestamp) -> Self {
        let state = State::Waiting { at: now, tries: 0 };
        Self { id, to, about, written_at: now, sequence: None, state }
    }

    /// It waits until an earlier mail of its order is tried; that is no try.
    pub(crate) fn put_off(self, until: Timestamp) -> Change<Self> {
        match self.state {
            State::Waiting { at, tries } if at < until => {
                Change::to(Self { state: State::Waiting { at: until, tries }, ..self })
            }
            State::Waiting { .. } | State::Sent { .. } | State::Dead { .. } => Change::none(self),
        }
    }

    /// It is about to be tried: whoever else looks finds that it is not due until long after. `None`
    /// when it is not due now.
    pub(crate) fn tried(self, now: Timestamp) -> Change<Option<Self>> {
        match self.state {
            State::Waiting { at, tries } if at <= now => {
                let tries = tries.saturating_add(1);
                let state = State::Waiting { at: now.plus(pause(tries)), tries };
                Change::to(Self { state, ..self }).map(Some)
            }
            State::Waiting { .. } | State::Sent { .. } | State::Dead { .. } => Change::none(None),
        }
    }

    /// The server has it.
    pub(crate) fn sent(self, now: Timestamp) -> Change<Self> {
        self.ends(State::Sent { at: now })
    }

    /// The server will not have it.
    pub(crate) fn refused(self, code: Option<u16>, now: Timestamp) -> Change<Self> {
        self.ends(State::Dead { at: now, code })
    }

    /// A try failed: there is another, unless that was the last.
    pub(crate) fn failed(self, code: Option<u16>, now: Timestamp) -> Change<Self> {
        if self.is_tried_too_often() { self.refused(code, now) } else { Change::none(self) }
    }

    /// There is nobody to send it to, or nothing to tell any more.
    pub(crate) fn withdrawn(self) -> Change<Self> {
        let id = self.id.clone();
        Change::none(self).without::<Self>(&id)
    }

    /// Whether it waits after its last try.
    pub(crate) fn is_tried_too_often(&self) -> bool {
        matches!(self.state, State::Waiting { tries, .. } if tries >= MOST)
    }

    /// Whether it will not be sent.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead { .. })
    }

    fn ends(self, state: State) -> Change<Self> {
        match self.state {
            State::Waiting { .. } => Change::to(Self { state, ..self }),
            State::Sent { .. } | State::Dead { .. } => Change::none(self),
        }
    }
}

/// How long after so many tries there is another.
fn pause(tries: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1).min(16));
    FIRST.saturating_mul(doubled).min(LONGEST)
}

impl About {
    /// As metrics and logs name it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::AddressOld => "address_old",
            Self::AddressNew => "address_new",
            Self::Received { .. } => "received",
            Self::Paid { .. } => "paid",
            Self::Shipped { .. } => "shipped",
            Self::Corrected { .. } => "corrected",
            Self::Refunded { .. } => "refunded",
        }
    }

    /// The order it is about, if it is about one.
    pub(crate) const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Received { order }
            | Self::Paid { order }
            | Self::Shipped { order, .. }
            | Self::Corrected { order, .. }
            | Self::Refunded { order, .. } => Some(*order),
            Self::Verify
            | Self::Reset
            | Self::PasswordChanged
            | Self::AddressOld
            | Self::AddressNew => None,
        }
    }

    /// The parcel whose tracking it says, by its order and number.
    pub(crate) const fn parcel(&self) -> Option<(OrderId, u32)> {
        match self {
            Self::Shipped { order, parcel, .. } | Self::Corrected { order, parcel, .. } => {
                Some((*order, *parcel))
            }
            _ => None,
        }
    }

    /// The one mail of this fact. What may be told again and again is named by what was drawn for it.
    pub(crate) fn mail(&self, drawn: &str) -> MailId {
        MailId(match self {
            Self::Verify | Self::Reset | Self::PasswordChanged => {
                format!("{}-{drawn}", self.name())
            }
            Self::AddressOld | Self::AddressNew => format!("{}-{drawn}", self.name()),
            Self::Received { order } | Self::Paid { order } => format!("{}-{order}", self.name()),
            Self::Shipped { order, parcel, .. } => format!("{}-{order}-{parcel}", self.name()),
            Self::Corrected { order, parcel, event, .. } => {
                format!("{}-{order}-{parcel}-{event}", self.name())
            }
            Self::Refunded { refund, .. } => format!("{}-{refund}", self.name()),
        })
    }
}

impl MailId {
    /// The name, safe in a header, a path and a log.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailId {
    type Err = InvalidMailId;

    fn from_str(text: &str) -> Result<Self, InvalidMailId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        let sane = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(plain);
        if sane { Ok(Self(text.to_owned())) } else { Err(InvalidMailId) }
    }
}

impl TryFrom<String> for MailId {
    type Error = InvalidMailId;

    fn try_from(text: String) -> Result<Self, InvalidMailId> {
        text.parse()
    }
}

impl From<MailId> for String {
    fn from(id: MailId) -> Self {
        id.0
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    fn mail() -> Mail {
        let about = About::Verify;
        Mail::write(about.mail("1"), None, about, time(0))
    }

    #[test]
    fn it_is_tried_for_three_days_and_then_it_is_dead() {
        let (mut waiting, mut now) = (mail(), time(0));

        for _ in 1..MOST {
            let tried = waiting.clone().tried(now).value.expect("it is due");
            waiting = tried.failed(Some(451), now).value;
            let State::Waiting { at, .. } = waiting.state else { panic!("{waiting:?}") };
            assert_eq!(waiting.clone().tried(time(at.as_millis() - 1)).value, None);
            assert!(now.plus(FIRST) <= at && at <= now.plus(LONGEST));
            now = at;
        }
        assert!(Duration::from_hours(72) < now.since(time(0)));
        assert!(now.since(time(0)) < Duration::from_hours(75));
        let last = waiting.tried(now).value.expect("it is due");
        let dead = last.failed(None, now).value;
        assert!(dead.is_dead());
        assert_eq!(dead.clone().tried(now).value, None);
        assert!(dead.sent(now).is_none());
    }

    #[test]
    fn mail_is_put_off_without_a_try() {
        let waiting = mail().put_off(time(5)).value;

        assert_eq!(waiting.state, State::Waiting { at: time(5), tries: 0 });
        assert!(waiting.clone().put_off(time(4)).is_none());
        assert_eq!(waiting.clone().tried(time(4)).value, None);
        assert!(waiting.sent(time(1)).value.put_off(time(9)).is_none());
    }

    #[test]
    fn what_is_sent_stays_sent() {
        let sent = mail().sent(time(1)).value;

        assert!(sent.clone().refused(Some(550), time(2)).is_none());
        assert_eq!(sent.clone().tried(time(2)).value, None);
        assert!(!sent.is_dead());
    }

    #[test]
    fn a_name_is_safe_wherever_it_stands() {
        for bad in ["", "a b", "a\r\nBcc: x", "../x", "a.b", "A", &"a".repeat(101)] {
            assert_eq!(bad.parse::<MailId>(), Err(InvalidMailId), "{bad}");
        }
        assert!("verify-0190b0e1c7f67c3e9d1a2b3c4d5e6f70".parse::<MailId>().is_ok());
    }
}
