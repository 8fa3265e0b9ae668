//! The life of a service process.

/// A service.
#[derive(Debug)]
pub struct Service;
