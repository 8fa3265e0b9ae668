//! Numbers of cards are none of the shop's business: it neither takes nor repeats them.

use axum::extract::{FromRequest, OptionalFromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Problem, json};
use crate::bears_card;

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
        read(&json::body(request, state).await?)
    }
}

/// No body at all is none, whatever its media type, and so is `null`.
impl<T: Worded, S: Send + Sync> OptionalFromRequest<S> for Cardless<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        json::optional_body(request, state).await?.map(|bytes| read(&bytes)).transpose()
    }
}

fn read<T: Worded>(bytes: &[u8]) -> Result<Cardless<T>, Problem> {
    if is_in(&json::read(bytes)?, T::NUMBERS) {
        let detail = "give the number of a card to the provider, and its method to the shop";
        return Err(Problem::unprocessable("card-number").because(detail));
    }
    json::read(bytes).map(Cardless)
}

/// Whether a card's number is in any name or value but those of these fields.
fn is_in(value: &Value, numbers: &[&str]) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => bears_card(&number.to_string()),
        Value::String(text) => bears_card(text),
        Value::Array(items) => items.iter().any(|item| is_in(item, numbers)),
        Value::Object(fields) => {
            let mut words = fields.iter().filter(|(name, _)| !numbers.contains(&name.as_str()));
            words.any(|(name, value)| bears_card(name) || is_in(value, numbers))
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[derive(Debug, serde::Deserialize)]
    struct Said {}

    impl Worded for Said {}

    #[tokio::test]
    async fn null_says_nothing() {
        let kind = axum::http::header::CONTENT_TYPE;
        let request = Request::post("/").header(kind, "application/json");
        let request = request.body(axum::body::Body::from("null")).unwrap();

        let read = <Cardless<Said> as OptionalFromRequest<()>>::from_request(request, &()).await;

        assert!(read.is_ok_and(|said| said.is_none()));
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for body in [
            json!("4242424242424241"),
            json!("ord_4242424242424242a4242424242424242"),
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
}
