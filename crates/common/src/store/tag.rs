//! Versions as HTTP sees them: `ETag` and `If-Match` (RFC 9110, section 8.8.3 and 13.1.1).
//!
//! What is sent as `ETag` names a representation: the version it shows, and a digest of all its
//! bytes. Edits compare the version alone, so that a sale does not make an edit stale.

use std::fmt;

/// Names one version of one thing; a thing that was made anew never bears an old tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag {
    version: i64,
    born: String,
}

impl ETag {
    pub(crate) fn new(version: i64, born: &str) -> Self {
        Self { version, born: born.to_owned() }
    }

    /// Names the version of a thing before it begins.
    pub fn absent() -> Self {
        Self::new(0, "00000000")
    }

    fn opaque(&self) -> String {
        format!("{}-{}", self.version, self.born)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}-{}\"", self.version, self.born)
    }
}

/// What a client says the thing must still be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version, as long as it is there.
    Any,
    /// One of these tags, without their quotes.
    Tags(Vec<String>),
}

/// A text that is neither `*` nor a list of entity tags (RFC 9110, section 8.8.3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is * or a list of quoted entity tags")]
pub struct InvalidIfMatch;

impl IfMatch {
    /// Reads the value of an `If-Match` header, or the like. A weak tag counts as strong: proxies
    /// weaken ours.
    pub fn parse(text: &str) -> Result<Self, InvalidIfMatch> {
        if text.trim_matches(BLANK) == "*" {
            return Ok(Self::Any);
        }
        tags(text).map(Self::Tags).ok_or(InvalidIfMatch)
    }

    /// Whether this version is one of them, whatever else of the thing was shown with it.
    pub fn matches(&self, tag: &ETag) -> bool {
        let version = tag.opaque();
        let is_of_it = |tag: &String| {
            tag.strip_prefix(&version).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(is_of_it),
        }
    }

    /// Whether a representation is one of them, byte for byte; `shown` is its tag with quotes.
    pub(crate) fn is_of(&self, shown: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| shown == format!("\"{tag}\"")),
        }
    }
}

/// What a client says of the thing that it edits (RFC 9110, sections 13.1.1 and 13.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// It still has to be this.
    pub if_match: Option<IfMatch>,
    /// It must not be this.
    pub if_none_match: Option<IfMatch>,
}

impl Preconditions {
    /// Whether only something new is to be put (`If-None-Match: *`): the decision knows whether
    /// there is something already.
    pub fn only_new(&self) -> bool {
        self.if_none_match == Some(IfMatch::Any)
    }

    /// Whether an edit of this version may go on, as far as the version says.
    pub(crate) fn hold(&self, tag: &ETag) -> bool {
        let excluded = self.if_none_match.as_ref().filter(|_| !self.only_new());
        self.if_match.as_ref().is_none_or(|it| it.matches(tag))
            && !excluded.is_some_and(|it| it.matches(tag))
    }
}

impl From<Option<IfMatch>> for Preconditions {
    fn from(if_match: Option<IfMatch>) -> Self {
        Self { if_match, if_none_match: None }
    }
}

/// What may stand around the elements of a list (RFC 9110, section 5.6.3).
const BLANK: [char; 2] = [' ', '\t'];

/// The tags of a list without their quotes. Empty elements are none (RFC 9110, section 5.6.1.2).
fn tags(text: &str) -> Option<Vec<String>> {
    let is_between = |c: char| c == ',' || BLANK.contains(&c);
    let mut tags = Vec::new();
    let mut rest = text.trim_start_matches(is_between);
    while !rest.is_empty() {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest);
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        let plain = |c: char| c > ' ' && c != '\u{7f}';
        let after = after.trim_start_matches(BLANK);
        if !tag.chars().all(plain) || !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        tags.push(tag.to_owned());
        rest = after.trim_start_matches(is_between);
    }
    (!tags.is_empty()).then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weakened_tag_still_matches() {
        let tag = ETag::new(3, "0a1b2c3d");

        for text in [r#""3-0a1b2c3d""#, r#"W/"3-0a1b2c3d""#, r#""1-x", "3-0a1b2c3d""#, "*"] {
            assert!(IfMatch::parse(text).unwrap().matches(&tag), "{text}");
        }
        assert_eq!(tag.to_string(), r#""3-0a1b2c3d""#);
    }

    #[test]
    fn a_version_matches_whatever_was_shown_with_it() {
        let tag = ETag::new(3, "0a1b2c3d");

        for text in [r#""3-0a1b2c3d-Xy_-1""#, r#"W/"3-0a1b2c3d-""#, r#", "a,b" ,, "3-0a1b2c3d","#] {
            assert!(IfMatch::parse(text).unwrap().matches(&tag), "{text}");
        }
        for text in [r#""13-0a1b2c3d-x""#, r#""3-0a1b2c3dx""#, r#""x-3-0a1b2c3d""#] {
            assert!(!IfMatch::parse(text).unwrap().matches(&tag), "{text}");
        }
    }

    #[test]
    fn another_version_or_another_birth_does_not_match() {
        let tag = ETag::new(3, "0a1b2c3d");

        for text in [r#""2-0a1b2c3d""#, r#""3-ffffffff""#, r#""""#] {
            assert!(!IfMatch::parse(text).unwrap().matches(&tag), "{text}");
        }
    }

    #[test]
    fn an_edit_goes_on_while_its_preconditions_hold() {
        let (tag, parse) = (ETag::new(3, "0a1b2c3d"), |text| Some(IfMatch::parse(text).unwrap()));
        let (this, other) = (r#""3-0a1b2c3d-x""#, r#""2-0a1b2c3d-x""#);

        for (if_match, if_none_match, holds) in [
            (None, None, true),
            (parse(this), parse(other), true),
            (parse(this), parse(this), false),
            (parse(other), None, false),
            (None, parse(this), false),
            (None, parse("*"), true),
        ] {
            let preconditions = Preconditions { if_match, if_none_match };
            assert_eq!(preconditions.hold(&tag), holds, "{preconditions:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for text in [
            "",
            ",",
            "3",
            "\"a",
            "\"a\" \"b\"",
            "\"a\"b",
            "w/\"a\"",
            "\"a b\"",
            "*, \"a\"",
            "\"a\", *",
        ] {
            assert_eq!(IfMatch::parse(text), Err(InvalidIfMatch), "{text}");
        }
    }
}
