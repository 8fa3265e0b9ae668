//! The form in which texts are compared.

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use super::letters::{plain_quote, spelled};

/// Folds a text for searches: texts that a reader takes for the same have one folded form.
///
/// Case, accents, ligatures, width (UAX #15, form KD), the shape of apostrophes, quotation marks and
/// hyphens, invisible characters and the kind of white space make no difference: `Café`, `cafe` and
/// `CAFÉ` are `cafe`, `Łódź` is `lodz`, `Straße` is `strasse`, `Za’atar` is `za'atar`. Marks that
/// make another letter, as in Devanagari, Thai or Japanese, stay. The result is in form C.
pub fn fold(text: &str) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    // Form KD makes a space with an accent of some of the signs that stand for apostrophes.
    let plain = text.nfc().map(plain_quote);
    let bare = plain.nfkd().map(plain_quote).filter(|c| !ignorable.contains(*c) && !is_accent(*c));
    let mut folded = String::with_capacity(text.len());
    for c in bare.flat_map(char::to_lowercase).filter(|c| !is_accent(*c)) {
        push(&mut folded, c);
    }
    folded.trim().nfc().collect()
}

/// Whether a character is punctuation of any script (UAX #44, general category P).
pub fn is_punctuation(c: char) -> bool {
    GeneralCategoryGroup::Punctuation.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

fn push(folded: &mut String, c: char) {
    match c {
        _ if c.is_ascii() && !c.is_whitespace() => folded.push(c),
        _ if c.is_whitespace() => {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
        'ς' => folded.push('σ'),
        _ if CodePointMapData::<Script>::new().get(c) == Script::Latin => match spelled(c) {
            Some(ascii) if ascii.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                folded.push_str(&ascii.to_ascii_lowercase());
            }
            Some(_) | None => folded.push(c),
        },
        _ => folded.push(c),
    }
}

/// A mark over, under or through a letter that searches ignore: those of Latin, Greek, Cyrillic,
/// Hebrew and Arabic by their combining class (UAX #44, table 15).
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=36 | 200..) || c == '\u{338}'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_reads_alike_is_found_alike() {
        for (texts, folded) in [
            (vec!["Café", "CAFE\u{301}", "cafe", "Ｃａｆé", "ca\u{ad}fe\u{200b}"], "cafe"),
            (vec!["Za’atar", "za'atar", "ZAʼATAR", "Za‘atar"], "za'atar"),
            (vec!["O´Neill", "o'neill", "O`Neill", "O′Neill", "O\u{1ffd}Neill"], "o'neill"),
            (vec!["3″", "3\"", "3\u{201d}", "3\u{2ba}"], "3\""),
            (vec!["Gəncə", "GƏNCƏ", "Gǝncǝ", "gence"], "gence"),
            (vec!["Straße", "STRASSE", "STRAẞE", "strasse"], "strasse"),
            (vec!["İstanbul", "ISTANBUL", "ıstanbul", "istanbul"], "istanbul"),
            (vec!["ﬁne", "Fine"], "fine"),
            (vec!["Łódź", "lodz"], "lodz"),
            (vec!["Smørrebrød", "smorrebrod"], "smorrebrod"),
            (vec!["Đakovo", "dakovo"], "dakovo"),
            (vec!["ΟΔΟΣ", "οδός", "οδοσ"], "οδοσ"),
            (vec!["T\u{2011}Shirt", "t-shirt", "T–Shirt"], "t-shirt"),
            (vec!["5\u{a0}kg", " 5  KG "], "5 kg"),
            (vec!["ЁЛКА", "елка"], "елка"),
            (vec!["カメラ", "ｶﾒﾗ"], "カメラ"),
        ] {
            for text in texts {
                assert_eq!(fold(text), folded, "{text}");
            }
        }
    }

    #[test]
    fn other_letters_stay_apart() {
        for (one, other) in [("が", "か"), ("कि", "कु"), ("ก้า", "กา"), ("한", "하"), ("a", "b")]
        {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in ".{0,40}") {
            let folded = fold(&text);

            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn composed_and_decomposed_fold_alike(text in ".{0,40}") {
            prop_assert_eq!(fold(&text.nfd().collect::<String>()), fold(&text.nfc().collect::<String>()));
        }
    }
}
