//! The texts and numbers a catalogue is made of, each within its bounds.

use std::fmt;

use contracts::text::{self, InvalidText, TextRule};
use contracts::{Money, ProductId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value that is out of bounds; says what would be within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not what every text is.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// Out of the bounds of its kind.
    #[error("{0}")]
    Bounds(&'static str),
}

macro_rules! texts {
    ($(
        $(#[$doc:meta])* $name:ident: $lines:ident $what:literal, $least:tt to $most:tt
        $(, $fits:expr, $rule:literal)?;
    )+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, min_length = $least, max_length = $most)]
        pub struct $name(String);

        impl $name {
            const RULE: TextRule = TextRule::$lines($what, $least, $most);

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(given: String) -> Result<Self, Invalid> {
                let text = Self::RULE.apply(&given)?;
                $(if !$fits(&text) {
                    return Err(Invalid::Bounds($rule));
                })?
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// What a product is called, on one line.
    Title: line "a title", 1 to 200;
    /// What is said about a product; may be nothing.
    Description: prose "a description", 0 to 10_000;
    /// A product's name in URLs: words of a-z and 0-9, parted by single hyphens. None is called
    /// docs, as that address is taken, and no new one bears a word that names a part of the API.
    Slug: line "a slug", 1 to 80, is_slug,
        "a slug is 1 to 80 of a-z and 0-9 in words parted by single hyphens, and not docs";
    /// The shelf a product stands on.
    Category: line "a category", 1 to 80;
    /// A word under which a product is found.
    Tag: line "a tag", 1 to 50;
    /// Where a picture of a product is: begins with https://, http:// or /.
    Image: line "the address of a picture", 1 to 2000, is_address,
        "a picture is an address of at most 2000 characters: https:// or http:// with a host and \
         without a user, or from / on";
    /// What tells the variants of a product apart, such as a size.
    OptionName: line "an option", 1 to 40;
    /// Which of an option a variant is, such as large.
    OptionValue: line "the value of an option", 1 to 100;
    /// Why somebody changed a stock.
    Reason: line "a reason", 1 to 200;
    /// What somebody looks for.
    Search: line "a search", 0 to 100;
}

impl Default for Description {
    /// Nothing is said.
    fn default() -> Self {
        Self(String::new())
    }
}

impl Slug {
    /// The slug that a title suggests, if it has a letter or a digit: at most 64 characters.
    pub fn of(title: &Title) -> Option<Self> {
        text::slug(title.as_str(), 64)?.try_into().ok()
    }

    /// The same with what tells this product from others of its name.
    #[must_use]
    pub fn told_apart(slug: Option<&Self>, id: ProductId) -> Self {
        let id = id.uuid().simple().to_string();
        // The end of the id is random; the beginning is the time.
        let end = &id[id.len() - 12..];
        Self(format!("{}-{end}", slug.map_or("product", Self::as_str)))
    }
}

/// What one piece costs: nothing at all, or up to a million million minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Money", into = "Money")]
#[schema(value_type = Money)]
pub struct Price(Money);

impl Price {
    const MOST: i64 = 1_000_000_000_000;

    /// The money itself.
    pub const fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Price {
    type Error = Invalid;

    fn try_from(money: Money) -> Result<Self, Invalid> {
        let fits = (0..=Self::MOST).contains(&money.amount);
        fits.then_some(Self(money)).ok_or(Invalid::Bounds(
            "a price is from 0 to 1000000000000 minor units; 4900 EUR in them is 49.00 EUR",
        ))
    }
}

impl From<Price> for Money {
    fn from(price: Price) -> Self {
        price.0
    }
}

/// How many pieces of a SKU are in the house, at most a thousand million.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = u32, maximum = 1_000_000_000)]
pub struct OnHand(u32);

impl OnHand {
    /// More pieces are not counted.
    pub const MOST: u32 = 1_000_000_000;

    /// The number of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for OnHand {
    type Error = Invalid;

    fn try_from(pieces: i64) -> Result<Self, Invalid> {
        let fits = u32::try_from(pieces).ok().filter(|pieces| *pieces <= Self::MOST);
        fits.map(Self).ok_or(Invalid::Bounds("a stock is from 0 to 1000000000"))
    }
}

impl From<OnHand> for i64 {
    fn from(pieces: OnHand) -> Self {
        Self::from(pieces.0)
    }
}

/// How many pieces came or went: not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = -1_000_000_000, maximum = 1_000_000_000)]
pub struct Delta(i64);

impl Delta {
    /// The number of pieces, below 0 when they went.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Delta {
    type Error = Invalid;

    fn try_from(pieces: i64) -> Result<Self, Invalid> {
        let most = i64::from(OnHand::MOST);
        let fits = pieces != 0 && (-most..=most).contains(&pieces);
        fits.then_some(Self(pieces))
            .ok_or(Invalid::Bounds("a change of stock is from -1000000000 to 1000000000 and not 0"))
    }
}

impl From<Delta> for i64 {
    fn from(delta: Delta) -> Self {
        delta.0
    }
}

fn is_slug(text: &str) -> bool {
    let of_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let words = text.split('-').all(|word| !word.is_empty() && word.bytes().all(of_word));
    // At that address the API describes itself.
    words && text != "docs"
}

fn is_address(text: &str) -> bool {
    let plain = !text.contains(|c: char| c.is_whitespace() || c == '\\');
    let absolute = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    plain && absolute.map_or_else(|| is_path(text), has_host)
}

/// An address on the shop's own host: not one that begins with a host (RFC 3986, section 4.2).
fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// Whether an address without its scheme begins with a host, and with no name of a user before it.
fn has_host(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@')
}

#[cfg(test)]
mod tests {
    use contracts::Currency;
    use proptest::prelude::*;

    use super::*;

    fn title(text: &str) -> Title {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_title_suggests_a_slug() {
        for (text, slug) in [
            ("Enamel mug", Some("enamel-mug")),
            ("Za'atar with wild thyme", Some("zaatar-with-wild-thyme")),
            ("  Süße Äpfel -- 5 kg! ", Some("suesse-aepfel-5-kg")),
            ("Crème brûlée", Some("creme-brulee")),
            ("Třešeň", Some("tresen")),
            ("Bru\u{302}le\u{301}e", Some("brulee")),
            ("كسكس", Some("ksks")),
            ("Docs", None),
            ("!?", None),
        ] {
            assert_eq!(Slug::of(&title(text)).as_ref().map(Slug::as_str), slug, "{text}");
        }
    }

    #[test]
    fn a_text_has_one_form() {
        let composed = Tag::try_from("Caf\u{e9}".to_owned()).unwrap();

        assert_eq!(Tag::try_from(" Cafe\u{301}\u{200b}".to_owned()), Ok(composed));
        for text in ["\u{3164}", "a\u{2028}b", "a\u{202e}b", "\u{200b}"] {
            assert!(Title::try_from(text.to_owned()).is_err(), "{text:?}");
            assert!(OptionName::try_from(text.to_owned()).is_err(), "{text:?}");
            assert!(Reason::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_price_may_be_nothing_and_not_less() {
        for (amount, fits) in [(0, true), (1_000_000_000_000, true), (-1, false), (i64::MAX, false)]
        {
            assert_eq!(
                Price::try_from(Money::new(amount, Currency::EUR)).is_ok(),
                fits,
                "{amount}"
            );
        }
    }

    #[test]
    fn a_picture_is_no_script() {
        for (text, fits) in [
            ("https://cdn.example/mug.jpg", true),
            ("/images/mug.jpg", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("https://cdn.example/a b", false),
            ("https://", false),
            ("https:///mug.jpg", false),
            ("https://?x", false),
            ("https://:443/mug.jpg", false),
            ("https://user:secret@cdn.example/mug.jpg", false),
            ("https://cdn.example@evil.example/mug.jpg", false),
            ("//evil.example/mug.jpg", false),
            ("/\\evil.example/mug.jpg", false),
            ("https://cdn.example/@user/mug.jpg", true),
            ("https://cdn.example", true),
        ] {
            assert_eq!(Image::try_from(text.to_owned()).is_ok(), fits, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_title_has_a_slug_of_its_own(text in "\\PC{1,300}", id: u128) {
            let Ok(title) = Title::try_from(text) else { return Ok(()) };
            let suggested = Slug::of(&title);

            let id = format!("prd_{id:032x}").parse().unwrap();
            let own = Slug::told_apart(suggested.as_ref(), id);

            prop_assert_eq!(Slug::try_from(own.as_str().to_owned()), Ok(own));
        }
    }
}
