//! Long numbers that are no card numbers.

use std::ops::RangeInclusive;

use contracts::Country;

use super::is_card;
use super::search::{Group, Run};

/// No telephone number has more digits (ITU-T E.164), and behind a label no more than those that are
/// dialled somewhere.
const PHONE: usize = 15;
const LABELLED_PHONE: usize = 14;
/// No country code has more digits.
const COUNTRY_CODE: usize = 3;
/// How words begin or end that name a telephone number.
const PHONES: [&str; 14] = [
    "tel", "tlf", "phone", "fon", "fono", "fax", "mobil", "móvil", "mob", "handy", "cell", "тел",
    "電話", "电话",
];
const OTHER_PHONES: [&str; 5] = ["rufnummer", "gsm", "whatsapp", "teléfono", "☎"];
const ARTICLES: [&str; 7] = ["ean", "gtin", "upc", "isbn", "issn", "ismn", "sscc"];
const DEVICES: [&str; 2] = ["imei", "imeisv"];
/// The bodies that report devices (GSMA TS.06) by whose numbers an IMEISV and a card of as many
/// digits begin alike; none of the present bodies has a number from 40 to 59.
const BODIES: [&str; 2] = ["35", "86"];
const IMEISV: usize = 16;
/// How many letters and digits an IBAN has (ISO 13616-1).
const IBAN: RangeInclusive<usize> = 15..=34;
/// A label is one of so many words before a number, and not further from it.
const WORDS: usize = 3;
const REACH: usize = 40;
/// The number of an article is written in no more groups.
const GROUPS: usize = 6;

/// Whether a run of digits is written as the number of something else than a card.
pub(super) fn is_other(text: &str, run: &Run<'_>) -> bool {
    let (before, digits) = (text[..run.start()].trim_end_matches(['(', ' ']), run.digits());
    let labels = labels(before);
    let is_device = labels.iter().any(|label| DEVICES.contains(&label.as_str()));
    is_dialled(before, run)
        || digits.len() <= LABELLED_PHONE
            && labels.iter().any(|label| is_phone(label))
            && !(digits.len() == LABELLED_PHONE && is_card(&digits))
        || is_device && digits.len() == IMEISV && BODIES.iter().any(|body| digits.starts_with(body))
}

/// The parts of a run between the numbers of articles, books and accounts in it: only these can have
/// the number of a card.
pub(super) fn parts<'r, 'a>(text: &str, run: &'r Run<'a>) -> Vec<&'r [Group<'a>]> {
    let labels = labels(&text[..run.start()]);
    let is_labelled = labels.iter().any(|label| ARTICLES.contains(&label.as_str()));
    let (groups, mut parts) = (&run.groups[..], Vec::new());
    let (mut from, mut at) = (0, iban(text, run));
    if at > 0 {
        from = at;
    }
    while at < groups.len() {
        let length = article(&groups[at..], is_labelled && from == at);
        if length > 0 {
            parts.push(&groups[from..at]);
            from = at + length;
        }
        at += length.max(1);
    }
    parts.push(&groups[from..]);
    parts
}

/// How many of these groups, from the first, are the number of an article or a book by its own check
/// (GS1 General Specifications, section 7.9); without a label only in 13 digits that are written as
/// such a number is. Cards with 13 digits are not issued any more.
fn article(groups: &[Group<'_>], is_labelled: bool) -> usize {
    let mut digits = String::new();
    for (at, group) in groups.iter().take(GROUPS).enumerate() {
        digits.push_str(group.digits);
        let is_book = digits.starts_with("978") || digits.starts_with("979");
        let is_grouped = at == 2 && groups[0].digits.len() == 1 && group.digits.len() == 6;
        let is_written = at == 0 || is_book || is_grouped;
        if digits.len() == 13 && is_written && passes_gtin(&digits)
            || is_labelled && (passes_gtin(&digits) || passes_isbn_10(&digits))
        {
            return at + 1;
        }
    }
    0
}

/// The check digit of GS1: weights 3 and 1 by turns, from the right.
pub(super) fn passes_gtin(digits: &str) -> bool {
    let worth = |(place, digit): (usize, u8)| u32::from(digit - b'0') * [1, 3][place % 2];
    let sum: u32 = digits.bytes().rev().enumerate().map(worth).sum();
    matches!(digits.len(), 8 | 12 | 13 | 14 | 18) && sum.is_multiple_of(10)
}

/// The check of books before 2007 (ISO 2108:1992): weights from 1 at the right.
fn passes_isbn_10(digits: &str) -> bool {
    let worth = |(weight, digit): (u32, u8)| u32::from(digit - b'0') * weight;
    let sum: u32 = (1..).zip(digits.bytes().rev()).map(worth).sum();
    digits.len() == 10 && sum.is_multiple_of(11)
}

/// A number with the international prefix + or 00 and the code of a country as a group of its own,
/// such as `+49 171 234567`. Where all is in one piece, no country has numbers as long as a card's.
fn is_dialled(before: &str, run: &Run<'_>) -> bool {
    let mut groups = run.groups.iter().map(|group| group.digits);
    let Some(first) = groups.next() else { return false };
    let code = match first.strip_prefix("00") {
        Some("") => groups.next().unwrap_or_default(),
        Some(code) => code,
        None if before.ends_with('+') => first,
        None => return false,
    };
    let rest: usize = groups.map(str::len).sum();
    (1..=COUNTRY_CODE).contains(&code.len()) && rest > 0 && code.len() + rest <= PHONE
}

fn is_phone(word: &str) -> bool {
    PHONES.iter().any(|it| word.starts_with(it) || word.ends_with(it))
        || OTHER_PHONES.contains(&word)
}

/// The last words before a number, in small letters, up to another number.
fn labels(before: &str) -> Vec<String> {
    let is_of_word = |c: char| c.is_alphabetic() || c == '☎';
    let near: Vec<char> =
        before.chars().rev().take(REACH).take_while(|c| !c.is_numeric()).collect();
    let words = near.split(|c| !is_of_word(*c)).filter(|word| !word.is_empty()).take(WORDS);
    words.map(|word| word.iter().rev().flat_map(|c| c.to_lowercase()).collect()).collect()
}

/// How many groups of a run belong to an IBAN that begins with the two letters before them: of a
/// country, in whole groups and with a valid check (ISO 7064, MOD 97-10).
fn iban(text: &str, run: &Run<'_>) -> usize {
    let start = run.start();
    let Some(letters) = start.checked_sub(2).and_then(|at| text.get(at..start)) else {
        return 0;
    };
    if letters.parse::<Country>().is_err() {
        return 0;
    }
    let mut code: Vec<char> = letters.chars().collect();
    let mut rest = text[start..].char_indices().peekable();
    while let Some((at, c)) =
        rest.next_if(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'))
    {
        code.extend(Some(c).filter(char::is_ascii_alphanumeric));
        let ends = rest.peek().is_none_or(|(_, next)| !next.is_ascii_alphanumeric());
        if ends && IBAN.contains(&code.len()) && passes_mod_97(&code) {
            return run.groups.iter().filter(|group| group.start <= start + at).count();
        }
        if code.len() > *IBAN.end() {
            break;
        }
    }
    0
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
