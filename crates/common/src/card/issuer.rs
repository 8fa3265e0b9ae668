//! The numbers that card schemes issue.

/// Beginnings of card numbers, from the first to the last with as many digits, and the lengths that
/// numbers with such a beginning have. From the schemes' published ranges; a beginning that no
/// issuer has is not here, whatever the check digit.
const ISSUED: [(&str, &str, &[usize]); 27] = [
    // Visa
    ("4", "4", &[16, 19]),
    // Mastercard
    ("51", "55", &[16]),
    ("2221", "2720", &[16]),
    // American Express
    ("34", "34", &[15]),
    ("37", "37", &[15]),
    // Diners Club
    ("300", "305", &[14, 16]),
    ("3095", "3095", &[14, 16]),
    ("36", "36", &[14, 16, 19]),
    ("38", "39", &[14, 16]),
    // JCB
    ("3528", "3589", &[16, 17, 18, 19]),
    // Discover
    ("6011", "6011", &[16, 19]),
    ("644", "649", &[16, 19]),
    ("65", "65", &[16, 19]),
    // UnionPay
    ("62", "62", &[16, 17, 18, 19]),
    ("810", "817", &[16, 17, 18, 19]),
    // Maestro, of which shorter numbers cannot be distinguished from others
    ("500", "509", &[16, 19]),
    ("56", "58", &[16, 19]),
    ("6304", "6304", &[16, 17, 18, 19]),
    ("639", "639", &[16, 19]),
    ("67", "67", &[16, 17, 18, 19]),
    // Mir
    ("2200", "2204", &[16, 17, 18, 19]),
    // RuPay, Elo and Hipercard
    ("603", "608", &[16]),
    ("6277", "6277", &[16]),
    ("636", "637", &[16]),
    ("817", "829", &[16]),
    // Troy
    ("9792", "9792", &[16]),
    // Humo and Uzcard
    ("8600", "8600", &[16]),
];

/// A number for tests that schemes publish though no card has as few digits any more.
const PUBLISHED: &str = "4222222222222";

/// Whether a scheme issues numbers of this length that begin so.
pub(super) fn has_issuer(digits: &str) -> bool {
    let is_issued = ISSUED.iter().any(|(first, last, lengths)| {
        let beginning = digits.get(..first.len());
        lengths.contains(&digits.len())
            && beginning.is_some_and(|it| (*first..=*last).contains(&it))
    });
    is_issued || digits == PUBLISHED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_range_are_issued() {
        for (beginning, length) in
            [("2221", 16), ("2720", 16), ("3528", 16), ("3589", 19), ("34", 15)]
        {
            assert!(has_issuer(&format!("{beginning:0<length$}")), "{beginning}");
        }
        for (beginning, length) in [
            ("2220", 16),
            ("2721", 16),
            ("3527", 16),
            ("3590", 16),
            ("34", 16),
            ("4", 15),
            ("4", 13),
            ("0", 16),
            ("1", 15),
            ("978", 13),
            ("35", 15),
            ("86", 15),
            ("01", 15),
            ("49", 14),
            ("99", 15),
        ] {
            assert!(!has_issuer(&format!("{beginning:0<length$}")), "{beginning} {length}");
        }
    }
}
