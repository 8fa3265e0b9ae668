//! What is written about a measurement, for the terminal and for docs/bench.

use std::fmt;

use super::chart::Chart;
use super::figure::Figure;
use super::machine::Machine;
use super::measure::Measurement;

/// What a measurement came to.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What it comes down to, a sentence each.
    pub(crate) sentences: Vec<String>,
    /// The numbers.
    pub(crate) tables: Vec<Table>,
    /// The same as pictures.
    pub(crate) charts: Vec<Chart>,
    /// What stands on the first page of all.
    pub(crate) figures: Vec<Figure>,
}

/// Numbers in rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A page in Markdown.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) measurement: &'a Measurement,
    pub(crate) machine: &'a Machine,
    pub(crate) findings: &'a Findings,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}\n", self.measurement.title)?;
        for sentence in &self.findings.sentences {
            writeln!(f, "- {sentence}")?;
        }
        for chart in &self.findings.charts {
            writeln!(f, "\n![{}]({})", chart.title, self.measurement.picture(chart))?;
        }
        for table in &self.findings.tables {
            write!(f, "\n{table}")?;
        }
        writeln!(f, "\n## How this was measured\n\n{}", self.measurement.about)?;
        writeln!(f, "\n## What limits it\n\n{}", self.measurement.limits)?;
        write!(f, "\n{}", self.machine.table())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n", self.title)?;
        if self.rows.is_empty() {
            return writeln!(f, "Nothing.");
        }
        let wide = |at: usize, name: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).fold(name.chars().count(), usize::max)
        };
        let widths: Vec<_> =
            self.columns.iter().enumerate().map(|(at, name)| wide(at, name)).collect();
        row(f, &widths, self.columns.iter())?;
        row(f, &widths, widths.iter().map(|width| "-".repeat(*width)))?;
        self.rows.iter().try_for_each(|cells| row(f, &widths, cells.iter()))
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    widths: &[usize],
    cells: impl Iterator<Item = impl fmt::Display>,
) -> fmt::Result {
    write!(f, "|")?;
    for (cell, width) in cells.zip(widths) {
        write!(f, " {cell:width$} |")?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_one_in_markdown_and_on_a_terminal() {
        let rows = vec![vec!["pay".to_owned(), "12.0".to_owned()]];
        let table = Table { title: "Steps", columns: vec!["step", "p50 ms"], rows };

        let text = table.to_string();

        assert_eq!(text, "## Steps\n\n| step | p50 ms |\n| ---- | ------ |\n| pay  | 12.0   |\n");
    }
}
