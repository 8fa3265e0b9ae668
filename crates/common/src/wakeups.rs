//! Waking those who wait for a change.
