//! The words that a text is found by, folded.

use contracts::text::fold;

/// No word that is searched for counts beyond so many characters.
const LONGEST: usize = 40;

/// Splits what is searched for into folded words, each to be found at the start of one.
pub(crate) fn searched(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    let words: Vec<String> = folded.split_whitespace().map(shortened).collect();
    words.into_iter()
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
    fn endings_leave_single_letters_out() {
        let mut endings = Vec::new();
        endings_of("Ähre 7", |ending| endings.push(ending));

        assert_eq!(endings, ["ahre", "hre", "re"]);
    }
}
