//! The operations port.
