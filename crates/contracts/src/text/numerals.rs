//! Numbers within texts.

use deunicode::deunicode_char;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;

/// Spells the numbers of a text in ASCII, so that they can be looked for: digits of every script as
/// `0` to `9`, every dash as `-`, all white space as ` `, without characters that cannot be seen.
pub fn numerals(text: &str) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.nfkc().filter(|c| !ignorable.contains(*c)).map(numeral).collect()
}

fn numeral(c: char) -> char {
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        _ if c.is_ascii_graphic() => c,
        _ if c.is_whitespace() => ' ',
        GeneralCategory::DashPunctuation => '-',
        GeneralCategory::DecimalNumber => digit(c).unwrap_or(c),
        // The minus sign and the hyphen bullet are used as dashes.
        _ if matches!(c, '\u{2212}' | '\u{2043}' | '\u{2d7}') => '-',
        _ => c,
    }
}

fn digit(c: char) -> Option<char> {
    let mut spelled = deunicode_char(c)?.chars();
    spelled.next().filter(|c| c.is_ascii_digit() && spelled.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_read() {
        for digits in [
            "０１２３４５６７８９",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "০১২৩৪৫৬৭৮৯",
            "๐๑๒๓๔๕๖๗๘๙",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
            "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡",
            "0\u{200b}1\u{ad}23\u{2060}4567\u{feff}89",
            "⁰¹²³⁴⁵⁶⁷⁸⁹",
        ] {
            assert_eq!(numerals(digits), "0123456789", "{digits}");
        }
    }

    #[test]
    fn dashes_and_spaces_are_of_one_kind() {
        assert_eq!(numerals("1\u{2011}2\u{2014}3\u{ff0d}4\u{2212}5\u{301c}6"), "1-2-3-4-5-6");
        assert_eq!(numerals("1\u{a0}2\u{202f}3\u{3000}4\n5"), "1 2 3 4 5");
    }
}
