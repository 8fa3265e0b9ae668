//! Passwords, and what is kept of them (NIST SP 800-63B, section 5.1.1.2).

use std::fmt;
use std::sync::LazyLock;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

use super::{Digest, Email};

const SHORTEST: usize = 8;
const LONGEST: usize = 128;
/// What the shop is called.
const SHOP: &str = "souk";
/// The passwords that are tried first, sorted; ../../NOTICE says where they come from.
static COMMONEST: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("commonest.txt").lines().collect());

/// A password as it was typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, format = Password)]
pub(crate) struct Password(SecretString);

/// A password that somebody chooses: 8 to 128 characters, whichever, but none of the commonest.
///
/// It is normalised (NFKC), so that it is the same on every keyboard.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
pub(crate) struct NewPassword(Password);

/// A text that is no password to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPassword {
    /// Too short or too long.
    #[error("a password has 8 to 128 characters")]
    Length,
    /// Who guesses tries it early.
    #[error("this is one of the commonest passwords")]
    Common,
}

impl Password {
    /// What was typed, for the one who hashes it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The same however a keyboard composes its characters.
    pub(crate) fn normalised(&self) -> Self {
        Self(self.expose().nfkc().collect::<String>().into())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl NewPassword {
    /// Whether it says no more than the address does, or the name of the shop.
    pub(crate) fn repeats(&self, email: &Email) -> bool {
        let text = self.0.expose().to_lowercase();
        let (parts, letters) = (email.parts(), core(&text));
        text == email.as_str()
            || parts.contains(&text.as_str())
            || !letters.is_empty()
                && parts.into_iter().map(core).chain([SHOP]).any(|it| it == letters)
    }
}

/// From its first letter to its last; what has none says nothing that could be repeated.
fn core(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

impl TryFrom<String> for NewPassword {
    type Error = InvalidPassword;

    fn try_from(text: String) -> Result<Self, InvalidPassword> {
        let password = Password::from(text).normalised();
        let length = password.expose().chars().count();
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(InvalidPassword::Length);
        }
        let lower = password.expose().to_lowercase();
        let common = COMMONEST.binary_search(&lower.as_str()).is_ok();
        if common { Err(InvalidPassword::Common) } else { Ok(Self(password)) }
    }
}

impl From<NewPassword> for Password {
    fn from(chosen: NewPassword) -> Self {
        chosen.0
    }
}

/// What is kept of a password: a salted argon2id hash, as a PHC string.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    /// The hash that this PHC string is.
    pub(crate) fn from_phc(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Names it where it must not be read.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// As a PHC string.
    pub(crate) fn as_phc(&self) -> &str {
        &self.0
    }
}

/// That somebody knows the password of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The hash that the password was checked against.
    pub(crate) verified: PasswordHash,
    /// What is to be kept instead, where that is no longer how passwords are hashed.
    pub(crate) renewed: Option<PasswordHash>,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn password(text: &str) -> Result<NewPassword, InvalidPassword> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_password_is_8_to_128_characters_whichever() {
        for text in ["1357924680x", "        ", "пароль🔑🔑", &"ä".repeat(128)] {
            assert!(password(text).is_ok(), "{text}");
        }
        for text in ["", "1234567", "парол🔑", &"a".repeat(129)] {
            assert_eq!(password(text).unwrap_err(), InvalidPassword::Length, "{text}");
        }
    }

    #[test]
    fn the_commonest_passwords_are_refused_however_they_are_written() {
        for text in ["password", "12345678", "Iloveyou", "QWERTYUIOP", "ｐａｓｓｗｏｒｄ"] {
            assert_eq!(password(text).unwrap_err(), InvalidPassword::Common, "{text}");
        }
        assert!(COMMONEST.is_sorted() && COMMONEST.len() > 10_000);
        assert!(COMMONEST.iter().all(|common| common.chars().count() >= SHORTEST));
    }

    #[test]
    fn a_password_is_the_same_however_it_is_composed() {
        let composed = password("caf\u{e9} au lait").unwrap();
        let decomposed = password("cafe\u{301} au lait").unwrap();

        assert_eq!(composed.0.expose(), decomposed.0.expose());
        assert_eq!(Password::from("ﬁne".to_owned()).normalised().expose(), "fine");
    }

    #[test]
    fn a_password_that_repeats_the_address_says_nothing() {
        let email: Email = "alice.bee@example.com".parse().unwrap();

        for text in ["Alice.Bee", "alice.bee2026!", "123souk456", "alice.bee@example.com"] {
            assert!(password(text).unwrap().repeats(&email), "{text}");
        }
        for text in ["alice likes bees", "malice.beer", "correct horse"] {
            assert!(!password(text).unwrap().repeats(&email), "{text}");
        }
    }

    #[test]
    fn an_address_of_digits_is_no_reason_to_refuse_what_has_no_letters() {
        for address in ["alice@163.com", "100200300@example.com", "7@1.2.example.com"] {
            let email: Email = address.parse().unwrap();

            for text in ["7391-5528-0046", "🔑🐪🌙🕌🧵🪔🌴🧂", "        "] {
                assert!(!password(text).unwrap().repeats(&email), "{text} at {address}");
            }
        }
        let email: Email = "73915528004@example.com".parse().unwrap();
        assert!(password("73915528004").unwrap().repeats(&email));
    }

    proptest! {
        #[test]
        fn what_has_no_letters_repeats_only_what_it_is(
            text in "[0-9 !?.,🔑🐪-]{8,20}",
            email in "[a-z0-9]{1,9}@([0-9]{1,4}\\.){0,2}[a-z0-9]{1,9}\\.[a-z]{2,6}",
        ) {
            let (chosen, email) = (password(&text), email.parse::<Email>().unwrap());
            prop_assume!(chosen.is_ok() && !email.parts().contains(&text.as_str()));

            prop_assert!(!chosen.unwrap().repeats(&email));
        }
    }

    #[test]
    fn nothing_shows_a_password() {
        let hash = PasswordHash::from_phc("$argon2id$canary");
        let shown = format!("{:?} {hash:?}", password("canary-canary").unwrap());

        assert!(!shown.contains("canary"), "{shown}");
    }
}
