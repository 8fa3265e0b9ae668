//! The networks that an address counts for.

use std::net::{IpAddr, Ipv6Addr};

use common::http::ClientAddress;
use common::store::StoreError;
use contracts::Timestamp;
use futures_util::future::try_join_all;

use super::Halted;
use super::counter::{Counters, Growing, Quota, State};

/// Lengths of the wider IPv6 prefixes that count, and how many times as much each allows. Providers
/// assign a /56 or a /48 to one site (RFC 6177), and mobile networks a /64 to each telephone, many of
/// which share a /48: so the bound grows, but far less than the number of addresses.
const WIDER: [(u32, u32); 2] = [(56, 2), (48, 4)];

/// The networks around one address, the narrowest first: a single one for IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Networks(Vec<Network>);

/// A network under the name of its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Network {
    name: String,
    /// How many times the bound of the narrowest applies.
    times: u32,
}

impl Networks {
    /// The networks around an address, each under the name that `name` gives it.
    pub(super) fn around(from: ClientAddress, name: impl Fn(&str) -> String) -> Self {
        let subscriber = from.subscriber();
        let narrow = Network { name: name(&subscriber.to_string()), times: 1 };
        let wider = WIDER.into_iter().filter_map(|(length, times)| match subscriber {
            IpAddr::V6(address) => Some(Network { name: name(&prefix(address, length)), times }),
            IpAddr::V4(_) => None,
        });
        Self([narrow].into_iter().chain(wider).collect())
    }

    /// What the counters say, without counting: the longest wait.
    pub(super) async fn state(
        &self,
        counters: &Counters,
        what: Growing,
        now: Timestamp,
    ) -> Result<State, Halted> {
        let states = self.0.iter().map(|it| counters.state(what.widened(it.times), &it.name, now));
        let states = try_join_all(states).await?;
        Ok(states.into_iter().reduce(State::longer).expect("there is one network at least"))
    }

    /// Counts one more in every network.
    pub(super) async fn count(
        &self,
        counters: &Counters,
        what: Growing,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let counts = self.0.iter().map(|it| counters.count(what.widened(it.times), &it.name, now));
        try_join_all(counts).await.map(drop)
    }

    /// Counts one more in every network, unless one of them has to wait: then in none.
    ///
    /// The narrowest comes first, so that an address that has to wait uses up nothing of its
    /// neighbours'.
    pub(super) async fn reserve(
        &self,
        counters: &Counters,
        what: Growing,
        now: Timestamp,
    ) -> Result<(), Halted> {
        for (at, network) in self.0.iter().enumerate() {
            let what = what.widened(network.times);
            let reserved = counters.reserve(what, &network.name, now).await?;
            if let Err(halted) = reserved.let_in() {
                for counted in &self.0[..at] {
                    counters.withdraw(what, &counted.name).await?;
                }
                return Err(halted);
            }
        }
        Ok(())
    }

    /// Spends one of those that there may be in a while, in every network up to the one that has no
    /// more.
    pub(super) async fn spend(
        &self,
        counters: &Counters,
        quota: Quota,
        now: Timestamp,
    ) -> Result<(), Halted> {
        for network in &self.0 {
            counters.spend(quota.widened(network.times), &network.name, now).await?;
        }
        Ok(())
    }
}

/// The first bits of an address, with their number: `2001:db8::/48`.
fn prefix(address: Ipv6Addr, length: u32) -> String {
    let kept = u128::MAX << (128 - length);
    format!("{}/{length}", Ipv6Addr::from(u128::from(address) & kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(text: &str) -> Vec<(String, u32)> {
        let from = text.parse::<IpAddr>().unwrap().into();
        let networks = Networks::around(from, str::to_owned);
        networks.0.into_iter().map(|it| (it.name, it.times)).collect()
    }

    #[test]
    fn ipv6_counts_for_three_prefixes() {
        let networks = around("2001:db8:1:abcd:1:2:3:4");

        let wanted =
            [("2001:db8:1:abcd::", 1), ("2001:db8:1:ab00::/56", 2), ("2001:db8:1::/48", 4)];
        assert_eq!(networks, wanted.map(|(name, times)| (name.to_owned(), times)));
    }

    #[test]
    fn ipv4_counts_for_itself() {
        assert_eq!(around("203.0.113.7"), [("203.0.113.7".to_owned(), 1)]);
        assert_eq!(around("::ffff:203.0.113.7").len(), 1);
    }
}
