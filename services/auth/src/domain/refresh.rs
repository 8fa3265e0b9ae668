//! Refresh tokens: opaque, known to the shopper alone, good for one use.
//!
//! Shoppers' browsers keep no secret that a token could be bound to, so that tokens rotate, as RFC
//! 9700, section 4.14.2, wants it of public clients: each use gives the next token, one that was used
//! before ends the sign-in, and so do a sign-out and another password. Where this differs: a token
//! gives the same successor again for 30 seconds, as an answer may be lost; and a sign-in ends 30 days
//! after it began, used or not, while the RFC would have it end sooner where it is not used.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::SessionId;
use serde::{Deserialize, Serialize};

use super::Digest;

const FAMILY: usize = 16;
const OWN: usize = 32;
const NONCE: usize = 12;

/// What gets the next access token: `<session id>.<64 characters>`.
///
/// Its secret has two parts: one that all tokens of a sign-in share, and one of its own. The shared
/// one tells a token that was used before, which ends the sign-in, from one that anybody made up,
/// which ends nothing. Only digests are stored. `Debug` shows the session alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    session: SessionId,
    family: [u8; FAMILY],
    own: [u8; OWN],
}

/// A text that is not a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token")]
pub(crate) struct NotAToken;

/// A token's successor, sealed so that only who has the token itself can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed(String);

impl RefreshToken {
    /// The first token of a sign-in, of secrets that were drawn for it.
    pub(crate) const fn first(session: SessionId, family: [u8; FAMILY], own: [u8; OWN]) -> Self {
        Self { session, family, own }
    }

    /// The next token of the same sign-in.
    #[must_use]
    pub(crate) const fn successor(&self, own: [u8; OWN]) -> Self {
        Self { own, ..*self }
    }

    /// The sign-in it is of.
    pub(crate) const fn session(&self) -> SessionId {
        self.session
    }

    /// Recognises all tokens of its sign-in.
    pub(crate) fn family(&self) -> Digest {
        Digest::of(&self.family)
    }

    /// Recognises this token.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.own)
    }

    /// The token as its shopper gets it.
    pub(crate) fn expose(&self) -> String {
        let secret = [&self.family[..], &self.own[..]].concat();
        format!("{}.{}", self.session, URL_SAFE_NO_PAD.encode(secret))
    }

    /// Seals its successor under a key that only this token yields. `nonce` is drawn for it.
    pub(crate) fn seal(&self, successor: &Self, nonce: [u8; NONCE]) -> Sealed {
        let mut secret = successor.own.to_vec();
        self.key()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.aad(), &mut secret)
            .expect("so little can always be sealed");
        Sealed(URL_SAFE_NO_PAD.encode([&nonce[..], &secret].concat()))
    }

    /// The successor that was sealed for this token; none when it was for another.
    pub(crate) fn unseal(&self, sealed: &Sealed) -> Option<Self> {
        let mut bytes = URL_SAFE_NO_PAD.decode(&sealed.0).ok()?;
        let (nonce, secret) = bytes.split_first_chunk_mut::<NONCE>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let own = self.key().open_in_place(nonce, self.aad(), secret).ok()?;
        Some(self.successor(<[u8; OWN]>::try_from(&*own).ok()?))
    }

    fn key(&self) -> LessSafeKey {
        let drawn = Salt::new(HKDF_SHA256, b"souk refresh token").extract(&self.own);
        let key = drawn.expand(&[b"successor"], &AES_256_GCM).expect("HKDF yields that much");
        LessSafeKey::new(UnboundKey::from(key))
    }

    fn aad(&self) -> Aad<String> {
        Aad::from(self.session.to_string())
    }
}

impl FromStr for RefreshToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let (session, secret) = text.split_once('.').ok_or(NotAToken)?;
        let session = session.parse().map_err(|_| NotAToken)?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).map_err(|_| NotAToken)?;
        let (family, own) = bytes.split_first_chunk().ok_or(NotAToken)?;
        let own = own.try_into().map_err(|_| NotAToken)?;
        Ok(Self { session, family: *family, own })
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({})", self.session)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const SESSION: &str = "ses_00000000000000000000000000000005";

    fn token() -> RefreshToken {
        RefreshToken::first(SESSION.parse().unwrap(), [1; FAMILY], [2; OWN])
    }

    #[test]
    fn a_token_reads_as_it_was_given() {
        let text = token().expose();

        assert_eq!(text.len(), SESSION.len() + 1 + 64);
        assert_eq!(text.parse(), Ok(token()));
        assert_eq!(format!("{:?}", token()), format!("RefreshToken({SESSION})"));
    }

    #[test]
    fn only_the_token_itself_unseals_its_successor() {
        let successor = token().successor([3; OWN]);

        let sealed = token().seal(&successor, [4; NONCE]);

        assert_eq!(token().unseal(&sealed), Some(successor.clone()));
        assert_eq!(successor.unseal(&sealed), None);
        let elsewhere: SessionId = "ses_00000000000000000000000000000006".parse().unwrap();
        let other = RefreshToken::first(elsewhere, [1; FAMILY], [2; OWN]);
        assert_eq!(other.unseal(&sealed), None);
        assert!(!sealed.0.contains(&URL_SAFE_NO_PAD.encode([3; OWN])));
    }

    #[test]
    fn what_was_tampered_with_unseals_nothing() {
        let Sealed(text) = token().seal(&token().successor([3; OWN]), [4; NONCE]);

        for broken in ["", "AA", "?", &text[..text.len() - 4], &text.replace('B', "C")] {
            assert_eq!(token().unseal(&Sealed(broken.to_owned())), None, "{broken}");
        }
    }

    #[test]
    fn a_family_is_recognised_by_what_its_tokens_share() {
        let successor = token().successor([3; OWN]);

        assert_eq!(successor.family(), token().family());
        assert_ne!(successor.digest(), token().digest());
        assert_ne!(token().family(), token().digest());
    }

    #[test]
    fn whatever_is_made_of_a_token_it_is_none_or_has_one_spelling() {
        let tokens = [token(), token().successor([0xfb; OWN])].map(|token| token.expose());

        fuzz::always(&fuzz::nearly_text(&tokens), |text| {
            if let Ok(read) = text.parse::<RefreshToken>() {
                prop_assert_eq!(read.expose(), text);
            }
            Ok(())
        });
    }

    proptest! {
        #[test]
        fn a_secret_of_another_length_is_none(secret in "[A-Za-z0-9_-]{0,100}") {
            prop_assume!(secret.len() != 64);

            prop_assert_eq!(format!("{SESSION}.{secret}").parse::<RefreshToken>(), Err(NotAToken));
        }
    }
}
