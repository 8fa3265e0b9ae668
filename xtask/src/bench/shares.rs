//! Who works while something is measured: which part of the processors each process takes.

use std::collections::BTreeMap;
use std::fs;
use std::thread::available_parallelism;
use std::time::Instant;

use super::crowd::THREADS;
use super::page::Table;

/// The part of this program that is not the crowd.
const INGRESS: &str = "ingress";

/// Who has worked how much since a moment.
#[derive(Debug)]
pub(crate) struct Shares {
    processes: Vec<(&'static str, u32)>,
    began: Instant,
    since: Spent,
}

/// What was spent since the machine started, in its ticks.
#[derive(Debug, Default)]
struct Spent {
    /// Working, and altogether.
    busy: u64,
    all: u64,
    by_name: BTreeMap<&'static str, u64>,
}

impl Shares {
    /// From now on.
    pub(crate) fn from_now(processes: &[(&'static str, u32)]) -> Self {
        let (began, since) = (Instant::now(), Spent::now(processes));
        Self { processes: processes.to_vec(), began, since }
    }

    /// Which part of their time all processors together have worked since, in percent.
    pub(crate) fn busy(&self) -> u64 {
        let now = Spent::now(&[]);
        part(now.busy.saturating_sub(self.since.busy), now.all.saturating_sub(self.since.all))
    }

    /// What each of them has worked since, in percent of all processors together, and what all
    /// have.
    pub(crate) fn table(&self) -> Table {
        let now = Spent::now(&self.processes);
        let all = now.all.saturating_sub(self.since.all);
        let of = |name: &str, ticks: u64| {
            let before = self.since.by_name.get(name).copied().unwrap_or(0);
            part(ticks.saturating_sub(before), all)
        };
        let row = |name: &str, percent: u64| vec![name.to_owned(), percent.to_string()];
        let mut rows: Vec<_> =
            now.by_name.iter().map(|(name, ticks)| row(name, of(name, *ticks))).collect();
        rows.push(row("everything on this machine", self.busy()));
        Table { title: "Who worked", columns: vec!["who", "% of all processors"], rows }
    }

    /// How long each has worked for each of so many things, in milliseconds of one processor: what
    /// else the machine does meanwhile hardly changes it.
    pub(crate) fn cost(&self, things: f64) -> Cost {
        let now = Spent::now(&self.processes);
        let processors = available_parallelism().map_or(1, usize::from);
        let processors = u32::try_from(processors).map_or(1.0, f64::from);
        let time = self.began.elapsed().as_secs_f64() * 1000.0 * processors;
        let all = now.all.saturating_sub(self.since.all);
        let of = |(name, ticks): (&&'static str, &u64)| {
            let before = self.since.by_name.get(name).copied().unwrap_or(0);
            (*name, ratio(ticks.saturating_sub(before), all) * time / things)
        };
        Cost { by_name: now.by_name.iter().map(of).collect() }
    }
}

/// What one thing costs each process, in milliseconds of one processor.
#[derive(Debug)]
pub(crate) struct Cost {
    by_name: Vec<(&'static str, f64)>,
}

impl Cost {
    /// What it costs altogether.
    pub(crate) fn all(&self) -> f64 {
        self.by_name.iter().map(|(_, time)| time).sum()
    }

    /// As a table, with what it costs altogether.
    pub(crate) fn table(&self, title: &'static str) -> Table {
        let row = |(name, time): (&str, f64)| vec![name.to_owned(), format!("{time:.2}")];
        let mut rows: Vec<_> = self.by_name.iter().copied().map(row).collect();
        rows.push(row(("altogether", self.all())));
        Table { title, columns: vec!["who", "ms of one processor"], rows }
    }
}

impl Spent {
    /// From /proc/stat and /proc/<pid>/stat: user and system time, in ticks.
    fn now(processes: &[(&'static str, u32)]) -> Self {
        let (busy, all) = machine();
        let stat = |pid: u32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut by_name: BTreeMap<_, _> =
            processes.iter().map(|(name, pid)| (*name, worked(&stat(*pid)))).collect();
        if !processes.is_empty() {
            let (own, crowd) = (worked(&stat(std::process::id())), crowd());
            by_name.insert(THREADS, crowd);
            by_name.insert(INGRESS, own.saturating_sub(crowd));
        }
        Self { busy, all, by_name }
    }
}

/// The first line of /proc/stat: user nice system idle iowait irq softirq steal ….
fn machine() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let spent = ticks.get(..8).unwrap_or_default();
    let (idle, all): (u64, u64) = (spent.iter().skip(3).take(2).sum(), spent.iter().sum());
    (all - idle, all)
}

/// What the crowd's threads have worked.
fn crowd() -> u64 {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return 0 };
    let stats = threads.flatten().map(|it| fs::read_to_string(it.path().join("stat")));
    let stats = stats.flatten().filter(|stat| stat.contains(&format!("({THREADS})")));
    stats.map(|stat| worked(&stat)).sum()
}

/// The 14th and the 15th field of a line of /proc/<pid>/stat; the second may hold spaces.
fn worked(stat: &str) -> u64 {
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0 };
    rest.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum()
}

fn ratio(of: u64, all: u64) -> f64 {
    let float = |it: u64| u32::try_from(it).map_or(f64::MAX, f64::from);
    float(of) / float(all.max(1))
}

fn part(of: u64, all: u64) -> u64 {
    (of * 100).checked_div(all).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let stat = "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20";

        assert_eq!(worked(stat), 154);
    }
}
