//! How counters are named: so that nobody can tell from the name whom they count.

use std::sync::Arc;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::http::ClientAddress;
use contracts::UserId;
use secrecy::{ExposeSecret as _, SecretString};

use super::Device;
use super::networks::Networks;
use crate::domain::Email;

/// Makes names by a keyed hash: without the key, nobody can try which address one is of.
#[derive(Clone)]
pub(super) struct Names(Arc<hmac::Key>);

impl Names {
    /// All replicas make the same names of one secret. Of another they make others: then all counts
    /// begin anew.
    pub(super) fn keyed(secret: &SecretString) -> Self {
        let secret = secret.expose_secret().trim();
        let drawn = Salt::new(HKDF_SHA256, b"souk throttling").extract(secret.as_bytes());
        let mut key = [0; 32];
        drawn
            .expand(&[b"names"], HKDF_SHA256)
            .and_then(|drawn| drawn.fill(&mut key))
            .expect("HKDF yields 32 bytes");
        Self(Arc::new(hmac::Key::new(HMAC_SHA256, &key)))
    }

    /// Whoever may have this address, known or not.
    pub(super) fn account(&self, email: &Email) -> String {
        self.of("account", &[email.as_str()])
    }

    /// This person.
    pub(super) fn person(&self, id: UserId) -> String {
        self.of("person", &[&id.to_string()])
    }

    /// The networks that this address counts for, the narrowest first.
    pub(super) fn networks(&self, from: ClientAddress) -> Networks {
        Networks::around(from, |network| self.of("address", &[network]))
    }

    /// Whoever signs in to this account with this device.
    pub(super) fn familiar(&self, email: &Email, device: Device) -> String {
        self.of("familiar", &[email.as_str(), &device.text()])
    }

    fn of(&self, kind: &str, parts: &[&str]) -> String {
        let mut text = kind.to_owned();
        for part in parts {
            // No address of either kind has a line break in it, and no device.
            text.push('\n');
            text.push_str(part);
        }
        let tag = hmac::sign(&self.0, text.as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn from(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn one_thing_has_one_name_under_one_key() {
        let (names, again) = (Names::keyed(&"one".into()), Names::keyed(&"one\n".into()));
        let [alice, bob] = ["alice", "bob"].map(|it| format!("{it}@example.com").parse().unwrap());
        let (device, other) = (Device::drawn(), Device::drawn());

        assert_eq!(names.account(&alice), again.account(&alice));
        assert_ne!(names.account(&alice), Names::keyed(&"two".into()).account(&alice));
        assert_ne!(names.account(&alice), names.familiar(&alice, device));
        assert_ne!(names.familiar(&alice, device), names.familiar(&alice, other));
        assert_ne!(names.familiar(&alice, device), names.familiar(&bob, device));
        assert_eq!(names.familiar(&alice, device), again.familiar(&alice, device));
        assert_eq!(names.networks(from("2001:db8::1")), names.networks(from("2001:db8::2")));
        assert!(!names.account(&alice).contains("alice"));
    }
}
