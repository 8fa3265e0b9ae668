//! Letters and apostrophes, however they are written.

use deunicode::deunicode_char;

/// A small letter, spelled in ASCII where that is possible: by the tables of the `deunicode` crate,
/// but for those to which these give a sign that looks alike.
pub(super) fn spelled(c: char) -> Option<&'static str> {
    match c {
        // Azerbaijani, and the turned e that is typed for it.
        'ə' | 'ǝ' | 'ᵊ' | 'ₔ' => Some("e"),
        'ɚ' => Some("er"),
        // Kazakh and Tatar; the last letter of many Arabic and Urdu words.
        'ә' | 'ӛ' | 'ʌ' | 'ة' | 'ۃ' => Some("a"),
        _ => deunicode_char(c),
    }
}

/// An apostrophe or a quotation mark for all the signs that people type as one, many of which have
/// another sense in Unicode; other characters stay.
pub(super) const fn plain_quote(c: char) -> char {
    match c {
        '`'
        | '\u{b4}'
        | '\u{2b9}'
        | '\u{2bb}'..='\u{2bd}'
        | '\u{2c8}'
        | '\u{2ca}'
        | '\u{2cb}'
        | '\u{2018}'..='\u{201b}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{374}'
        | '\u{384}'
        | '\u{1fbd}'
        | '\u{1fbf}'
        | '\u{1ffe}'
        | '\u{a78c}'
        | '\u{ff07}'
        | '\u{ff40}' => '\'',
        '\u{ab}'
        | '\u{bb}'
        | '\u{2ba}'
        | '\u{2dd}'
        | '\u{2ee}'
        | '\u{201c}'..='\u{201f}'
        | '\u{2033}'
        | '\u{2036}'
        | '\u{3003}'
        | '\u{ff02}' => '"',
        _ => c,
    }
}
