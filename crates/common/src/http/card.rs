//! Numbers of cards are none of the shop's business: it neither takes nor repeats them.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Problem, json};
use crate::card::is_card;

/// A body in which people write.
pub trait Worded: DeserializeOwned {
    /// The fields, at whatever depth, that may hold long numbers: what is said there is no words.
    const NUMBERS: &'static [&'static str] = &[];
}

/// A body in JSON in which nothing looks like a card's number; 422 otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Cardless<T>(pub T);

impl<T: Worded, S: Send + Sync> FromRequest<S> for Cardless<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json::body(request, state).await?;
        if is_in(&json::read(&bytes)?, T::NUMBERS) {
            let detail = "give the number of a card to the provider, and its method to the shop";
            return Err(Problem::unprocessable("card-number").because(detail));
        }
        json::read(&bytes).map(Self)
    }
}

/// Whether a card's number is in any name or value but those of these fields.
fn is_in(value: &Value, numbers: &[&str]) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => is_in_text(&number.to_string()),
        Value::String(text) => is_in_text(text),
        Value::Array(items) => items.iter().any(|item| is_in(item, numbers)),
        Value::Object(fields) => {
            let mut words = fields.iter().filter(|(name, _)| !numbers.contains(&name.as_str()));
            words.any(|(name, value)| is_in_text(name) || is_in(value, numbers))
        }
    }
}

/// Whether words parted as people part them make up a card's number. Digits within a longer word,
/// such as an id, do not.
fn is_in_text(text: &str) -> bool {
    let parts = |c: char| !c.is_alphanumeric() && c != '_' && !is_joint(c);
    text.split(parts).any(|phrase| {
        let words: Vec<&str> = phrase.split(is_joint).filter(|word| !word.is_empty()).collect();
        (0..words.len()).any(|first| begins_with_card(&words[first..]))
    })
}

/// Whether people write it between the digits of one number: a space, a hyphen or dash, a dot, a
/// slash, or nothing that can be seen.
fn is_joint(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '/' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}')
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn begins_with_card(words: &[&str]) -> bool {
    let mut digits = String::new();
    for word in words.iter().take_while(|word| word.bytes().all(|b| b.is_ascii_digit())) {
        digits.push_str(word);
        if digits.len() > 19 || is_card(&digits) {
            break;
        }
    }
    is_card(&digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cards_number_is_seen_wherever_it_stands() {
        for body in [
            json!("4242424242424242"),
            json!(4_242_424_242_424_242_u64),
            json!({ "a": [{ "b": "4000 0566 5566 5556" }] }),
            json!({ "4242-4242-4242-4242": null }),
            json!("4242 -  4242 4242 4242"),
            json!("my card 12 is 3782 822463 10005."),
            json!("card:4222222222222"),
            json!("4242.4242.4242.4242"),
            json!("4242\u{a0}4242\u{2011}4242/4242"),
            json!("4242\u{200b}4242\n4242\t4242"),
            json!(4_242_424_242_424_242.0_f64),
        ] {
            assert!(is_in(&body, &["sku"]), "{body}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for body in [
            json!("4242424242424241"),
            json!("ord_4242424242424242a4242424242424242"),
            json!("x4242424242424242"),
            json!("2026-01-31T12:00:00.000Z"),
            json!(1999),
            json!("42424242424242424242424242"),
            json!("pm_card_visa"),
            json!({ "lines": [{ "sku": "4242424242424242" }] }),
            json!(null),
        ] {
            assert!(!is_in(&body, &["sku"]), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", digits in "[0-9 -]{0,60}") {
            let _ = (is_in_text(&text), is_in_text(&digits));
        }

        #[test]
        fn an_id_is_no_cards_number(id: u128) {
            let text = format!("ord_{id:032x}");

            prop_assert!(!is_in_text(&text));
        }
    }
}
