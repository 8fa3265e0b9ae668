//! Rows of several places that are about one thing, side by side.

/// What is sorted by a key.
pub(crate) trait Keyed {
    /// What it is sorted by, in the order in which the database sorts.
    type Key: Ord + Clone;

    /// Its key.
    fn key(&self) -> Self::Key;
}

/// The least of these keys.
pub(crate) fn least<K: Ord, const N: usize>(keys: [Option<K>; N]) -> Option<K> {
    keys.into_iter().flatten().min()
}
