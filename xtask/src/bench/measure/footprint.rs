//! How much memory each process takes, and how soon it is ready.

use std::fs;
use std::time::Instant;

use super::Measurement;
use crate::bench::Length;
use crate::bench::figure::Figure;
use crate::bench::page::{Findings, Table};
use crate::bench::record::milliseconds;
use crate::bench::stage::Stage;

const ABOUT: &str = "\
A further replica of each service is started beside the first, on the same database and broker, and \
asked every 10 ms whether it is ready; its memory is looked at then, and it is ended. The memory of \
the fleet itself is what it is after everything above was measured, and the most it ever was \
(`VmRSS` and `VmHWM` of /proc). mongod's cache is bounded to 256 MiB here.";

const LIMITED_BY: &str = "\
A start connects to MongoDB and NATS, makes sure of collections, indexes, streams and consumers, and \
hears the keys. Auth keeps 33 MiB for each hashing thread as long as it runs.";

pub(crate) const FOOTPRINT: Measurement = Measurement {
    name: "footprint",
    title: "Memory and start",
    about: ABOUT,
    limits: LIMITED_BY,
    run: |stage, length| Box::pin(run(stage, length)),
};

async fn run(stage: &Stage<'_>, _: Length) -> anyhow::Result<Findings> {
    let mut rows = Vec::new();
    let (mut slowest, mut largest) = (0.0_f64, 0.0_f64);
    for service in stage.open.fleet.services() {
        let another = service.another();
        let began = Instant::now();
        another.restart().await?;
        let took = began.elapsed();
        let Some(process) = another.process() else { continue };
        let fresh = mebibytes(process.pid(), "VmRSS");
        process.stop().await;
        slowest = slowest.max(took.as_secs_f64() * 1000.0);
        rows.push((service.name(), milliseconds(took), fresh.to_string()));
    }
    let mut table = Vec::new();
    for (name, pid) in stage.open.fleet.processes() {
        let started = rows.iter().find(|row| row.0 == name);
        let (took, fresh) = started.map_or(("", ""), |row| (&row.1, &row.2));
        let [now, most] = ["VmRSS", "VmHWM"].map(|field| mebibytes(pid, field));
        if started.is_some() {
            largest = largest.max(f64::from(most));
        }
        let cells = [name, took, fresh, &now.to_string(), &most.to_string()];
        table.push(cells.map(ToOwned::to_owned).to_vec());
    }
    let columns = vec!["process", "ready after ms", "fresh MiB", "now MiB", "most MiB"];
    Ok(Findings {
        sentences: vec![format!(
            "A service is ready within **{slowest:.0} ms** and never took more than **{largest:.0} MiB**."
        )],
        tables: vec![Table { title: "Processes", columns, rows: table }],
        figures: vec![
            Figure::of("start of a service, the slowest", slowest, "ms"),
            Figure::of("memory of a service, the most", largest, "MiB"),
        ],
        ..Findings::default()
    })
}

/// A field of /proc/<pid>/status, which is in KiB.
fn mebibytes(pid: u32, field: &str) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u32>().ok());
    kib.unwrap_or(0) / 1024
}
