//! Texts as parts of URLs.

use unicode_normalization::UnicodeNormalization as _;

use super::letters;

/// Spells a text in words of `a-z` and `0-9` with single hyphens between them, as many whole words
/// as fit into `most` bytes, and a part of the first one if even that does not fit; nothing when no letter or digit has a spelling in ASCII.
///
/// Letters of every script are transliterated (the tables of the `deunicode` crate), and German,
/// Danish and Norwegian ones as their readers do it: `Äpfel` is `aepfel`.
pub fn slug(text: &str, most: usize) -> Option<String> {
    let mut slug = String::new();
    // Form KC takes ligatures apart, and composed letters meet the national spellings.
    let text = text.nfc().map(letters::plain_quote);
    let text: String = text.nfkc().flat_map(char::to_lowercase).nfc().collect();
    let spelled: String = text.chars().map(spelled).collect();
    for word in spelled.split(' ').filter(|word| !word.is_empty()) {
        let hyphen = usize::from(!slug.is_empty());
        if hyphen == 1 && slug.len() + hyphen + word.len() > most {
            break;
        }
        slug.extend(std::iter::repeat_n('-', hyphen));
        slug.extend(word.chars().take(most));
    }
    (!slug.is_empty()).then_some(slug)
}

/// A character in `a-z`, `0-9` and, between words, a space.
fn spelled(c: char) -> String {
    let ascii = match c {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' | 'œ' => "oe",
        'ü' => "ue",
        // Apostrophes are part of a word: za'atar.
        '\'' => "",
        _ if c.is_alphanumeric() => letters::spelled(c).unwrap_or(" "),
        _ if is_joined(c) => "",
        _ => " ",
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    ascii.chars().filter(|c| !matches!(c, '\'' | '`' | '@')).map(plain).collect()
}

/// Combining marks, joiners and soft hyphens stand within a word.
fn is_joined(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_lose_no_letters() {
        for (text, spelled) in [
            ("Třešeň", "tresen"),
            ("Đakovo", "dakovo"),
            ("đak Ŋ Þór ħal", "dak-ng-thor-hal"),
            ("ﬁne ﬀ", "fine-ff"),
            ("İstanbul", "istanbul"),
            ("Diyarbakır", "diyarbakir"),
            ("Bru\u{302}le\u{301}e", "brulee"),
            ("A\u{308}pfel", "aepfel"),
            ("  Süße Äpfel -- 5 kg! ", "suesse-aepfel-5-kg"),
            ("GROẞE Straße", "grosse-strasse"),
            ("Za’atar d'Or", "zaatar-dor"),
            ("Ţară Șosea Őr Űr", "tara-sosea-or-ur"),
            ("Phở Việt", "pho-viet"),
            ("Кружка", "kruzhka"),
            ("Ελλάδα", "ellada"),
            ("كسكس", "ksks"),
            ("ca\u{ad}fe\u{200b}", "cafe"),
            ("Ａ４", "a4"),
            ("Gəncə ƏLI", "gence-eli"),
            ("Әлем", "alem"),
            ("O´Neill O`Neill 3″", "oneill-oneill-3"),
            ("AC/DC №5", "ac-dc-no5"),
        ] {
            assert_eq!(slug(text, 64).as_deref(), Some(spelled), "{text}");
        }
        assert_eq!(slug("!? -", 64), None);
    }

    #[test]
    fn only_whole_words_are_kept() {
        assert_eq!(slug("one two three", 8).as_deref(), Some("one-two"));
        assert_eq!(slug("three", 4).as_deref(), Some("thre"));
    }

    proptest! {
        #[test]
        fn a_slug_is_words_and_hyphens(text in ".{0,60}") {
            if let Some(slug) = slug(&text, 64) {
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                prop_assert!(slug.len() <= 64);
                prop_assert!(slug.split('-').all(|word| !word.is_empty() && word.bytes().all(plain)));
            }
        }
    }
}
