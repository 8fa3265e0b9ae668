//! Rising rates until 99 of 100 leave their bound.

use std::sync::Arc;
use std::time::Duration;

use super::chart::{Chart, Line};
use super::ladder::{self, Rung};
use super::page::Table;
use super::record::{Quantiles, Record, milliseconds};
use super::shares::Shares;
use crate::up::say;

/// Where it begins, and what 99 of 100 have to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climb {
    pub(crate) first: u32,
    pub(crate) bound: Duration,
}

/// A rate that was tried.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) rate: u32,
    pub(crate) record: Arc<Record>,
    times: Quantiles,
    busy: u64,
    who_worked: Table,
}

/// All rates that were tried.
#[derive(Debug)]
pub(crate) struct Climbed {
    climb: Climb,
    tried: Vec<Tried>,
}

/// Tries rates; one that is not borne has a second chance.
pub(crate) async fn climb(
    climb: &Climb,
    mut at: impl AsyncFnMut(u32) -> anyhow::Result<Tried>,
) -> anyhow::Result<Climbed> {
    let mut climbed = Climbed { climb: *climb, tried: Vec::new() };
    while let Some(rate) = ladder::next(climb.first, &climbed.rungs()) {
        let mut tried = at(rate).await?;
        if !tried.is_borne(climb) {
            tried = at(rate).await?;
        }
        say(format_args!(
            "  {rate}/s: p99 {} ms, {} failed",
            milliseconds(tried.times.p99),
            tried.record.troubles()
        ));
        climbed.tried.push(tried);
    }
    climbed.tried.sort_by_key(|tried| tried.rate);
    Ok(climbed)
}

impl Tried {
    /// What came of a rate, by the time that this step took.
    pub(crate) fn of(rate: u32, record: Arc<Record>, step: &'static str, shares: &Shares) -> Self {
        let (times, who_worked) = (record.quantiles(step), shares.table());
        Self { rate, record, times, busy: shares.busy(), who_worked }
    }

    /// Who took which part of the processors.
    pub(crate) fn who_worked(&self) -> Table {
        self.who_worked.clone()
    }

    fn is_borne(&self, climb: &Climb) -> bool {
        self.record.troubles() == 0 && self.times.p99 <= climb.bound
    }
}

impl Climbed {
    /// The highest rate that was borne; 0 when none was.
    pub(crate) fn highest(&self) -> u32 {
        ladder::highest(&self.rungs()).unwrap_or(0)
    }

    /// What came of that rate.
    pub(crate) fn best(&self) -> Option<&Tried> {
        let highest = self.highest();
        self.tried.iter().find(|tried| tried.rate == highest)
    }

    /// What came of every rate.
    pub(crate) fn table(&self, title: &'static str) -> Table {
        let row = |tried: &Tried| {
            vec![
                tried.rate.to_string(),
                milliseconds(tried.times.p50),
                milliseconds(tried.times.p99),
                milliseconds(tried.times.max),
                tried.record.troubles().to_string(),
                tried.busy.to_string(),
                if tried.is_borne(&self.climb) { "yes" } else { "no" }.to_owned(),
            ]
        };
        let columns = vec!["rate /s", "p50 ms", "p99 ms", "max ms", "failed", "% busy", "borne"];
        Table { title, columns, rows: self.tried.iter().map(row).collect() }
    }

    /// The highest rate that was borne, as a row: rate, times, how busy.
    pub(crate) fn summary(&self, name: &str) -> Vec<String> {
        let mut row = vec![name.to_owned(), self.highest().to_string()];
        if let Some(best) = self.best() {
            row.extend([best.times.p50, best.times.p99].map(milliseconds));
            row.push(best.busy.to_string());
        }
        row
    }

    /// The same as a picture.
    pub(crate) fn chart(&self, name: &'static str, title: &'static str) -> Chart {
        let lines = [("p50", false), ("p99", true)].map(|(name, last)| self.line(name, last));
        Chart { name, title, axes: ["begun each second", "ms"], lines: lines.to_vec() }
    }

    /// The time of half, or of 99 of 100, by rate.
    pub(crate) fn line(&self, name: impl Into<String>, last: bool) -> Line {
        let of = |times: Quantiles| if last { times.p99 } else { times.p50 };
        let point = |tried: &Tried| (f64::from(tried.rate), of(tried.times).as_secs_f64() * 1000.0);
        Line { name: name.into(), points: self.tried.iter().map(point).collect() }
    }

    fn rungs(&self) -> Vec<Rung> {
        let rung = |tried: &Tried| Rung { rate: tried.rate, borne: tried.is_borne(&self.climb) };
        self.tried.iter().map(rung).collect()
    }
}
