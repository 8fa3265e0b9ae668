//! The commit: the one way to change anything.
