//! The texts and numbers a catalogue is made of, each within its bounds.

use std::fmt;

use contracts::{Money, OrderId, ProductId, Sku};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value that is out of bounds; says what would be within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(&'static str);

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $least:tt to $most:tt, $fits:expr, $rule:literal;)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, min_length = $least, max_length = $most)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(given: String) -> Result<Self, Invalid> {
                let text = given.trim();
                let fits = ($least..=$most).contains(&text.chars().count()) && $fits(text);
                if fits { Ok(Self(text.to_owned())) } else { Err(Invalid($rule)) }
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
    Title: 1 to 200, is_line, "a title is 1 to 200 characters on one line";
    /// What is said about a product; may be nothing.
    Description: 0 to 10_000, is_prose, "a description is at most 10000 characters";
    /// A product's name in URLs: words of a-z and 0-9, parted by single hyphens. None is called
    /// docs, as that address is taken.
    Slug: 1 to 80, is_slug,
        "a slug is 1 to 80 of a-z and 0-9 in words parted by single hyphens, and not docs";
    /// The shelf a product stands on.
    Category: 1 to 80, is_line, "a category is 1 to 80 characters on one line";
    /// A word under which a product is found.
    Tag: 1 to 50, is_line, "a tag is 1 to 50 characters on one line";
    /// Where a picture of a product is: begins with https://, http:// or /.
    Image: 1 to 2000, is_address,
        "a picture is an address of at most 2000 characters, from https://, http:// or /";
    /// What tells the variants of a product apart, such as a size; without . and $.
    OptionName: 1 to 40, is_name, "an option is 1 to 40 characters on one line, without . and $";
    /// Which of an option a variant is, such as large.
    OptionValue: 1 to 100, is_line,
        "what a variant is of an option is 1 to 100 characters on one line";
    /// Why somebody changed a stock.
    Reason: 1 to 200, is_line, "a reason is 1 to 200 characters on one line";
    /// What somebody looks for.
    Search: 0 to 100, is_line, "a search is at most 100 characters on one line";
}

impl Default for Description {
    /// Nothing is said.
    fn default() -> Self {
        Self(String::new())
    }
}

impl Slug {
    /// The slug that a title suggests, if it has a letter or a digit that fits one.
    pub fn of(title: &Title) -> Option<Self> {
        let mut slug = String::new();
        for word in title.as_str().to_lowercase().split(|c: char| !is_of_word(c)) {
            let word: String = word.chars().flat_map(plain).collect();
            let longer = slug.len() + word.len() + 1;
            if !word.is_empty() && longer <= 64 {
                if !slug.is_empty() {
                    slug.push('-');
                }
                slug.push_str(&word);
            }
        }
        slug.try_into().ok()
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
        fits.then_some(Self(money)).ok_or(Invalid("a price is from 0 to 1000000000000"))
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
        fits.map(Self).ok_or(Invalid("a stock is from 0 to 1000000000"))
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
            .ok_or(Invalid("a change of stock is from -1000000000 to 1000000000 and not 0"))
    }
}

impl From<Delta> for i64 {
    fn from(delta: Delta) -> Self {
        delta.0
    }
}

/// The SKU of a new variant: any but those that read like the id of something else, as the two
/// would be mistaken for each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Sku", into = "Sku")]
#[schema(value_type = Sku)]
pub struct NewSku(Sku);

impl TryFrom<Sku> for NewSku {
    type Error = Invalid;

    fn try_from(sku: Sku) -> Result<Self, Invalid> {
        let text = sku.as_str();
        let is_id = text.parse::<ProductId>().is_ok() || text.parse::<OrderId>().is_ok();
        if is_id { Err(Invalid("a SKU does not read like an id")) } else { Ok(Self(sku)) }
    }
}

impl From<NewSku> for Sku {
    fn from(sku: NewSku) -> Self {
        sku.0
    }
}

fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_prose(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}

fn is_name(text: &str) -> bool {
    is_line(text) && !text.contains(['.', '$'])
}

fn is_slug(text: &str) -> bool {
    let of_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let words = text.split('-').all(|word| !word.is_empty() && word.bytes().all(of_word));
    // At that address the API describes itself.
    words && text != "docs"
}

fn is_address(text: &str) -> bool {
    let begins = ["https://", "http://", "/"].iter().any(|start| text.starts_with(start));
    begins && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Apostrophes are part of a word: za'atar.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’' | 'ʼ')
}

/// A letter in plain ASCII, as people write it where they lack it; nothing for other letters.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let ascii = match letter {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'ç' | 'č' | 'ć' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' | 'õ' => "o",
        'ş' | 'š' | 'ś' => "s",
        'ù' | 'ú' | 'û' => "u",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "z",
        _ => "",
    };
    ascii.chars().chain(Some(letter).filter(char::is_ascii_alphanumeric))
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
            ("كسكس", None),
            ("Docs", None),
            ("!?", None),
        ] {
            assert_eq!(Slug::of(&title(text)).as_ref().map(Slug::as_str), slug, "{text}");
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
        ] {
            assert_eq!(Image::try_from(text.to_owned()).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn a_sku_that_reads_like_an_id_is_refused() {
        for (text, fits) in [
            ("ord_00000000000000000000000000000007", false),
            ("prd_00000000000000000000000000000007", false),
            ("ord_7", true),
        ] {
            assert_eq!(serde_json::from_value::<NewSku>(text.into()).is_ok(), fits, "{text}");
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
