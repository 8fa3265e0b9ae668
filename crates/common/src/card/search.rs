//! Card numbers within texts.

use contracts::text::numerals;

use super::exempt::{is_article, is_other};
use super::is_card;

/// No card number has fewer or more digits.
const SHORTEST: usize = 13;
const LONGEST: usize = 19;
/// People write a card number in no more groups, unless it is digit by digit.
const GROUPS: usize = 6;

/// Whether a payment card number stands in a text: in digits of any script, in one piece or in
/// groups with spaces, dashes, dots or slashes between them, also right behind a word.
///
/// Numbers that are valid by their own check or written as something else are none: those of
/// articles and books, of accounts (IBAN), of devices, telephone numbers, and digits within an id.
pub fn bears_card(text: &str) -> bool {
    let text = numerals(text);
    runs(&text).any(|run| !is_other(&text, &run) && run.has_card())
}

/// Groups of digits that may be written of one number.
pub(super) struct Run<'a> {
    /// Where it begins in the text.
    pub(super) start: usize,
    pub(super) groups: Vec<&'a str>,
}

impl Run<'_> {
    pub(super) fn digits(&self) -> String {
        self.groups.concat()
    }

    fn has_card(&self) -> bool {
        (0..self.groups.len()).any(|first| begins_with_card(&self.groups[first..]))
    }
}

fn begins_with_card(groups: &[&str]) -> bool {
    let mut digits = String::new();
    let single = groups.iter().take(LONGEST).take_while(|group| group.len() == 1).count();
    for group in groups.iter().take(single.max(GROUPS)) {
        digits.push_str(group);
        if digits.len() > LONGEST {
            return false;
        }
        if digits.len() >= SHORTEST && is_card(&digits) && !is_article(&digits) {
            return true;
        }
    }
    false
}

/// The runs of a text in the order in which they stand there.
fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let (mut rest, mut word) = (0, Word::default());
    std::iter::from_fn(move || {
        let mut run: Option<Run<'_>> = None;
        while let Some((start, end)) = next_group(text, rest) {
            if run.is_some() && !text[rest..start].chars().all(is_joint) {
                break;
            }
            rest = end;
            if start >= word.end {
                word = Word::around(text, start, end);
            }
            match (word.is_id, run.is_some()) {
                (true, true) => break,
                (true, false) => {}
                (false, _) => {
                    let run = run.get_or_insert(Run { start, groups: Vec::new() });
                    run.groups.push(&text[start..end]);
                }
            }
        }
        run
    })
}

/// The bounds of the next digits from here.
fn next_group(text: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + text[from..].find(|c: char| c.is_ascii_digit())?;
    let length = text[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - start);
    Some((start, start + length))
}

/// Whether people write it between the digits of one number, in the spelling of [`numerals`].
fn is_joint(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '\u{b7}' | '\u{2022}' | '\u{2027}')
}

/// The letters `a` to `z`, digits and underscores around digits, without a gap.
#[derive(Default)]
struct Word {
    end: usize,
    /// Whether it is an id or code: letters and digits by turns, with an underscore or one letter.
    /// Digits right behind or before a word are not.
    is_id: bool,
}

impl Word {
    fn around(text: &str, start: usize, end: usize) -> Self {
        let is_of_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let before = text[..start].bytes().rev().take_while(|b| is_of_word(*b)).count();
        let after = text[end..].bytes().take_while(|b| is_of_word(*b)).count();
        let around = [&text[start - before..start], &text[end..end + after]].concat();
        let is_id = around.len() == 1 || around.bytes().any(|b| !b.is_ascii_alphabetic());
        Self { end: end + after, is_id }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Published test numbers of every scheme.
    const CARDS: [&str; 37] = [
        "4242424242424242",
        "4111111111111111",
        "4012888888881881",
        "4000056655665556",
        "4222222222222",
        "4917610000000000003",
        "5555555555554444",
        "5105105105105100",
        "5200828282828210",
        "2223003122003222",
        "2223000048410010",
        "2720990000000007",
        "378282246310005",
        "371449635398431",
        "378734493671000",
        "341111111111111",
        "6011111111111117",
        "6011000990139424",
        "6011981111111113",
        "6445644564456445",
        "6510000000000034",
        "30569309025904",
        "38520000023237",
        "36227206271667",
        "3056930009020004",
        "3530111333300000",
        "3566002020360505",
        "6200000000000005",
        "6205500000000000004",
        "6250941006528599",
        "6759649826438453",
        "6304000000000000",
        "5000550000000029",
        "2200000000000004",
        "2201382000000013",
        "5019717010103742",
        "9792030394440796",
    ];

    /// A number in groups, the last of which takes the rest.
    fn grouped(number: &str, sizes: &[usize], joint: &str) -> String {
        let (mut rest, mut groups) = (number, Vec::new());
        for size in sizes.iter().copied().chain([usize::MAX]) {
            let (group, more) = rest.split_at(size.min(rest.len()));
            groups.push(group);
            rest = more;
        }
        groups.retain(|group| !group.is_empty());
        groups.join(joint)
    }

    #[test]
    fn cards_of_every_scheme_are_seen() {
        for card in CARDS {
            assert!(bears_card(card), "{card}");
            for joint in
                [" ", "-", ".", "/", "  ", " - ", "\u{a0}", "\u{2011}", "\u{3000}", "\u{200b}"]
            {
                for sizes in [&[4, 4, 4, 4][..], &[4, 6], &[1; 18]] {
                    let text = grouped(card, sizes, joint);
                    assert!(bears_card(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn cards_are_seen_next_to_text() {
        for card in CARDS {
            for text in [
                format!("My card is {card}."),
                format!("card:{card},exp 12/29"),
                format!("Visa{card}"),
                format!("({card})"),
                format!("卡号{card}号"),
                format!("card №{card}"),
                format!("12 {card}"),
                format!("#{card}!"),
                format!("card {card}thanks"),
                format!("ISBN 978-3-16-148410-0, card {card}"),
                format!("Tel. 0049 171 2345678; {card}"),
                format!("{card}\ncall +49 171 2345678"),
            ] {
                assert!(bears_card(&text), "{text}");
            }
        }
    }

    #[test]
    fn cards_are_seen_in_any_script() {
        for text in [
            "４２４２４２４２４２４２４２４２",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
            "४२४२ ४२४२ ४२४२ ४२४२",
            "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
            "4242\u{200b}4242\n4242\t4242",
            "42\u{ad}42424242424242",
        ] {
            assert!(bears_card(text), "{text}");
        }
    }

    #[test]
    fn ordinary_numbers_are_left_alone() {
        for text in [
            "4242424242424241",
            "42424242424242424242424242",
            "ISBN 978-3-16-148002-7",
            "978-3-16-148410-0 979-8-88645-174-0",
            "Tel. 0049 171 23456700",
            "+49 171 23456700",
            "+49 (0)171 23456700",
            "Tel.: 4917123456700",
            "Phone 4222222222222",
            "☎ 4222 222 222 222",
            "IMEI 490154203237518",
            "35-209900-176148-1",
            "IMEISV 3530111333300000",
            "EAN 4006381333931",
            "4006381333931",
            "IBAN FR76 3000 6000 0112 3456 7890 189",
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "sizes 36 38 40 42 44 46 48 50 52",
            "2026-01-31T12:00:00.000Z",
            "ord_4242424242424242a4242424242424242",
            "x4242424242424242",
            "pm_4242424242424242",
            "550e8400-e29b-41d4-a716-446655440000",
            "00 49 171 2345 6700",
        ] {
            assert!(!bears_card(text), "{text}");
        }
    }

    #[test]
    fn long_texts_are_searched_in_linear_time() {
        for part in ["1a", "1 ", "4 4 ", "DE1 ", "4241 ", "4", "tel", "1(", "_1", "00 ", "+1"] {
            assert!(!bears_card(&part.repeat((1 << 17) / part.len())), "{part}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", digits in "[0-9a-zé+ _.-]{0,60}") {
            let _ = (bears_card(&text), bears_card(&digits));
        }

        #[test]
        fn an_id_is_no_card_number(id: u128) {
            let text = format!("ord_{id:032x}");

            prop_assert!(!bears_card(&text));
        }

        #[test]
        fn books_are_no_card_numbers(digits in "97[89][0-9]{9}", joint in "[ -]?") {
            let check = (0..10).map(|it| format!("{digits}{it}")).find(|it| is_article(it)).unwrap();
            for sizes in [&[3, 1, 2, 6][..], &[3, 2, 3, 4], &[3, 10]] {
                let book = grouped(&check, sizes, &joint);
                prop_assert!(!bears_card(&book), "{}", book);
            }
        }

        #[test]
        fn phones_are_no_card_numbers(number in "[1-9][0-9]{0,2} [1-9][0-9]{1,3} [0-9]{5,8}") {
            for prefix in ["+", "00"] {
                let phone = [prefix, &number].concat();
                prop_assert!(!bears_card(&phone), "{}", phone);
            }
        }
    }
}
