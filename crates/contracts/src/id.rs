//! Ids that say what they name: a prefix and a UUID, as text everywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Timestamp;

/// A text that is not an id of the kind that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of this kind looks like {prefix}_0190b0e1c7f67c3e9d1a2b3c4d5e6f70")]
pub struct InvalidId {
    /// The prefix such an id bears.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $pattern:literal, $example:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = $pattern, example = $example)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix that every id of this kind bears.
            pub const PREFIX: &'static str = $prefix;

            /// Names a thing by a UUID that the caller drew (version 7: such ids sort by time).
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID without the prefix.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Returns when the id was drawn; `None` unless its UUID is of version 7 (RFC 9562,
            /// section 5.7).
            pub fn drawn_at(self) -> Option<Timestamp> {
                let (seconds, nanos) =
                    self.0.get_timestamp().filter(|_| self.0.get_version_num() == 7)?.to_unix();
                let millis = seconds.checked_mul(1_000)?.checked_add(u64::from(nanos) / 1_000_000)?;
                Timestamp::from_millis(i64::try_from(millis).ok()?).ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text, $prefix).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )+};
}

ids! {
    /// Names a person: a guest, a shopper or a member of staff.
    UserId = "usr", "^usr_[0-9a-f]{32}$", "usr_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names a sign-in of a person.
    SessionId = "ses", "^ses_[0-9a-f]{32}$", "ses_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names a product.
    ProductId = "prd", "^prd_[0-9a-f]{32}$", "prd_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names a shopper's cart.
    CartId = "crt", "^crt_[0-9a-f]{32}$", "crt_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names an order; chosen at checkout, so that the client can follow it at once.
    OrderId = "ord", "^ord_[0-9a-f]{32}$", "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names the payment of one order.
    PaymentId = "pay", "^pay_[0-9a-f]{32}$", "pay_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names one try to pay.
    AttemptId = "att", "^att_[0-9a-f]{32}$", "att_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names one refund of a payment.
    RefundId = "ref", "^ref_[0-9a-f]{32}$", "ref_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names goods on their way back to the shop.
    ReturnId = "ret", "^ret_[0-9a-f]{32}$", "ret_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    /// Names an event; a repeat bears the same id.
    EventId = "evt", "^evt_[0-9a-f]{32}$", "evt_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
}

impl PaymentId {
    /// The payment of an order: one order has one payment, so the order's id names it.
    pub fn of(order: OrderId) -> Self {
        const PAYMENTS: Uuid = Uuid::from_u128(0x5f0e_4c33_8f0b_4d3a_9d3c_6a1f_0c55_e2a1);
        Self(Uuid::new_v5(&PAYMENTS, order.0.as_bytes()))
    }
}

fn parse(text: &str, prefix: &'static str) -> Result<Uuid, InvalidId> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        // Only one spelling: the id is a key in URLs, databases and subjects.
        .filter(|rest| rest.len() == 32 && !rest.bytes().any(|b| b.is_ascii_uppercase()))
        .and_then(|rest| Uuid::try_parse(rest).ok())
        .ok_or(InvalidId { prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(7));

    #[test]
    fn an_id_reads_as_it_was_written() {
        let text = ORDER.to_string();

        assert_eq!(text, "ord_00000000000000000000000000000007");
        assert_eq!(text.parse(), Ok(ORDER));
        assert_eq!(serde_json::to_value(ORDER).unwrap(), serde_json::json!(text));
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let text = ORDER.to_string();

        assert_eq!(text.parse::<UserId>(), Err(InvalidId { prefix: "usr" }));
    }

    #[test]
    fn an_id_has_one_spelling() {
        for text in [
            "ord_0190B0E1C7F67C3E9D1A2B3C4D5E6F70",
            "ord_0190b0e1-c7f6-7c3e-9d1a-2b3c4d5e6f70",
            "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f7",
            "ord0190b0e1c7f67c3e9d1a2b3c4d5e6f70",
            "ord_",
            "",
            "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f7é",
        ] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_knows_when_it_was_drawn() {
        let drawn: OrderId = "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70".parse().unwrap();

        assert_eq!(drawn.drawn_at(), "2024-07-14T10:55:05.206Z".parse().ok());
        assert_eq!(PaymentId::of(drawn).drawn_at(), None);
        assert_eq!(ORDER.drawn_at(), None);
    }

    #[test]
    fn an_order_has_one_payment() {
        assert_eq!(PaymentId::of(ORDER), PaymentId::of(ORDER));
        assert_ne!(PaymentId::of(ORDER), PaymentId::of(OrderId::from_uuid(Uuid::from_u128(8))));
    }
}
