//! What it was measured on.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::tools;

use super::page::Table;
use super::record::milliseconds;
use crate::up::{place, say};

/// How often something is written to find out how long the disk takes.
const WRITES: usize = 200;

/// A machine and what runs on it.
#[derive(Debug)]
pub(crate) struct Machine {
    rows: Vec<Vec<String>>,
}

impl Machine {
    /// Looks at this machine; the disk is that of this folder.
    pub(crate) async fn look(folder: &Path) -> anyhow::Result<Self> {
        let mongod = tools::mongod(&|line: &str| say(line)).await?;
        let nats_server = tools::nats_server(&|line: &str| say(line)).await?;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let said = |program: &Path| first_line(Command::new(program).arg("--version"));
        let git = || {
            let mut git = Command::new("git");
            git.args(["describe", "--always", "--dirty", "--exclude=*"]).current_dir(place(""));
            git
        };
        let rows = [
            ("processor", format!("{cores} × {processor}")),
            ("memory", field("/proc/meminfo", "MemTotal").unwrap_or_else(unknown)),
            ("system", format!("Linux {}", kernel.trim())),
            ("disk", format!("a write is safe after {} ms (median)", flush(folder)?)),
            ("mongod", said(&mongod)),
            ("nats-server", said(&nats_server)),
            ("rustc", first_line(Command::new("rustc").arg("--version"))),
            ("souk", first_line(&mut git())),
        ];
        let row = |(name, value): (&str, String)| vec![name.to_owned(), value];
        Ok(Self { rows: rows.into_iter().map(row).collect() })
    }

    /// As it stands on a page.
    pub(crate) fn table(&self) -> Table {
        let rows = self.rows.clone();
        Table { title: "Where this was measured", columns: vec!["what", "which"], rows }
    }
}

/// How long the disk takes until a small write is safe, in milliseconds.
fn flush(folder: &Path) -> anyhow::Result<String> {
    let mut file = File::create(folder.join("flush"))?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let began = Instant::now();
        file.write_all(&[7; 512])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(milliseconds(times.get(WRITES / 2).copied().unwrap_or(Duration::ZERO)))
}

/// What follows `name :` in a file of the system.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_line(command: &mut Command) -> String {
    let said = command.output().ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let line = said.as_deref().and_then(|said| said.lines().next());
    line.map_or_else(unknown, ToOwned::to_owned)
}

fn unknown() -> String {
    "unknown".to_owned()
}
