//! What an earlier run left when it was killed.
//!
//! Its parts notice, and end in good order. Until they have, the databases are theirs.

use std::convert::Infallible;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::data::Data;
use super::fleet::FILE;
use super::progress::phase;

/// Longer than a part may take to end; who runs then has only got the number of one of them.
const BOUND: Duration = Duration::from_secs(30);

const LOOK: Duration = Duration::from_millis(20);

#[derive(Deserialize)]
struct Part {
    pid: Option<i32>,
}

/// Waits until all of them have ended.
pub(crate) async fn end(data: &Data) -> anyhow::Result<()> {
    // A file that does not read as ours tells of nothing to wait for.
    let parts: Vec<Part> = match data.read(FILE)? {
        Some(told) => serde_json::from_slice(&told).unwrap_or_default(),
        None => return Ok(()),
    };
    let pids: Vec<_> = parts.iter().filter_map(|part| Pid::from_raw(part.pid?)).collect();
    if some_run(&pids) {
        let ended = async {
            while some_run(&pids) {
                sleep(LOOK).await;
            }
        };
        let waiting = async { Ok::<_, Infallible>(timeout(BOUND, ended).await) };
        let _ = phase("waiting for what an earlier run left", waiting).await;
    }
    data.remove(FILE)?;
    Ok(())
}

fn some_run(pids: &[Pid]) -> bool {
    pids.iter().any(|&pid| test_kill_process(pid).is_ok())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt as _;
    use serde_json::json;
    use testkit::Scratch;
    use testkit::process::{Process, Spec};

    use super::*;

    #[tokio::test]
    async fn what_still_ends_is_waited_for() {
        let scratch = Scratch::new().unwrap();
        let data = Data::open(scratch.path()).unwrap();
        let left = Process::start(&Spec::new("sleep").arg("60")).unwrap();
        let told = json!([{ "name": "order", "pid": left.pid() }, { "name": "cart", "pid": null }]);
        data.write(FILE, told.to_string().as_bytes()).unwrap();

        let mut ended = pin!(end(&data));
        let at_once = (&mut ended).now_or_never();
        left.kill().await;
        ended.await.unwrap();

        assert!(at_once.is_none());
        assert_eq!(data.read(FILE).unwrap(), None);
    }
}
