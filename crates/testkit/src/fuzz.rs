//! What is nearly right: a good sample, changed here and there; and whether something holds for
//! all of that.
//!
//! Numbers that somebody else draws decide what is changed: the same numbers change the same, and
//! fewer or smaller ones change less.

mod always;
mod inputs;

use serde_json::{Map, Value, json};

pub use self::always::always;
pub use self::inputs::{choices, nearly, nearly_json, nearly_text};
use crate::full;

/// How long a text becomes at most by being repeated, in bytes: one that grows again and again
/// would take all memory.
const LONGEST: usize = 100_000;
/// How many times more is tried when tests may take long.
const FULL: u32 = 40;

/// How much to try: so many cases, many more when tests may take long.
pub fn cases(usual: u32) -> u32 {
    if full() { usual.saturating_mul(FULL) } else { usual }
}

/// Numbers that decide.
#[derive(Clone, Debug)]
pub struct Choices<'a>(std::slice::Iter<'a, u32>);

impl<'a> Choices<'a> {
    /// These, in their order.
    pub fn new(numbers: &'a [u32]) -> Self {
        Self(numbers.iter())
    }

    /// One of so many; the first when there is nothing left to decide.
    fn of(&mut self, many: usize) -> usize {
        let number = self.0.next().copied().unwrap_or(0);
        number as usize % many.max(1)
    }

    fn is_over(&self) -> bool {
        self.0.len() == 0
    }
}

/// Bytes that are nearly the sample.
pub fn bytes(sample: &[u8], choices: &[u32]) -> Vec<u8> {
    const CHUNKS: [&[u8]; 12] = [
        b"\0",
        b"\xff",
        b"\r\n",
        b"\"",
        b"\\u0000",
        b"\xc3",
        b"{",
        b"]]",
        b"-",
        b"9999999999999999999",
        b"1e999",
        b"null",
    ];
    let (mut bytes, mut choices) = (sample.to_vec(), Choices::new(choices));
    while !choices.is_over() {
        let kind = choices.of(5);
        let at = choices.of(bytes.len() + 1);
        let end = (at + 1 + choices.of(8)).min(bytes.len());
        match kind {
            0 if at < bytes.len() => bytes[at] ^= 1 << choices.of(8),
            1 => drop(bytes.drain(at..end.max(at))),
            2 => bytes.truncate(at),
            3 => {
                let again = bytes[at..end.max(at)].to_vec();
                drop(bytes.splice(at..at, again));
            }
            _ => drop(bytes.splice(at..at, CHUNKS[choices.of(CHUNKS.len())].iter().copied())),
        }
    }
    bytes
}

/// Text that is nearly the sample and can stand in a header or an address: visible ASCII.
pub fn text(sample: &str, choices: &[u32]) -> String {
    let visible = |byte: u8| char::from(b'!' + byte % (b'~' - b'!' + 1));
    let is_plain = |byte: &u8| byte.is_ascii_graphic();
    let mutated = bytes(sample.as_bytes(), choices);
    mutated
        .iter()
        .map(|byte| if is_plain(byte) { char::from(*byte) } else { visible(*byte) })
        .collect()
}

/// JSON that is nearly the sample.
pub fn json(sample: &Value, choices: &[u32]) -> Value {
    let (mut value, mut choices) = (sample.clone(), Choices::new(choices));
    while !choices.is_over() {
        mutate(&mut value, &mut choices);
    }
    value
}

fn mutate(value: &mut Value, choices: &mut Choices<'_>) {
    // Half of the time it goes on further down, where there is anything below.
    let deeper = choices.of(4) > 0;
    match value {
        Value::Object(members) if deeper && !members.is_empty() => mutate_member(members, choices),
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = choices.of(items.len());
            match choices.of(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => mutate(&mut items[at], choices),
            }
        }
        _ => *value = other(value, choices),
    }
}

fn mutate_member(members: &mut Map<String, Value>, choices: &mut Choices<'_>) {
    let at = choices.of(members.len());
    let Some(name) = members.keys().nth(at).cloned() else { return };
    match choices.of(8) {
        0 => drop(members.remove(&name)),
        1 => drop(members.insert("a_field_of_nobody".into(), json!(1))),
        2 => {
            let value = members.remove(&name).unwrap_or_default();
            members.insert(name.to_uppercase(), value);
        }
        _ => members.values_mut().nth(at).into_iter().for_each(|value| mutate(value, choices)),
    }
}

/// Something else in the place of a value.
fn other(value: &Value, choices: &mut Choices<'_>) -> Value {
    let words = value.as_str().unwrap_or_default();
    let longer = words.repeat((2 + choices.of(300)).min(LONGEST / words.len().max(1)).max(1));
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(0.5),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("\u{202e}\u{feff}é😀"),
        json!("a\nb"),
        json!("$where"),
        json!({ "$gt": "" }),
        json!([]),
        json!({}),
        json!([value]),
        json!({ "a": value }),
        json!(longer),
        json!(words.to_uppercase()),
        json!(words.chars().rev().collect::<String>()),
        json!(words.chars().skip(1).collect::<String>()),
        (0..100).fold(json!(1), |inner, _| json!([inner])),
    ];
    values[choices.of(values.len())].clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_choices_a_sample_stays_as_it_is() {
        let sample = json!({ "lines": [{ "sku": "MUG" }] });

        assert_eq!(json(&sample, &[]), sample);
        assert_eq!(bytes(b"abc", &[]), b"abc");
        assert_eq!(text("abc", &[]), "abc");
    }

    #[test]
    fn the_same_choices_change_the_same() {
        let sample = json!({ "lines": [{ "sku": "MUG" }], "total": 1 });
        let choices: Vec<u32> = (0..40).map(|n| 2_654_435_761_u32.wrapping_mul(n)).collect();

        assert_ne!(json(&sample, &choices), sample);
        assert_eq!(json(&sample, &choices), json(&sample, &choices));
        assert_ne!(bytes(b"abcdef", &choices), b"abcdef");
        assert!(text("abcdef", &choices).bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
