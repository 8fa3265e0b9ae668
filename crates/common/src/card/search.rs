//! Card numbers within texts.

use contracts::text::numerals;

use super::exempt::{is_other, parts};
use super::is_card;

/// No card number has fewer or more digits.
const SHORTEST: usize = 13;
const LONGEST: usize = 19;
/// People write a card number in no more groups, unless these have one or two digits each.
const GROUPS: usize = 6;
/// So many characters part the groups of one number, beside spaces, dashes, dots and slashes.
const GAP: usize = 3;
/// How spaces are written in addresses and pages.
const SPACES: [&str; 3] = ["%20", "&nbsp;", "&#160;"];

/// Whether a payment card number stands in a text: in digits of any script, in one piece or in
/// groups with spaces, dashes, dots, slashes or other punctuation between them, also right behind a
/// word.
///
/// Numbers that are valid by their own check or written as something else are none: those of
/// articles and books, of accounts (IBAN), of devices, telephone numbers, and digits within an id.
pub fn bears_card(text: &str) -> bool {
    let text = numerals(&spaced(text));
    runs(&text).any(|run| !is_other(&text, &run) && parts(&text, &run).into_iter().any(has_card))
}

fn spaced(text: &str) -> String {
    SPACES.iter().fold(text.to_owned(), |text, space| text.replace(space, " "))
}

/// Groups of digits that may be written of one number.
pub(super) struct Run<'a> {
    pub(super) groups: Vec<Group<'a>>,
}

/// Digits without a gap.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    /// Where it begins in the text.
    pub(super) start: usize,
    pub(super) digits: &'a str,
    /// Whether other punctuation than a number has parts it from the group before.
    is_listed: bool,
}

impl Run<'_> {
    /// Where it begins in the text.
    pub(super) fn start(&self) -> usize {
        self.groups.first().map_or(0, |group| group.start)
    }

    pub(super) fn digits(&self) -> String {
        joined(&self.groups)
    }
}

fn joined(groups: &[Group<'_>]) -> String {
    groups.iter().map(|group| group.digits).collect()
}

fn has_card(groups: &[Group<'_>]) -> bool {
    is_card_in_pairs(groups) || (0..groups.len()).any(|first| begins_with_card(&groups[first..]))
}

fn begins_with_card(groups: &[Group<'_>]) -> bool {
    let mut digits = String::new();
    let single = groups.iter().take(LONGEST).take_while(|it| it.digits.len() == 1).count();
    for (at, group) in groups.iter().enumerate().take(single.max(GROUPS)) {
        digits.push_str(group.digits);
        if digits.len() > LONGEST {
            return false;
        }
        if digits.len() >= SHORTEST && is_card(&digits) && !is_list(&groups[..=at]) {
            return true;
        }
    }
    false
}

/// A number in groups of two digits, and nothing else. Where they grow they are sizes or the like.
fn is_card_in_pairs(groups: &[Group<'_>]) -> bool {
    let pairs = groups.len() > GROUPS && groups.len() <= LONGEST.div_ceil(2);
    let Some((last, others)) = groups.split_last().filter(|_| pairs) else { return false };
    let are_pairs = others.iter().all(|group| group.digits.len() == 2) && last.digits.len() <= 2;
    are_pairs && !is_growing(groups) && is_card(&joined(groups))
}

/// Numbers of one length that grow from each to the next, as in a list.
fn is_list(groups: &[Group<'_>]) -> bool {
    let is_listed = groups.iter().skip(1).all(|group| group.is_listed);
    groups.len() > 2 && is_listed && is_growing(groups)
}

fn is_growing(groups: &[Group<'_>]) -> bool {
    groups
        .windows(2)
        .all(|two| two[0].digits.len() == two[1].digits.len() && two[0].digits < two[1].digits)
}

/// The runs of a text in the order in which they stand there.
fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let (mut rest, mut word) = (0, Word::default());
    std::iter::from_fn(move || {
        let mut run: Option<Run<'_>> = None;
        while let Some((start, end)) = next_group(text, rest) {
            let digits = &text[start..end];
            let before = run.as_ref().and_then(|run| run.groups.last());
            let gap = before.map(|before| Gap::between(before.digits, &text[rest..start], digits));
            if gap == Some(Gap::Wide) {
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
                    let is_listed = gap == Some(Gap::Listed);
                    let run = run.get_or_insert(Run { groups: Vec::new() });
                    run.groups.push(Group { start, digits, is_listed });
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

/// What stands between two groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// What people write between the groups of a number.
    Joint,
    /// What rather parts the numbers of a list, a time or the like; between groups as long as those
    /// of a card it may be a joint.
    Listed,
    /// The two belong to different numbers.
    Wide,
}

impl Gap {
    const LONG: usize = 4;

    fn between(before: &str, gap: &str, after: &str) -> Self {
        if gap.chars().all(is_joint) {
            return Self::Joint;
        }
        let is_punctuation = |c: char| is_joint(c) || "_,:;|*'\u{2019}()[]=~".contains(c);
        let is_short = gap == "+" || gap.chars().count() <= GAP && gap.chars().all(is_punctuation);
        if is_short && before.len() >= Self::LONG && after.len() >= Self::LONG {
            Self::Listed
        } else {
            Self::Wide
        }
    }
}

/// Whether people write it between the digits of one number, in the spelling of [`numerals`].
fn is_joint(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '\u{b7}' | '\u{2022}' | '\u{2027}')
}

/// The letters `a` to `z`, digits and underscores around digits, without a gap.
#[derive(Default)]
struct Word {
    end: usize,
    /// Whether it is an id or code: letters and digits by turns, letters with an underscore, or one
    /// letter with a few digits. Digits right behind or before a word are not.
    is_id: bool,
}

impl Word {
    fn around(text: &str, start: usize, end: usize) -> Self {
        let is_of_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let before = text[..start].bytes().rev().take_while(|b| is_of_word(*b)).count();
        let after = text[end..].bytes().take_while(|b| is_of_word(*b)).count();
        let around = [&text[start - before..start], &text[end..end + after]].concat();
        let has_letter = around.bytes().any(|b| b.is_ascii_alphabetic());
        let is_mixed = around.bytes().any(|b| !b.is_ascii_alphabetic());
        let is_id = has_letter && (is_mixed || around.len() == 1 && end - start < SHORTEST);
        Self { end: end + after, is_id }
    }
}

#[cfg(test)]
mod tests;
