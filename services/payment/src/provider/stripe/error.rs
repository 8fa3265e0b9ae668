//! What Stripe answers instead of doing what it was asked.

use serde::Deserialize;

use crate::provider::ProviderError;

/// Why an asking came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// It is not known whether it was done.
    Away(String),
    /// It is not known whether it was done, and the key is spent: Stripe failed when it first came,
    /// and gives that failure to every repeat.
    Spent,
    /// The account may not do this.
    NotAllowed(&'static str),
    /// Stripe will not do it, and says why.
    Refused(Refused),
}

/// What Stripe says of something that it will not do. Its message is left out: it is made for
/// people and may quote what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Refused {
    /// The status of the answer.
    #[serde(skip)]
    pub(super) status: u16,
    /// What kind of error it is, such as `card_error`.
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    /// What went wrong, such as `card_declined`.
    #[serde(default)]
    pub(super) code: Option<String>,
    /// Why the card's bank said no.
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    /// The parameter it is about.
    #[serde(default)]
    pub(super) param: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    error: Refused,
}

impl Refused {
    /// Reads the body of an answer with this status, which may be anything.
    pub(super) fn read(status: u16, body: &[u8]) -> Self {
        let read = serde_json::from_slice::<Body>(body).map(|body| body.error);
        Self { status, ..read.unwrap_or_default() }
    }

    /// Whether the key was used before, with other parameters.
    pub(super) fn is_other_use_of_key(&self) -> bool {
        self.kind == "idempotency_error"
    }

    /// Whether a later asking may succeed: the shop's balance at Stripe is too low for now, or the
    /// key is one of another account.
    pub(super) fn may_pass(&self) -> bool {
        let poor = self.code.as_deref() == Some("balance_insufficient");
        poor || self.is_missing() || self.is_other_use_of_key()
    }

    /// Whether there is no such thing.
    pub(super) fn is_missing(&self) -> bool {
        self.status == 404 || self.code.as_deref() == Some("resource_missing")
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.kind)?;
        for part in [&self.code, &self.decline_code, &self.param].into_iter().flatten() {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}

/// What is not decided where it is asked is open: it is asked again, by then perhaps with another
/// key or of another Stripe.
impl From<CallError> for ProviderError {
    fn from(error: CallError) -> Self {
        Self::Away(match error {
            CallError::Away(why) => why,
            CallError::Spent => "Stripe failed, and repeats that".to_owned(),
            CallError::NotAllowed(why) => why.to_owned(),
            CallError::Refused(refused) => format!("Stripe said {refused}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use testkit::fuzz;

    use super::*;

    #[test]
    fn an_error_says_what_it_is_and_nothing_personal() {
        let body = br#"{"error":{"type":"card_error","code":"card_declined",
            "decline_code":"do_not_honor","message":"Alice, your card 4242 was declined."}}"#;

        let refused = Refused::read(402, body);

        assert_eq!(refused.to_string(), "402 card_error card_declined do_not_honor");
    }

    #[test]
    fn whatever_the_body_it_is_read() {
        let error = json!({ "error": { "type": "card_error", "code": "card_declined",
            "decline_code": "do_not_honor", "param": "amount", "message": "Declined." } });

        fuzz::always(&(any::<u16>(), fuzz::nearly_json(&[error])), |(status, body)| {
            let refused = Refused::read(status, &body);
            prop_assert_eq!(refused.status, status);
            prop_assert!(refused.to_string().starts_with(&status.to_string()));
            Ok(())
        });
    }
}
