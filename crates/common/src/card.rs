//! What a card's number looks like.

/// Whether these characters are a card's number: 13 to 19 digits, the last of which checks the others
/// (ISO/IEC 7812-1, annex B).
pub fn is_card(digits: &str) -> bool {
    let worth = |(place, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0');
        match place % 2 {
            0 => digit,
            _ if digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        }
    };
    let is_number =
        (13..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && digits.bytes().rev().enumerate().map(worth).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_checks_the_others() {
        for number in ["4242424242424242", "378282246310005", "4222222222222"] {
            assert!(is_card(number), "{number}");
        }
        for other in ["", "4242424242424241", "0", "424242424242424a", "42424242424242424242"] {
            assert!(!is_card(other), "{other}");
        }
    }
}
