//! Long numbers that are no card numbers.

use std::ops::RangeInclusive;

use contracts::Country;

use super::passes_luhn;
use super::search::Run;

/// No telephone number has more digits (ITU-T E.164), and behind a label no more than those that are
/// dialled somewhere.
const PHONE: usize = 15;
const LABELLED_PHONE: usize = 14;
const PHONES: [&str; 18] = [
    "tel",
    "telefon",
    "telephone",
    "téléphone",
    "telefono",
    "teléfono",
    "telefone",
    "phone",
    "fon",
    "fax",
    "mobil",
    "mobile",
    "móvil",
    "cell",
    "handy",
    "gsm",
    "whatsapp",
    "☎",
];
const ARTICLES: [&str; 7] = ["ean", "gtin", "upc", "isbn", "issn", "ismn", "sscc"];
const DEVICES: [&str; 2] = ["imei", "imeisv"];
/// How many letters and digits an IBAN has (ISO 13616-1).
const IBAN: RangeInclusive<usize> = 15..=34;

/// Whether a run of digits is written as the number of something else than a card.
pub(super) fn is_other(text: &str, run: &Run<'_>) -> bool {
    let (before, digits) = (text[..run.start].trim_end_matches(['(', ' ']), run.digits());
    let label = label(before);
    let is = |labels: &[&str]| labels.contains(&label.as_str());
    before.ends_with('+') && digits.len() <= PHONE
        || is_dialled_abroad(run, &digits)
        || is(&PHONES) && digits.len() <= LABELLED_PHONE
        || is(&ARTICLES) && passes_gtin(&digits)
        || is(&DEVICES) && (digits.len() == 16 || passes_luhn(&digits) && digits.len() == 15)
        || is_iban(text, run.start)
}

/// Whether these digits are an article number or the ISBN of a book by their own check (GS1 General
/// Specifications, section 7.9). Cards with 13 digits are not issued any more.
pub(super) fn is_article(digits: &str) -> bool {
    digits.len() == 13 && passes_gtin(digits)
}

/// The check digit of GS1: weights 3 and 1 by turns, from the right.
fn passes_gtin(digits: &str) -> bool {
    let worth = |(place, digit): (usize, u8)| u32::from(digit - b'0') * [1, 3][place % 2];
    let sum: u32 = digits.bytes().rev().enumerate().map(worth).sum();
    matches!(digits.len(), 8 | 12 | 13 | 14 | 18) && sum.is_multiple_of(10)
}

/// A number with the international prefix 00, such as `0049 171 234567`; where the prefix stands
/// alone, as in `00 49 171 234567`, of the digits that are dialled somewhere.
fn is_dialled_abroad(run: &Run<'_>, digits: &str) -> bool {
    let alone = run.groups.first().is_some_and(|group| group.len() == 2);
    let most = 2 + if alone { LABELLED_PHONE } else { PHONE };
    digits.starts_with("00") && digits.len() <= most
}

/// The last word before a number, in small letters.
fn label(before: &str) -> String {
    let before = before.trim_end_matches([' ', ':', '.', '#', '=', '-', '\u{fe0f}']);
    let is_of_word = |c: char| c.is_alphabetic() || c == '☎';
    let word: Vec<char> = before.chars().rev().take_while(|c| is_of_word(*c)).collect();
    word.into_iter().rev().flat_map(char::to_lowercase).collect()
}

/// Whether an IBAN begins with the two letters before these digits: of a country, in whole groups and
/// with a valid check (ISO 7064, MOD 97-10).
fn is_iban(text: &str, start: usize) -> bool {
    let Some(letters) = start.checked_sub(2).and_then(|at| text.get(at..start)) else {
        return false;
    };
    if letters.parse::<Country>().is_err() {
        return false;
    }
    let mut code: Vec<char> = letters.chars().collect();
    let mut rest = text[start..].chars().peekable();
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-')) {
        code.extend(Some(c).filter(char::is_ascii_alphanumeric));
        let ends = rest.peek().is_none_or(|next| !next.is_ascii_alphanumeric());
        if ends && IBAN.contains(&code.len()) && passes_mod_97(&code) {
            return true;
        }
        if code.len() > *IBAN.end() {
            break;
        }
    }
    false
}

fn passes_mod_97(code: &[char]) -> bool {
    let (front, rest) = code.split_at(4);
    let values = rest.iter().chain(front).filter_map(|c| c.to_digit(36));
    let remainder = values.fold(0, |sum, value| match value {
        0..=9 => (sum * 10 + value) % 97,
        _ => (sum * 100 + value) % 97,
    });
    remainder == 1
}
