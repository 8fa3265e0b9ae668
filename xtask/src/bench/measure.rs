//! The measurements: one file and one page each.

mod purchases;

use futures_util::future::BoxFuture;

use super::Length;
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
    pub(crate) run: for<'a> fn(&'a Stage, Length) -> BoxFuture<'a, anyhow::Result<Findings>>,
}

/// All of them, in the order in which they are made.
pub(crate) const ALL: [Measurement; 1] = [purchases::PURCHASES];
