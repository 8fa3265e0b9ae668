//! The measurements: one file and one page each.

mod capacity;
mod clients;
mod events;
mod flash;
mod footprint;
mod limits;
mod orders;
mod purchases;
mod rates;
mod sign_ins;
mod storm;
mod together;

use futures_util::future::LocalBoxFuture;

use super::Length;
use super::chart::Chart;
use super::page::Findings;
use super::stage::Stage;

/// Something that is measured.
#[derive(Debug)]
pub(crate) struct Measurement {
    /// What it is called at the command line, and its page in docs/bench.
    pub(crate) name: &'static str,
    /// What is measured, as a headline.
    pub(crate) title: &'static str,
    /// How it is measured, and what the numbers mean.
    pub(crate) about: &'static str,
    /// What keeps the numbers from being better.
    pub(crate) limits: &'static str,
    pub(crate) run:
        for<'a> fn(&'a Stage<'_>, Length) -> LocalBoxFuture<'a, anyhow::Result<Findings>>,
}

impl Measurement {
    /// The file of a picture on its page.
    pub(crate) fn picture(&self, chart: &Chart) -> String {
        format!("{}-{}.svg", self.name, chart.name)
    }
}

/// All of them, in the order in which they are made: what fills the databases comes last.
pub(crate) const ALL: [Measurement; 12] = [
    limits::LIMITS,
    purchases::PURCHASES,
    events::EVENTS,
    rates::RATES,
    sign_ins::SIGN_INS,
    storm::STORM,
    flash::FLASH,
    clients::CLIENTS,
    capacity::CAPACITY,
    together::TOGETHER,
    footprint::FOOTPRINT,
    orders::ORDERS,
];
