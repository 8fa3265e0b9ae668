//! Versions as HTTP sees them: `ETag` and `If-Match` (RFC 9110, section 8.8.3 and 13.1.1).

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

/// A text that is not an `If-Match` value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("If-Match is * or a list of quoted entity tags")]
pub struct InvalidIfMatch;

impl IfMatch {
    /// Reads the value of an `If-Match` header. A weak tag counts as strong: proxies weaken ours.
    pub fn parse(text: &str) -> Result<Self, InvalidIfMatch> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let tags = text.split(',').map(|part| tag(part.trim()));
        tags.collect::<Option<Vec<_>>>().map(Self::Tags).ok_or(InvalidIfMatch)
    }

    /// Whether this version is one of them.
    pub fn matches(&self, tag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&tag.opaque()),
        }
    }
}

fn tag(text: &str) -> Option<String> {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let plain = inner.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    plain.then(|| inner.to_owned())
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
    fn another_version_or_another_birth_does_not_match() {
        let tag = ETag::new(3, "0a1b2c3d");

        for text in [r#""2-0a1b2c3d""#, r#""3-ffffffff""#, r#""""#] {
            assert!(!IfMatch::parse(text).unwrap().matches(&tag), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for text in ["", "3", "\"a", "\"a\" \"b\"", "\"a\",", "\"a b\""] {
            assert_eq!(IfMatch::parse(text), Err(InvalidIfMatch), "{text}");
        }
    }
}
