//! Which deaths are tried, by seed.

use std::fmt;

use common::crash::Point;
use testkit::fleet::Service;

use super::saga::Saga;
use super::stall::Passes;

/// What happens again and again need not be waited for long.
const LATEST: u64 = 3;

/// Chooses, and always the same.
#[derive(Clone, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    /// The one that `SOUK_CRASH_SEED` says, or a fresh one; it is printed.
    pub(super) fn told() -> Self {
        let told = std::env::var_os("SOUK_CRASH_SEED").and_then(|seed| seed.to_str()?.parse().ok());
        let seed = told.unwrap_or_else(|| u64::from(std::process::id()));
        println!("SOUK_CRASH_SEED={seed}");
        Self(seed)
    }

    /// Another one, which this one and its number name.
    pub(super) fn beside(&self, number: usize) -> Self {
        let mut other = self.clone();
        other.0 ^= u64::try_from(number).unwrap_or_default().wrapping_mul(0x2545_F491_4F6C_DD1D);
        other
    }

    /// A number below this one (splitmix64).
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    /// As many of these as there are, in any order.
    pub(super) fn shuffled<T: Clone>(&mut self, these: &[T]) -> Vec<T> {
        let mut these = these.to_vec();
        for last in (1..these.len()).rev() {
            these.swap(last, self.below(last + 1));
        }
        these
    }
}

/// One death, or several one after the other: who dies where, in what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) saga: Saga,
    pub(super) service: Service,
    /// Each is where the process dies that took the place of the one before.
    pub(super) deaths: Vec<Death>,
    /// Whether somebody came by when nobody died, and will again.
    pub(super) is_sure: bool,
}

/// The so many-th time that a process passes a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Death {
    pub(super) point: Point,
    pub(super) nth: u64,
}

impl Death {
    const fn first(point: Point) -> Self {
        Self { point, nth: 1 }
    }
}

impl Cell {
    /// The point that it is about.
    pub(super) fn point(&self) -> Option<Point> {
        self.deaths.last().map(|death| death.point)
    }

    /// The same, but for that it is the first time that somebody comes by.
    pub(super) fn at_first(&self) -> Self {
        let deaths = self.deaths.iter().map(|death| Death::first(death.point)).collect();
        Self { deaths, ..self.clone() }
    }

    /// One cell for each point that somebody passes in a saga, and those where somebody dies who
    /// takes the place of the dead.
    pub(super) fn of(saga: Saga, passes: &Passes, seed: &mut Seed) -> Vec<Self> {
        let mut cells = Vec::new();
        for &point in Point::ALL {
            let here = passes.iter().filter(|((_, at), times)| *at == point && **times > 0);
            let here: Vec<_> = here.map(|((service, _), times)| (*service, *times)).collect();
            let chosen = here.get(seed.below(here.len()));
            cells.extend(chosen.map(|&(service, times)| {
                let among = usize::try_from(times.min(LATEST)).unwrap_or(1);
                let nth = 1 + u64::try_from(seed.below(among)).unwrap_or_default();
                let is_sure = saga.goes_one_way();
                Self { saga, service, deaths: vec![Death { point, nth }], is_sure }
            }));
        }
        cells.extend(Self::recovering(saga));
        cells
    }

    /// Points that only those come by who find what a dead process left.
    fn recovering(saga: Saga) -> Vec<Self> {
        use Point::{
            AfterCharge, AfterCommit, AfterRefund, BeforeCharge, BeforeHandler, BeforeNak,
            BeforePursuit, BeforeRefund, LookedUp, Swept,
        };
        let after = |service, first: Death, point| Self {
            saga,
            service,
            deaths: vec![first, Death::first(point)],
            is_sure: false,
        };
        match saga {
            Saga::Purchase => vec![
                after(Service::Order, Death::first(AfterCommit), Swept),
                after(Service::Payment, Death::first(AfterCharge), BeforePursuit),
                after(Service::Payment, Death::first(BeforeCharge), LookedUp),
            ],
            Saga::CancelledPaid => vec![
                after(Service::Payment, Death::first(AfterRefund), LookedUp),
                after(Service::Payment, Death::first(BeforeRefund), BeforePursuit),
            ],
            // It hears what comes back of a sale that it did not hear of.
            Saga::PartialRefund => {
                vec![after(Service::Product, Death { point: BeforeHandler, nth: 2 }, BeforeNak)]
            }
            _ => vec![],
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point.name(), self.nth)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deaths: Vec<_> = self.deaths.iter().map(ToString::to_string).collect();
        write!(f, "{:?}: {} dies at {}", self.saga, self.service, deaths.join(", then "))
    }
}
