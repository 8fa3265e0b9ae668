//! Ports for servers that are started beside each other.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give to outgoing connections: one that a server left for a moment
/// is still free when it comes back.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

/// A port of 127.0.0.1 that nobody listens on; a process is not given the same one twice.
///
/// # Panics
/// When no port is free.
pub fn free() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(anywhere()));

    (0..COUNT)
        .map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT)
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("one of 18,000 ports is free")
}

/// Somewhere to begin, so that processes side by side seldom look at the same port.
fn anywhere() -> u16 {
    u16::try_from(RandomState::new().hash_one(std::process::id()) % u64::from(COUNT))
        .expect("a remainder of 18,000 fits")
}
