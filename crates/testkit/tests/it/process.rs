//! Processes end with those who started them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::process::{Process, Signal, Spec};
use testkit::{Scratch, eventually};

const BOUND: Duration = Duration::from_secs(10);

/// A program that ends only when it is made to.
fn sleeper() -> Spec {
    Spec::new("sleep").arg("600")
}

fn lives(pid: u32) -> bool {
    let status = Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status();
    status.unwrap().success()
}

async fn until_gone(pid: u32) {
    eventually("the child is gone", BOUND, async || (!lives(pid)).then_some(())).await;
}

/// Starts a child, tells of it, and waits to be killed.
fn be_a_parent() {
    let scratch = Scratch::new().unwrap();
    let child = Process::start(&sleeper()).unwrap();
    println!("\nchild {} in {}", child.pid(), scratch.path().display());
    std::io::stdin().read_to_end(&mut vec![]).unwrap();
}

#[tokio::test]
async fn a_child_dies_with_a_parent_that_is_killed() {
    if std::env::var_os("SOUK_TEST_PARENT").is_some() {
        return be_a_parent();
    }
    let this = "process::a_child_dies_with_a_parent_that_is_killed";
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args([this, "--exact", "--nocapture"])
        .env("SOUK_TEST_PARENT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let told = lines.find_map(|line| Some(line.unwrap().strip_prefix("child ")?.to_owned()));
    let told = told.unwrap();
    let (pid, folder) = told.split_once(" in ").unwrap();
    let (pid, folder) = (pid.parse().unwrap(), Path::new(folder));
    assert!(lives(pid) && folder.exists());

    parent.kill().unwrap();
    parent.wait().unwrap();

    until_gone(pid).await;
    eventually("the folder is gone", BOUND, async || (!folder.exists()).then_some(())).await;
}

#[tokio::test]
async fn a_dropped_child_is_gone_at_once() {
    let child = Process::start(&sleeper()).unwrap();
    let pid = child.pid();
    assert!(child.is_running() && lives(pid));

    drop(child);

    assert!(!lives(pid));
}

#[tokio::test]
async fn a_child_tells_how_it_ended() {
    let shell = |script: &str| Process::start(&Spec::new("sh").args(["-c", script])).unwrap();

    assert_eq!(shell("exit 7").wait().await, 7);
    assert_eq!(shell("kill -KILL $$").wait().await, 137);
    assert_eq!(Process::start(&sleeper()).unwrap().stop().await, 143);
}

#[tokio::test]
async fn a_child_that_does_not_listen_is_killed() {
    let scratch = Scratch::new().unwrap();
    let log = scratch.path().join("log");
    let deaf = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let deaf = Spec::new("sh").args(["-c", deaf]).log(&log).grace(Duration::from_millis(200));
    let child = Process::start(&deaf).unwrap();
    eventually("it is deaf", BOUND, async || {
        std::fs::read_to_string(&log).unwrap().contains("ready").then_some(())
    })
    .await;

    assert_eq!(child.stop().await, 137);
}

#[tokio::test]
async fn a_paused_child_goes_on() {
    let child = Process::start(&sleeper()).unwrap();

    child.signal(Signal::STOP);
    child.signal(Signal::CONT);

    assert!(child.is_running());
}

#[test]
fn what_a_streamed_child_says_is_read_from_its_first_byte() {
    let spec = Spec::new("printf").arg("one\ntwo\n");
    let (_child, mut stdout) = Process::stream(&spec).unwrap();

    let mut said = String::new();
    stdout.read_to_string(&mut said).unwrap();

    assert_eq!(said, "one\ntwo\n");
}
