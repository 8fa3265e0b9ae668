//! What befalls the shop.

use std::fmt;
use std::time::Duration;

use testkit::fleet::Service;

use super::dice::Dice;

/// How many replicas of every service run side by side.
pub(crate) const REPLICAS: usize = 2;

/// Leases of the services are longer than the first, and shorter than the second.
const LEASE: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(6)];

/// Something that goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One replica is killed, and started again when the time is up.
    KillReplica(Service, usize),
    /// All replicas of a service are.
    KillService(Service),
    /// One replica stands still, and goes on as if nothing had been.
    Freeze(Service, usize),
    /// One replica more than usual runs.
    Double(Service),
    /// The clock of one replica is wrong by so many seconds.
    Clock(Service, usize, i64),
    /// One of the servers is hit.
    Mongod(Mongod),
    /// The broker is.
    Nats(Nats),
}

/// What befalls mongod's replica set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mongod {
    /// The primary is killed.
    Kill,
    /// The primary stands still.
    Freeze,
    /// The primary gives up being it.
    StepDown,
    /// The primary is reached by nobody: connections to it are reset.
    CutOff,
    /// The primary is reached by nobody: connections to it are silent.
    Silence,
    /// All connections to all members are reset once.
    Reset,
    /// No file of the primary may grow: it dies in the middle of writing, as it does on a full disk.
    FillDisk,
}

/// What befalls the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nats {
    /// It is killed.
    Kill,
    /// It is ended in good order.
    Stop,
    /// It stands still.
    Freeze,
    /// One service does not reach it.
    CutOff(Service),
    /// All connections to it are reset once.
    Reset,
    /// None of its files may grow: it lives on and cannot write, as on a full disk.
    FillDisk,
}

/// Of what no two things are hit at the same time: then it is known what a fault did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The replicas of one service.
    Service(Service),
    /// The replica set.
    Mongod,
    /// The broker.
    Nats,
}

impl Lane {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Service::ALL.into_iter().map(Self::Service).chain([Self::Mongod, Self::Nats])
    }

    /// Everything that may befall it, each as often as it is likely.
    pub(crate) fn faults(self, dice: &mut Dice) -> Vec<Fault> {
        match self {
            Self::Service(service) => of_service(service, dice),
            Self::Mongod => vec![
                Fault::Mongod(Mongod::Kill),
                Fault::Mongod(Mongod::Freeze),
                Fault::Mongod(Mongod::StepDown),
                Fault::Mongod(Mongod::StepDown),
                Fault::Mongod(Mongod::CutOff),
                Fault::Mongod(Mongod::Silence),
                Fault::Mongod(Mongod::Reset),
                Fault::Mongod(Mongod::Reset),
                Fault::Mongod(Mongod::FillDisk),
            ],
            Self::Nats => vec![
                Fault::Nats(Nats::Kill),
                Fault::Nats(Nats::Kill),
                Fault::Nats(Nats::Stop),
                Fault::Nats(Nats::Freeze),
                Fault::Nats(Nats::CutOff(dice.pick(&Service::ALL))),
                Fault::Nats(Nats::CutOff(dice.pick(&Service::ALL))),
                Fault::Nats(Nats::Reset),
                Fault::Nats(Nats::FillDisk),
            ],
        }
    }
}

fn of_service(service: Service, dice: &mut Dice) -> Vec<Fault> {
    let mut one = || usize::from(dice.below(2) == 1);
    let mut faults = vec![
        Fault::KillReplica(service, one()),
        Fault::KillReplica(service, one()),
        Fault::KillService(service),
        Fault::Freeze(service, one()),
        Fault::Freeze(service, one()),
        Fault::Double(service),
    ];
    let (number, minutes) = (one(), 1 + i64::from(dice.below(10) == 0) * 9);
    let sign = if dice.below(2) == 0 { 1 } else { -1 };
    faults.push(Fault::Clock(service, number, sign * 60 * minutes));
    faults
}

impl Fault {
    /// How long it lasts.
    pub(crate) fn lasts(self, dice: &mut Dice) -> Duration {
        let seconds = Duration::from_secs;
        let (least, most) = match self {
            // About half of them shorter than a lease, half of them longer.
            Self::Freeze(..) if dice.below(2) == 0 => (seconds(1), LEASE[0]),
            Self::Freeze(..) => (LEASE[1], seconds(35)),
            Self::KillService(_) => (seconds(1), seconds(8)),
            Self::Double(_) => (seconds(5), seconds(20)),
            Self::Mongod(Mongod::StepDown | Mongod::Reset) | Self::Nats(Nats::Reset) => {
                (Duration::ZERO, Duration::ZERO)
            }
            Self::Mongod(Mongod::FillDisk) | Self::Nats(Nats::FillDisk) => (seconds(3), seconds(8)),
            Self::KillReplica(..) | Self::Clock(..) | Self::Mongod(_) | Self::Nats(_) => {
                (seconds(2), seconds(15))
            }
        };
        dice.between(least, most)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillReplica(service, number) => write!(f, "{service} {number} is killed"),
            Self::KillService(service) => write!(f, "all of {service} is killed"),
            Self::Freeze(service, number) => write!(f, "{service} {number} stands still"),
            Self::Double(service) => write!(f, "{service} has one more replica"),
            Self::Clock(service, number, seconds) => {
                write!(f, "the clock of {service} {number} is wrong by {seconds:+} s")
            }
            Self::Mongod(fault) => f.write_str(match fault {
                Mongod::Kill => "mongod's primary is killed",
                Mongod::Freeze => "mongod's primary stands still",
                Mongod::StepDown => "mongod's primary steps down",
                Mongod::CutOff => "mongod's primary is cut off",
                Mongod::Silence => "mongod's primary is not heard",
                Mongod::Reset => "connections to mongod are reset",
                Mongod::FillDisk => "mongod's primary dies writing to files that may not grow",
            }),
            Self::Nats(Nats::CutOff(service)) => write!(f, "{service} is cut off from NATS"),
            Self::Nats(fault) => f.write_str(match fault {
                Nats::Kill => "NATS is killed",
                Nats::Stop => "NATS is stopped",
                Nats::Freeze => "NATS stands still",
                Nats::Reset => "connections to NATS are reset",
                Nats::FillDisk | Nats::CutOff(_) => "the files of NATS may not grow",
            }),
        }
    }
}
