//! What is sent.

use contracts::Timestamp;
use contracts::text::{InvalidText, TextRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Goods;

/// Goods on their way to the shopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Which parcel of the order it is, from 1.
    pub number: u32,
    /// Who carries it, where that is known.
    #[serde(with = "maybe_label")]
    pub carrier: Option<Label>,
    /// Where it can be followed, if it can.
    #[serde(with = "maybe_label")]
    pub tracking: Option<Label>,
    /// What is in it.
    pub lines: Goods,
    /// When it left.
    pub sent_at: Timestamp,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
}

/// A parcel that waits for its money; it is sent as soon as that is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who will carry it, where that is known.
    #[serde(with = "maybe_label")]
    pub carrier: Option<Label>,
    /// Where it can be followed, if it can.
    #[serde(with = "maybe_label")]
    pub tracking: Option<Label>,
    /// What is in it.
    pub lines: Goods,
    /// Since when it waits.
    pub since: Timestamp,
}

/// What staff want to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Who carries it, where that is known: not for a letter or a collection at the shop.
    pub carrier: Option<Label>,
    /// Where it can be followed, if it can.
    pub tracking: Option<Label>,
    /// What is in it; everything that is left when nothing is named.
    pub goods: Option<Goods>,
}

/// What staff correct on a parcel; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackingChange {
    /// Who carries it; `Some(None)` when no carrier is to be named.
    pub carrier: Option<Option<Label>>,
    /// Where it can be followed; `Some(None)` when it cannot.
    pub tracking: Option<Option<Label>>,
}

impl TrackingChange {
    /// Carrier and tracking number after the change.
    pub(super) fn of(
        &self,
        carrier: Option<Label>,
        tracking: Option<Label>,
    ) -> (Option<Label>, Option<Label>) {
        (self.carrier.clone().unwrap_or(carrier), self.tracking.clone().unwrap_or(tracking))
    }
}

/// Stores an absent label as `-`: earlier versions require a label, and staff wrote `-` for none.
mod maybe_label {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Label;

    #[expect(clippy::ref_option, reason = "serde hands a field over so")]
    pub(super) fn serialize<S: Serializer>(
        label: &Option<Label>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        label.as_ref().map_or(Label::NONE, Label::as_str).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Label>, D::Error> {
        Ok(Label::given(Some(Label::deserialize(from)?)))
    }
}

/// A line of text as it stands on a parcel: 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, example = "Hermes")]
pub struct Label(String);

impl Label {
    /// The most characters.
    pub const LONGEST: usize = 100;
    const RULE: TextRule = TextRule::line("this", 1, Self::LONGEST);
    /// What staff write, and what is stored, for no label.
    const NONE: &str = "-";

    /// The label that staff give a parcel: `-` is none.
    pub fn given(label: Option<Self>) -> Option<Self> {
        label.filter(|label| label.as_str() != Self::NONE)
    }

    /// The text, without space around it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::RULE.apply(&text).map(Self)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_short_line() {
        let long = "é".repeat(100);
        for (text, label) in [
            ("Hermes", Some("Hermes")),
            ("  DHL Paket ", Some("DHL Paket")),
            (&long, Some(long.as_str())),
            (&"x".repeat(101), None),
            ("", None),
            (" ", None),
            ("one\nother", None),
            ("nul\0", None),
            ("one\u{2028}other", None),
            ("\u{202e}sremeH", None),
            ("\u{3164}", None),
            ("Zoe\u{308}", Some("Zo\u{eb}")),
        ] {
            let read = Label::try_from(text.to_owned()).ok();
            assert_eq!(read.as_ref().map(Label::as_str), label, "{text}");
        }
    }
}
