//! What proves that somebody read a mail.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Digest, MailId};

/// How many bytes of a token nobody can guess.
pub(crate) const SECRET: usize = 32;

/// A token out of a mail: `<name of the mail>.<43 characters>`. `Debug` shows the mail alone.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MailToken {
    mail: MailId,
    secret: [u8; SECRET],
}

/// A text that no mail had in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token out of a mail")]
pub(crate) struct NotAMailToken;

impl MailToken {
    /// The token of a mail.
    pub(crate) const fn of(mail: MailId, secret: [u8; SECRET]) -> Self {
        Self { mail, secret }
    }

    /// The mail that had it in it.
    pub(crate) const fn mail(&self) -> &MailId {
        &self.mail
    }

    /// Recognises it.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.secret)
    }

    /// The token as it stands in the mail.
    pub(crate) fn expose(&self) -> String {
        format!("{}.{}", self.mail, URL_SAFE_NO_PAD.encode(self.secret))
    }
}

impl FromStr for MailToken {
    type Err = NotAMailToken;

    fn from_str(text: &str) -> Result<Self, NotAMailToken> {
        let (mail, secret) = text.split_once('.').ok_or(NotAMailToken)?;
        let secret = URL_SAFE_NO_PAD.decode(secret).map_err(|_| NotAMailToken)?;
        let secret = secret.try_into().map_err(|_| NotAMailToken)?;
        Ok(Self { mail: mail.parse().map_err(|_| NotAMailToken)?, secret })
    }
}

impl TryFrom<String> for MailToken {
    type Error = NotAMailToken;

    fn try_from(text: String) -> Result<Self, NotAMailToken> {
        text.trim().parse()
    }
}

impl fmt::Debug for MailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailToken({})", self.mail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let token = MailToken::of("verify-1".parse().unwrap(), [7; SECRET]);

        assert_eq!(token.expose().parse(), Ok(token.clone()));
        assert_eq!(format!("{token:?}"), "MailToken(verify-1)");
        for bad in
            ["", ".", "verify-1", "verify-1.", "verify-1.AAAA", &format!("{}A", token.expose())]
        {
            assert_eq!(bad.parse::<MailToken>(), Err(NotAMailToken), "{bad}");
        }
    }

    #[test]
    fn whatever_is_made_of_a_token_it_is_none_or_has_one_spelling() {
        let of = |mail: &str, secret| MailToken::of(mail.parse().unwrap(), [secret; SECRET]);
        let tokens = [of("verify-1", 7), of("reset-0190b0e1c7f67c3e", 0xfb)];

        fuzz::always(&fuzz::nearly_text(&tokens.map(|token| token.expose())), |text| {
            if let Ok(read) = text.parse::<MailToken>() {
                prop_assert_eq!(read.expose(), text.as_str());
            }
            if let Ok(typed) = MailToken::try_from(text.clone()) {
                prop_assert_eq!(typed.expose(), text.trim());
            }
            Ok(())
        });
    }
}
