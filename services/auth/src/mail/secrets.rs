//! The secrets in mails: derived when a mail is sent, never kept.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};

use crate::domain::{Digest, Drawn, MailId, MailToken, SECRET};

/// Makes the token of every mail, the same in every replica and at every try. Whoever has the whole
/// database but not the key can make none.
#[derive(Clone)]
pub(crate) struct Secrets {
    current: hmac::Key,
    previous: Option<hmac::Key>,
}

impl Secrets {
    /// What these secrets yield; the previous one still makes the tokens of mails that were written
    /// before.
    pub(crate) fn derive(current: &str, previous: Option<&str>) -> Self {
        Self { current: key(current), previous: previous.map(key) }
    }

    /// The secret of a mail.
    pub(crate) fn of(&self, mail: &MailId) -> [u8; SECRET] {
        tag(&self.current, mail)
    }

    /// A mail whose token can be recognised.
    pub(crate) fn drawn(&self, id: MailId) -> Drawn {
        let token = Digest::of(&self.of(&id));
        Drawn { id, token }
    }

    /// The token of a mail, if it can be made here.
    pub(super) fn token(&self, mail: &MailId, promised: &Digest) -> Option<MailToken> {
        let keys = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        let mut secrets = keys.map(|key| tag(key, mail));
        let secret = secrets.find(|secret| Digest::of(secret) == *promised)?;
        Some(MailToken::of(mail.clone(), secret))
    }
}

fn key(secret: &str) -> hmac::Key {
    let drawn = Salt::new(HKDF_SHA256, b"souk mail").extract(secret.as_bytes());
    let mut key = [0; 32];
    drawn
        .expand(&[b"tokens"], HKDF_SHA256)
        .and_then(|drawn| drawn.fill(&mut key))
        .expect("HKDF yields 32 bytes");
    hmac::Key::new(HMAC_SHA256, &key)
}

fn tag(key: &hmac::Key, mail: &MailId) -> [u8; SECRET] {
    let tag = hmac::sign(key, mail.as_str().as_bytes());
    tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_outlives_the_change_of_its_key() {
        let mail: MailId = "reset-1".parse().unwrap();
        let promised = Secrets::derive("one", None).drawn(mail.clone()).token;

        let token = |secrets: Secrets| secrets.token(&mail, &promised);

        let made = token(Secrets::derive("one", None));
        assert_eq!(made.as_ref().map(MailToken::digest), Some(promised.clone()));
        assert_eq!(token(Secrets::derive("two", Some("one"))), made);
        assert_eq!(token(Secrets::derive("two", None)), None);
    }
}
