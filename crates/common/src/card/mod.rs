//! Payment card numbers: what they look like, and whether a text bears one.

mod exempt;
mod issuer;
mod search;

pub use search::bears_card;

use issuer::has_issuer;

/// Whether these digits are the number of a payment card: of the length and with the beginning of one
/// that is issued (ISO/IEC 7812-1), with the right check digit (annex B there).
pub fn is_card(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit()) && has_issuer(digits) && passes_luhn(digits)
}

/// Whether the last digit checks the others (ISO/IEC 7812-1, annex B).
fn passes_luhn(digits: &str) -> bool {
    let worth = |(place, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0');
        match place % 2 {
            0 => digit,
            _ if digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        }
    };
    digits.bytes().rev().enumerate().map(worth).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_digit_checks_the_others() {
        for number in ["4242424242424242", "378282246310005", "4222222222222"] {
            assert!(is_card(number), "{number}");
        }
        for other in ["", "4242424242424241", "0", "424242424242424a", "42424242424242424242"] {
            assert!(!is_card(other), "{other}");
        }
    }
}
