//! The words that a text is found by, folded.

use contracts::text::{fold, is_punctuation};

/// No word that is searched for counts beyond so many characters.
const LONGEST: usize = 40;

/// Splits what is searched for into folded words, each to be found at the start of one.
///
/// Punctuation that people write around words and between them is none of theirs: `(café), tray!`
/// is `café` and `tray`, while `c++` and `blue-green` stay whole. Signs alone are searched for only
/// where there is no word.
pub(crate) fn searched(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    let parts = folded.split(|c: char| c.is_whitespace() || parts_words(c));
    let mut words: Vec<&str> = parts.map(bare).filter(|word| is_worded(word)).collect();
    if words.is_empty() {
        words.extend(folded.split_whitespace());
    }
    words.into_iter().map(shortened).collect::<Vec<_>>().into_iter()
}

/// Whether words end before this and begin behind it: punctuation but what stands within words.
fn parts_words(c: char) -> bool {
    is_punctuation(c) && !"-'._#%&@*".contains(c)
}

/// A word without what stands around it. Signs behind it may belong to it, as in `c#` and `c++`.
fn bare(word: &str) -> &str {
    let word = word.trim_start_matches(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric());
    word.trim_end_matches(|c: char| is_punctuation(c) && !"#%".contains(c))
}

fn is_worded(word: &str) -> bool {
    word.contains(char::is_alphanumeric)
}

/// Adds the folded words of a text, each also from every later point at which a word starts:
/// `blue-green` is found by `green`, `za'atar` by `zaatar`.
pub(super) fn words_of(text: &str, mut add: impl FnMut(String)) {
    for word in fold(text).split_whitespace() {
        add(shortened(word));
        if word.contains('\'') {
            add(shortened(&word.replace('\'', "")));
        }
        let mut before = ' ';
        for (at, letter) in word.char_indices() {
            let begins = letter.is_alphanumeric() != before.is_alphanumeric() || is_word(letter);
            let starts = begins && (letter.is_alphanumeric() || letter == '\'');
            if starts && at > 0 {
                add(shortened(&word[at..]));
            }
            before = letter;
        }
    }
}

/// Adds the parts of folded words that begin within them, so that `tasse` finds `Kaffeetasse`.
pub(super) fn endings_of(text: &str, mut add: impl FnMut(String)) {
    for word in fold(text).split(|c: char| !c.is_alphanumeric()) {
        let starts: Vec<usize> = word.char_indices().map(|(at, _)| at).collect();
        // The last letter alone is not worth a place.
        for at in starts.iter().take(starts.len().saturating_sub(1)) {
            add(shortened(&word[*at..]));
        }
    }
}

fn shortened(word: &str) -> String {
    word.chars().take(LONGEST).collect()
}

/// A letter of a script that does not part words by spaces.
const fn is_word(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_start_after_punctuation() {
        let mut words = Vec::new();
        words_of("Blue-green (2nd) Za’atar", |word| words.push(word));

        for word in ["blue-green", "green", "(2nd)", "2nd)", "za'atar", "zaatar"] {
            assert!(words.iter().any(|found| found == word), "{word}: {words:?}");
        }
    }

    #[test]
    fn punctuation_around_words_is_not_searched_for() {
        for (text, words) in [
            ("tray, hammered", vec!["tray", "hammered"]),
            ("hammered tray!", vec!["hammered", "tray"]),
            ("\"hammered tray\"", vec!["hammered", "tray"]),
            ("«Hammered»„tray“", vec!["hammered", "tray"]),
            ("tray,hammered;café/crème", vec!["tray", "hammered", "cafe", "creme"]),
            ("café. (café) -café ¡café! ¿café?", vec!["cafe"; 5]),
            ("café & crème – no. 5", vec!["cafe", "creme", "no", "5"]),
            ("「茶」、", vec!["茶"]),
            ("C++ c# 50% AT&T", vec!["c++", "c#", "50%", "at&t"]),
            (
                "C++, O´Neill's blue-green t.shirt",
                vec!["c++", "o'neill's", "blue-green", "t.shirt"],
            ),
            ("3\"", vec!["3"]),
            ("'", vec!["'"]),
            ("& 🍵", vec!["&", "🍵"]),
            ("🍵 tea", vec!["tea"]),
            ("...", vec!["..."]),
        ] {
            assert_eq!(searched(text).collect::<Vec<_>>(), words, "{text}");
        }
    }

    #[test]
    fn endings_leave_single_letters_out() {
        let mut endings = Vec::new();
        endings_of("Ähre 7", |ending| endings.push(ending));

        assert_eq!(endings, ["ahre", "hre", "re"]);
    }
}
