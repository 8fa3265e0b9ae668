//! Where a request comes from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::{Gate, Problem, present};

/// Where proxies write whom they heard, the nearest of them last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address a request comes from.
///
/// It is what the outermost of our own proxies heard (`SOUK_TRUSTED_PROXIES` says how many there
/// are). Whatever else is in `X-Forwarded-For` may be the client's own words and is not believed. It
/// is personal: `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address itself.
    pub const fn ip(self) -> IpAddr {
        self.0
    }

    /// What one subscriber has at a time: an IPv4 address, or the /64 that IPv6 hands out.
    pub fn subscriber(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => first_bits(address, 64).into(),
        }
    }

    /// The network around it, too large to tell its people apart: `203.0.113.0/24`, `2001:db8::/48`.
    pub fn network(self) -> String {
        match self.0 {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => format!("{}/48", first_bits(address, 48)),
        }
    }

    /// Whom the outermost of so many proxies heard. Where the header does not say so, nobody but
    /// the one who speaks to us is known.
    fn behind(proxies: u8, headers: &HeaderMap, peer: IpAddr) -> Self {
        let lines = headers.get_all(FORWARDED_FOR).iter();
        let lines = lines.map(|line| line.to_str().unwrap_or_default());
        let heard = lines.flat_map(|line| line.split(',')).collect::<Vec<_>>();
        let told = heard.len().checked_sub(proxies.into()).and_then(|place| heard.get(place));
        let address = told.and_then(|text| address(text.trim())).unwrap_or(peer);
        Self(address.to_canonical())
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAddress(…)")
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (gate, ConnectInfo(peer)): (Gate, ConnectInfo<SocketAddr>) =
            (present(parts)?, present(parts)?);
        Ok(Self::behind(gate.proxies, &parts.headers, peer.ip()))
    }
}

/// An address as proxies write it, some of them with a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip()).ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

fn first_bits(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));

    fn heard(proxies: u8, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        ClientAddress::behind(proxies, &headers, PEER).ip().to_string()
    }

    #[test]
    fn without_proxies_the_header_says_nothing() {
        assert_eq!(heard(0, &[]), "10.0.0.9");
        assert_eq!(heard(0, &["203.0.113.7"]), "10.0.0.9");
        assert_eq!(heard(0, &["198.51.100.1, 203.0.113.7"]), "10.0.0.9");
    }

    #[test]
    fn behind_proxies_it_is_what_the_outermost_of_them_heard() {
        assert_eq!(heard(1, &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(heard(2, &["203.0.113.7, 10.0.0.1"]), "203.0.113.7");
        assert_eq!(heard(2, &["203.0.113.7", "10.0.0.1"]), "203.0.113.7");
        assert_eq!(heard(1, &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        for spoofed in ["198.51.100.1", "127.0.0.1, ::1", "nonsense,,", "\"", "unknown"] {
            assert_eq!(heard(1, &[spoofed, "203.0.113.7"]), "203.0.113.7", "{spoofed}");
            assert_eq!(heard(1, &[&format!("{spoofed}, 203.0.113.7")]), "203.0.113.7", "{spoofed}");
            let (two, ours) = (format!("{spoofed}, 203.0.113.7"), "10.0.0.1");
            assert_eq!(heard(2, &[&two, ours]), "203.0.113.7", "{spoofed}");
        }
    }

    #[test]
    fn who_came_past_the_proxies_is_who_speaks_to_us() {
        assert_eq!(heard(1, &[]), "10.0.0.9");
        assert_eq!(heard(2, &["203.0.113.7"]), "10.0.0.9");
        assert_eq!(heard(1, &["nonsense"]), "10.0.0.9");
        assert_eq!(heard(1, &["203.0.113.7, "]), "10.0.0.9");
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for text in ["203.0.113.7", "203.0.113.7:4711", "::ffff:203.0.113.7", "[::ffff:cb00:7107]"]
        {
            assert_eq!(heard(1, &[text]), "203.0.113.7", "{text}");
        }
        assert_eq!(heard(1, &["[2001:db8::1]:4711"]), "2001:db8::1");
    }

    #[test]
    fn a_subscriber_has_an_address_or_a_network_of_sixty_four_bits() {
        let of = |text: &str| ClientAddress::from(text.parse::<IpAddr>().unwrap());

        assert_eq!(of("203.0.113.7").subscriber().to_string(), "203.0.113.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6").subscriber().to_string(), "2001:db8:1:2::");
        assert_eq!(of("203.0.113.7").network(), "203.0.113.0/24");
        assert_eq!(of("2001:db8:1:2:3:4:5:6").network(), "2001:db8:1::/48");
        assert_eq!(format!("{:?}", of("203.0.113.7")), "ClientAddress(…)");
    }

    #[test]
    fn whatever_the_client_writes_it_is_whom_our_proxy_heard() {
        let samples = ["203.0.113.7, [2001:db8::1]:4711", "198.51.100.1:80", "::ffff:cb00:7107"];
        let lines = prop::collection::vec(fuzz::nearly(&samples), 0..4);

        fuzz::always(&(0_u8..12, lines), |(proxies, lines)| {
            let mut headers = HeaderMap::new();
            for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
                headers.append(FORWARDED_FOR, value);
            }
            let behind =
                |proxies, headers: &HeaderMap| ClientAddress::behind(proxies, headers, PEER).ip();
            prop_assert!(proxies > 0 || behind(proxies, &headers) == PEER);

            let far = behind(proxies, &headers);
            headers.append(FORWARDED_FOR, HeaderValue::from_static("203.0.113.7"));
            prop_assert_eq!(behind(1, &headers).to_string(), "203.0.113.7");
            prop_assert!(proxies == 0 || behind(proxies + 1, &headers) == far);
            Ok(())
        });
    }
}
