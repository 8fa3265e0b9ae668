//! What nobody can guess.

/// So many bytes from the system's source of randomness.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut drawn = [0; N];
    aws_lc_rs::rand::fill(&mut drawn).expect("the system has randomness");
    drawn
}
