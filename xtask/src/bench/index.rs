//! The first page: all figures, each beside its limit, and what limits them.

use std::fmt;

use super::figure::{self, Figure};
use super::machine::Machine;
use super::measure::Measurement;

/// The page that leads to the others.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) measured: &'a [&'static Measurement],
    pub(crate) figures: &'a [Figure],
}

const ABOUT: &str = "\
`cargo xtask bench` measures all of this in one run, on one machine, and writes these pages; let the \
machine have nothing else to do meanwhile. `--quick` takes less than three minutes and writes \
nothing, `--only NAME` makes one measurement.

Shoppers come at a rate, each when it is their time, however slow the answers are, and what they \
wait is counted from then on (an open loop: no coordinated omission). Where clients ask again as \
soon as they are answered, the page says so. Every measurement has a warm-up. Shoppers, ingress, the \
five services, mongod and nats-server share the machine; the pages say what each took of its \
processors.

A ratio says how near a figure comes to what the machine does without a shop around it: HTTP, \
tokens, events and receipts are what makes it smaller, group commit what makes it larger.";

impl fmt::Display for Index<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# How fast the shop is\n\n{ABOUT}\n")?;
        writeln!(f, "{}", figure::table(self.figures))?;
        writeln!(f, "## Pages\n")?;
        for Measurement { name, title, .. } in self.measured {
            writeln!(f, "- [{title}]({name}.md)")?;
        }
        writeln!(f, "\n## What limits the figures")?;
        for Measurement { title, limits, .. } in self.measured {
            writeln!(f, "\n**{title}.** {limits}")?;
        }
        write!(f, "\n{}", self.machine.table())
    }
}
