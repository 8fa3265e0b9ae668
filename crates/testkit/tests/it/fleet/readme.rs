//! What the README says, word for word.

use std::process::Command;
use std::time::Duration;

use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually, ports};

/// Long enough to build what is missing.
const STARTING: Duration = Duration::from_mins(10);

#[tokio::test]
async fn the_first_purchase_of_the_readme_works_line_by_line() {
    let scratch = Scratch::new().unwrap();
    let (port, log) = (ports::free().to_string(), scratch.path().join("up.log"));
    let data = scratch.path().join("data");
    let up = Spec::new(binary("xtask"))
        .args(["up", "--port", &port, "--data", data.to_str().unwrap()])
        .log(&log);
    let up = Process::start(&up).unwrap();
    let ready = format!("ready http://localhost:{port}");
    eventually(&ready, STARTING, async || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(up.is_running(), "{said}");
        said.contains(&ready).then_some(())
    })
    .await;

    let lines = purchase().replace("localhost:8080", &format!("localhost:{port}"));
    let bought = tokio::task::spawn_blocking(move || {
        Command::new("bash").args(["-euo", "pipefail", "-c", &lines]).output().unwrap()
    });
    let bought = tokio::time::timeout(Duration::from_mins(1), bought).await.unwrap().unwrap();
    let smoke = root().join("infra/gke/smoke.sh");
    let smoke = Spec::new(smoke).arg(format!("http://localhost:{port}")).env("TRIES", "2");
    let smoke = Process::start(&smoke).unwrap().wait().await;
    let code = up.stop().await;

    let (out, err) =
        (String::from_utf8_lossy(&bought.stdout), String::from_utf8_lossy(&bought.stderr));
    assert!(bought.status.success(), "{out}\n{err}");
    assert!(out.contains(r#""status":"paid""#), "{out}");
    assert_eq!(smoke, 0, "the release's own trial");
    assert_eq!(code, 0, "{}", std::fs::read_to_string(&log).unwrap());
}

/// The lines between the fences of the README's purchase.
fn purchase() -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, from) = readme.split_once("```sh\n").unwrap();
    from.split_once("```").unwrap().0.to_owned()
}

fn root() -> std::path::PathBuf {
    let here = std::env::current_dir().unwrap();
    here.ancestors().find(|above| above.join("Cargo.lock").exists()).unwrap().to_owned()
}

/// A program beside the one that runs this test.
fn binary(name: &str) -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join(name)
}
