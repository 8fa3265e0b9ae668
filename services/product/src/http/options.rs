//! The options that a variant is looked for by, as one query parameter.

use serde::Deserialize;

use crate::domain::{self, OptionName, OptionValue, add_option, option_key};

/// No parameter is longer, in characters.
const LONGEST: usize = 400;

/// Options and what a variant is of each: `colour:blue,size:M`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Options(domain::Options);

impl Options {
    /// The options as the catalogue is searched by them.
    pub(super) fn keys(&self) -> Vec<String> {
        self.0.iter().map(|(name, value)| option_key(name, value)).collect()
    }
}

impl TryFrom<String> for Options {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const RULE: &str = "options are name:value, parted by commas, each option once";
        if text.chars().count() > LONGEST {
            return Err("options are at most 400 characters");
        }
        let mut options = domain::Options::new();
        for pair in split(&text).filter(|pair| *pair != [""]) {
            let [name, value] = pair.try_into().map_err(|_| RULE)?;
            let name = OptionName::try_from(name).map_err(|_| RULE)?;
            let value = OptionValue::try_from(value).map_err(|_| RULE)?;
            if !add_option(&mut options, name, value) {
                return Err(RULE);
            }
        }
        Ok(Self(options))
    }
}

/// Parts by commas, and each part by colons; what a backslash precedes parts nothing.
fn split(text: &str) -> impl Iterator<Item = Vec<String>> {
    let mut pairs = vec![vec![String::new()]];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let pair = pairs.last_mut().expect("there is one from the beginning");
        match letter {
            ',' => pairs.push(vec![String::new()]),
            ':' => pair.push(String::new()),
            _ => {
                let letter = if letter == '\\' { letters.next() } else { Some(letter) };
                pair.last_mut().expect("a pair has a part").extend(letter);
            }
        }
    }
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Option<Vec<(String, String)>> {
        let Options(options) = Options::try_from(text.to_owned()).ok()?;
        Some(options.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    #[test]
    fn pairs_are_parted_by_commas_and_colons() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (text, expected) in [
            ("", Some(vec![])),
            ("size:M", Some(vec![pair("size", "M")])),
            (
                "size:M, colour:dark blue",
                Some(vec![pair("colour", "dark blue"), pair("size", "M")]),
            ),
            (r"a\:b:c\,d\\", Some(vec![pair("a:b", r"c,d\")])),
            ("size", None),
            ("size:", None),
            ("size:M:L", None),
            ("size:M,size:L", None),
            ("size:M,Size:L", None),
            ("café:a,cafe\u{301}:a", None),
        ] {
            assert_eq!(options(text), expected, "{text}");
        }
    }
}
