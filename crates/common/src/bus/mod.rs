//! The one client of JetStream that every service uses.
