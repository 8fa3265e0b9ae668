//! The scripts that mongosh runs end on SIGTERM, as the first process of a container.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually};
use tokio::time::timeout;

use super::mongosh::{mongosh, script};
use super::*;

const SOON: Duration = Duration::from_mins(1);
/// Far less than the grace period of any pod that runs one of the scripts.
const BOUND: Duration = Duration::from_secs(15);
/// The exit code of a process that SIGTERM ended, as shells report it.
const TERMINATED: i32 = 143;

/// Whether a process can be the first of a PID namespace here.
///
/// # Panics
/// When it cannot and `CI` is set.
fn namespaces() -> bool {
    let can = Command::new("unshare").args(["--pid", "--fork", "true"]).status();
    let can = can.is_ok_and(|status| status.success());
    assert!(can || std::env::var_os("CI").is_none(), "CI skips nothing, and unshare is refused");
    if !can {
        eprintln!("skipped: a PID namespace needs unshare and the right to use it");
    }
    can
}

/// One script, started as process 1 of a PID namespace.
struct First {
    process: Process,
    /// Takes connections in place of a database, and never answers.
    _silent: TcpListener,
    scratch: Scratch,
}

impl First {
    /// Starts the command of this container of order, as process 1, with a database that never answers.
    async fn start(mongosh: &Path, owner: &str, container: &str, scratch: Scratch) -> Self {
        let dev = dev().await;
        let pods = dev.pods().find(|pods| pods.name() == owner).unwrap();
        let container = pods.running().find(|it| it.name() == container).unwrap();
        let folder = if owner == "order-mongo" { "mongo" } else { "backup" };
        let command = script(mongosh, container, &format!("infra/k8s/base/{folder}/scripts"));
        let home = scratch.path().display();
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("mongodb://{}/order", silent.local_addr().unwrap());
        let spec = environment(&dev, pods, container).into_iter().fold(
            Spec::new("unshare").args(["--pid", "--fork", "--kill-child", "--"]),
            |spec, it| spec.env(it.name, it.value),
        );
        let spec = spec
            .args(command.to_string().split(' '))
            .env("HOME", scratch.path())
            .env("OWN", "127.0.0.1:1")
            .env("KEEPS_UP", format!("{home}/keeps-up"))
            .env("PAUSE_MS", "100")
            .env("MONGODB_URI", uri)
            .env("BACKUPS", scratch.path())
            .log(scratch.path().join("log"));
        Self { process: Process::start(&spec).unwrap(), _silent: silent, scratch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Sends SIGTERM to process 1 of the namespace; its exit code.
    async fn terminate(&self) -> i32 {
        let pid = self.process.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let first = Pid::from_raw(children.unwrap().trim().parse().unwrap()).unwrap();
        kill_process(first, Signal::TERM).unwrap();
        let ended = timeout(BOUND, self.process.wait()).await;
        ended.unwrap_or_else(|_| panic!("it runs on after SIGTERM:\n{}", self.log()))
    }
}

#[tokio::test]
async fn keeper_ends_on_sigterm() {
    let (Some(mongosh), true) = (mongosh().await, namespaces()) else { return };
    let keeper = First::start(&mongosh, "order-mongo", "keeper", Scratch::new().unwrap()).await;
    let looked = keeper.path("keeps-up.looked");
    eventually("it looked once", SOON, async || looked.exists().then_some(())).await;

    assert_eq!(keeper.terminate().await, 0, "{}", keeper.log());
}

#[tokio::test]
async fn backup_ends_on_sigterm() {
    let (Some(mongosh), true) = (mongosh().await, namespaces()) else { return };
    let backup = First::start(&mongosh, "order-backup", "backup", Scratch::new().unwrap()).await;
    let folder = backup.path("order");
    eventually("it began a file", SOON, async || {
        let mut files = std::fs::read_dir(&folder).ok()?;
        files.next().map(drop)
    })
    .await;

    assert_eq!(backup.terminate().await, TERMINATED, "{}", backup.log());
}

#[tokio::test]
async fn restore_ends_on_sigterm() {
    let (Some(mongosh), true) = (mongosh().await, namespaces()) else { return };
    let scratch = Scratch::new().unwrap();
    let lines = r#"mkdir "$0/order" && printf '%s\n%s\n' \
        '{"service": "order", "at": {"$date": "2026-01-01T00:00:00Z"}}' \
        '{"complete": true, "documents": 0}' | gzip > "$0/order/a.ndjson.gz""#;
    let written = Command::new("bash").args(["-c", lines]).arg(scratch.path()).status();
    assert!(written.unwrap().success());
    let restore = First::start(&mongosh, "order-restore", "restore", scratch).await;
    eventually("it checked the backup", SOON, async || {
        restore.log().contains("becomes what it was").then_some(())
    })
    .await;

    assert_eq!(restore.terminate().await, TERMINATED, "{}", restore.log());
}
