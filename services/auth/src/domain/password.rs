//! Passwords, and what is kept of them.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const SHORTEST: usize = 8;
const LONGEST: usize = 128;

/// A password as it was typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, format = Password)]
pub(crate) struct Password(SecretString);

/// A password that somebody chooses: 8 to 128 characters, whichever.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = Password, min_length = 8, max_length = 128)]
pub(crate) struct NewPassword(Password);

/// A text that is too short or too long for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has 8 to 128 characters")]
pub(crate) struct InvalidPassword;

impl Password {
    /// What was typed, for the one who hashes it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl TryFrom<String> for NewPassword {
    type Error = InvalidPassword;

    fn try_from(text: String) -> Result<Self, InvalidPassword> {
        let password = Password::from(text);
        let length = password.expose().chars().count();
        let fits = (SHORTEST..=LONGEST).contains(&length);
        if fits { Ok(Self(password)) } else { Err(InvalidPassword) }
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

    /// As a PHC string.
    pub(crate) fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Result<NewPassword, InvalidPassword> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_password_is_8_to_128_characters_whichever() {
        for text in ["12345678", "        ", "пароль🔑🔑", &"ä".repeat(128)] {
            assert!(password(text).is_ok(), "{text}");
        }
        for text in ["", "1234567", "парол🔑", &"a".repeat(129)] {
            assert_eq!(password(text).unwrap_err(), InvalidPassword, "{text}");
        }
    }

    #[test]
    fn nothing_shows_a_password() {
        let hash = PasswordHash::from_phc("$argon2id$canary");
        let shown = format!("{:?} {hash:?}", password("canary-canary").unwrap());

        assert!(!shown.contains("canary"), "{shown}");
    }
}
