//! E-mail addresses.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use contracts::stored;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
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
/// A dot-atom at a domain of at least two labels. A domain in another script is kept in its ASCII form
/// (UTS 46, without transitional processing): `info@übung.de` is `info@xn--bung-zra.de`.
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
        let domain = in_ascii(domain)?;
        let text = format!("{local}@{domain}");
        let sane = text.len() <= LONGEST && is_local(local) && is_domain(&domain);
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

/// The ASCII form of a domain (UTS 46, section 4.2). One that was stored is in it already, and stays
/// as it is when a later version of Unicode would refuse it.
fn in_ascii(domain: &str) -> Result<Cow<'_, str>, InvalidEmail> {
    if stored::is_read() {
        return Ok(Cow::Borrowed(domain));
    }
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| InvalidEmail)
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
            "alice@xn--zzzzzz--.com",
            "alice@xn--bung-zra",
            "alice@übung",
            "alice@-übung.de",
            "alice@ü bung.de",
            "alice@a\u{202e}b.de",
            "alice@１０.０.０.１",
            "alice@\u{200b}.de",
            "alice@ü\u{5d0}.de",
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
    fn every_spelling_of_a_domain_is_one_address() {
        for (spellings, kept) in [
            (
                vec![
                    "info@übung.de",
                    "Info@ÜBUNG.de",
                    "info@u\u{308}bung.de",
                    "info@xn--bung-zra.de",
                    "info@XN--BUNG-ZRA.DE",
                    "info@übung。de",
                    "info@ü\u{ad}bung.de\u{200b}",
                ],
                "info@xn--bung-zra.de",
            ),
            (
                vec!["a@bücher.example.com", "a@BU\u{308}CHER.Example.com"],
                "a@xn--bcher-kva.example.com",
            ),
            (vec!["a@почта.рф", "a@xn--80a1acny.xn--p1ai"], "a@xn--80a1acny.xn--p1ai"),
            (vec!["a@例え.テスト"], "a@xn--r8jz45g.xn--zckzah"),
            (vec!["a@straße.de"], "a@xn--strae-oqa.de"),
            (vec!["a@Ｅxample.com", "a@example.com"], "a@example.com"),
            (vec!["a@r3---sn.example.com"], "a@r3---sn.example.com"),
        ] {
            for text in spellings {
                assert_eq!(text.parse::<Email>().unwrap().as_str(), kept, "{text}");
            }
        }
    }

    #[test]
    fn a_stored_address_stays_readable() {
        let stored = || "alice@xn--zzzzzz--a.com".parse::<Email>();

        assert!(stored::reading(stored).is_ok());
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
        let typed = [
            "  Alice.B+shop@Example.COM\n",
            "o'neil@mail.example.co.uk",
            "a@b-c.xn--p1ai",
            "info@übung.de",
        ];

        fuzz::always(&fuzz::nearly_text(&typed), |text| {
            if let Ok(email) = text.parse::<Email>() {
                let typed = text.trim().to_ascii_lowercase();
                let plain = typed.is_ascii() && !typed.contains("xn--");
                prop_assert!(!plain || email.as_str() == typed);
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
