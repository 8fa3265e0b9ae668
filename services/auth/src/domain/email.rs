//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Digest;

/// No address is longer (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;
/// No local part is longer (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// No label of a domain is longer (RFC 1035, section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// An e-mail address, trimmed and in lower case: however it is typed, it is one account's.
///
/// A dot-atom at a domain of at least two labels, in ASCII; a domain in another script is given in
/// its ASCII form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Email, max_length = 254, example = "alice@example.com")]
pub(crate) struct Email(String);

/// A text that is not an e-mail address. It is not repeated, as it may be one nearly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address looks like alice@example.com and has at most 254 characters")]
pub(crate) struct InvalidEmail;

impl Email {
    /// Names the address where it must not be read: keys of documents end up in logs.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The address, for the one who needs it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`, and the labels behind it.
    pub(crate) fn parts(&self) -> Vec<&str> {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        [local].into_iter().chain(domain.split('.')).collect()
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let sane = text.len() <= LONGEST && is_local(local) && is_domain(domain);
        if sane { Ok(Self(text)) } else { Err(InvalidEmail) }
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// Nobody sees it by accident: it is personal.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// A dot-atom (RFC 5322, section 3.2.3).
fn is_local(local: &str) -> bool {
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.len() <= LONGEST_LOCAL
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// A name of at least two labels (RFC 1123, section 2.1), the last of which is no number.
fn is_domain(domain: &str) -> bool {
    let numeric = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
    let last = domain.rsplit_once('.').map(|(_, last)| last);
    domain.split('.').all(is_label) && last.is_some_and(|last| !numeric(last))
}

fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    #[test]
    fn however_it_is_typed_it_is_the_same_address() {
        let typed: Email = "  Alice.B+shop@Example.COM\n".parse().unwrap();

        assert_eq!(typed.0, "alice.b+shop@example.com");
        assert_eq!(typed.digest(), "alice.b+shop@example.com".parse::<Email>().unwrap().digest());
        assert_eq!(format!("{typed:?}"), "Email(…)");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("a@{}example.com", "b.".repeat(130));
        for text in [
            "",
            "@",
            "alice",
            "alice@",
            "@example.com",
            "alice@localhost",
            "alice@example.",
            "alice@.example.com",
            "alice@-example.com",
            "alice@exa mple.com",
            "al ice@example.com",
            "al\u{0}ice@example.com",
            "alice@bob@example.com",
            ".alice@example.com",
            "al..ice@example.com",
            "alice@10.0.0.1",
            "alice@[10.0.0.1]",
            "älice@example.com",
            "alice@exämple.com",
            "<alice@example.com>",
            "alice@example.com,bob@example.com",
            "alice@example.com\r\nBcc: bob@example.com",
            &format!("{}@example.com", "a".repeat(65)),
            &format!("alice@{}.com", "a".repeat(64)),
            &long,
        ] {
            assert_eq!(text.parse::<Email>(), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn the_longest_address_is_one() {
        let domain = [["b"; 63].concat(), ["c"; 63].concat(), ["d"; 61].concat()].join(".");
        let text = format!("{}@{domain}", "a".repeat(64));

        assert_eq!(text.len(), LONGEST);
        assert!(text.parse::<Email>().is_ok());
        assert_eq!(format!("{text}d").parse::<Email>(), Err(InvalidEmail));
    }

    #[test]
    fn whatever_is_typed_it_is_no_address_or_the_one_that_is_kept() {
        let typed = ["  Alice.B+shop@Example.COM\n", "o'neil@mail.example.co.uk", "a@b-c.xn--p1ai"];

        fuzz::always(&fuzz::nearly_text(&typed), |text| {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert_eq!(email.as_str(), text.trim().to_ascii_lowercase());
                prop_assert!(email.as_str().len() <= LONGEST && email.as_str().is_ascii());
                prop_assert!(
                    !email.as_str().contains(|it: char| it.is_whitespace() || it.is_control())
                );
                prop_assert_eq!(email.as_str().parse(), Ok(email));
            }
            Ok(())
        });
    }

    proptest! {
        #[test]
        fn an_address_reads_as_it_is_kept(text in "[A-Za-z0-9+_]{1,20}@([A-Za-z0-9]{1,10}\\.){1,3}[a-z]{2,6}") {
            let email: Email = text.parse().unwrap();

            prop_assert_eq!(email.0.parse::<Email>().unwrap(), email);
        }
    }
}
