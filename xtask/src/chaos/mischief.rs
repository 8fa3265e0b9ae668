//! Does to the shop what was decided.

use std::time::Duration;

use futures_util::future::try_join_all;
use testkit::fleet::Service;
use testkit::process::Signal;
use tokio::time::{Instant, sleep, sleep_until};

use super::fault::{Fault, Lane, Mongod, Nats, REPLICAS};
use super::house::House;
use super::schedule::Misfortune;
use crate::up::say;

/// How long a new primary is waited for before a fault of the primary finds none to hit.
const ELECTION: Duration = Duration::from_secs(10);

/// No file grows beyond so many bytes. NATS is told so by EFBIG; mongod does not catch the signal
/// that comes with it (`SIGXFSZ`), and is gone.
const FULL: u64 = 4096;
/// What a service exits with whose time to stop ended before all was done.
const CUT_OFF: i32 = 75;

/// Does all of it in time; when this ends, all faults have.
pub(crate) async fn befall(
    house: &House,
    all: &[Misfortune],
    begin: Instant,
) -> anyhow::Result<()> {
    let lanes = Lane::all().map(|lane| async move {
        for misfortune in all.iter().filter(|it| it.lane == lane) {
            sleep_until(begin + misfortune.begins).await;
            let Misfortune { fault, lasts, .. } = misfortune;
            say(format_args!(
                "{:6.1} s  {fault}, for {:.1} s",
                begin.elapsed().as_secs_f64(),
                lasts.as_secs_f64()
            ));
            house.suffer(*fault, *lasts).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(lanes).await.map(drop)
}

impl House {
    /// Lets a fault happen, waits until its time is up, and mends it.
    async fn suffer(&self, fault: Fault, lasts: Duration) -> anyhow::Result<()> {
        match fault {
            Fault::KillReplica(service, number) => self.kill(service, &[number], lasts).await,
            Fault::KillService(service) => {
                let all: Vec<_> = (0..REPLICAS).collect();
                self.kill(service, &all, lasts).await;
            }
            Fault::Freeze(service, number) => {
                self.replica(service, number).signal(Signal::STOP);
                sleep(lasts).await;
                self.replica(service, number).signal(Signal::CONT);
            }
            Fault::Double(service) => self.double(service, lasts).await,
            Fault::Clock(service, number, seconds) => {
                self.replica(service, number).set_clock(seconds)?;
                sleep(lasts).await;
                self.replica(service, number).set_clock(0)?;
            }
            Fault::Mongod(fault) => self.suffer_at_mongod(fault, lasts).await?,
            Fault::Nats(fault) => self.suffer_at_nats(fault, lasts).await?,
        }
        Ok(())
    }

    async fn kill(&self, service: Service, numbers: &[usize], lasts: Duration) {
        for &number in numbers {
            self.replica(service, number).kill().await;
        }
        sleep(lasts).await;
        for &number in numbers {
            self.replica(service, number).want();
        }
    }

    async fn double(&self, service: Service, lasts: Duration) {
        let double = self.replica(service, REPLICAS);
        double.want();
        sleep(lasts).await;
        // One that was not started in time has nothing to end. One that cannot tell what it committed
        // while the bus is away leaves that to the others, which the audit sees to.
        let retired = double.retire().await;
        if let Some(code) = retired.filter(|code| ![0, CUT_OFF].contains(code)) {
            self.violated(format!("{service} {REPLICAS} did not end well: code {code}"));
        }
    }

    async fn suffer_at_mongod(&self, fault: Mongod, lasts: Duration) -> anyhow::Result<()> {
        let Some(primary) = self.primary().await else {
            say("          (there is no primary)");
            return Ok(());
        };
        let (process, line) = (self.mongod.process(primary), self.mongod.line(primary));
        match fault {
            Mongod::Kill => drop(process.kill().await),
            Mongod::Freeze => process.signal(Signal::STOP),
            Mongod::StepDown => self.mongod.step_down(primary).await,
            Mongod::CutOff => line.cut(),
            Mongod::Silence => line.silence(),
            Mongod::Reset => (0..self.mongod.len()).for_each(|it| self.mongod.line(it).reset()),
            Mongod::FillDisk => process.fill_disk(FULL)?,
        }
        sleep(lasts).await;
        match fault {
            Mongod::Kill | Mongod::FillDisk => {
                // Whoever cannot write may be past ending in good order.
                process.kill().await;
                self.mongod.restart(primary).await?;
            }
            Mongod::Freeze => process.signal(Signal::CONT),
            Mongod::CutOff | Mongod::Silence => line.mend(),
            Mongod::StepDown | Mongod::Reset => {}
        }
        Ok(())
    }

    async fn primary(&self) -> Option<usize> {
        let found = async {
            loop {
                if let Some(primary) = self.mongod.primary().await {
                    return primary;
                }
                sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(ELECTION, found).await.ok()
    }

    async fn suffer_at_nats(&self, fault: Nats, lasts: Duration) -> anyhow::Result<()> {
        let process = self.nats.process();
        match fault {
            Nats::Kill => self.nats.kill().await,
            Nats::Stop => self.nats.stop().await,
            Nats::Freeze => process.signal(Signal::STOP),
            Nats::CutOff(service) => self.line(service).cut(),
            Nats::Reset => self.lines().for_each(testkit::Proxy::reset),
            Nats::FillDisk => process.fill_disk(FULL)?,
        }
        sleep(lasts).await;
        match fault {
            Nats::Kill | Nats::Stop | Nats::FillDisk => {
                process.kill().await;
                self.nats.restart().await?;
            }
            Nats::Freeze => process.signal(Signal::CONT),
            Nats::CutOff(service) => self.line(service).mend(),
            Nats::Reset => {}
        }
        Ok(())
    }
}
