//! A little of it.

use std::path::PathBuf;

use super::{Args, suffer};
use crate::up::build;

/// Where the services are: a test runs in `target/<profile>/deps`.
fn binaries() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_keeps_its_promises_whatever_happens() {
    if !testkit::full() {
        return;
    }
    // A test builds itself alone: what is beside it may be old, or missing.
    build(false).await.unwrap();
    let args = Args { minutes: 0.5, seed: 4, rate: 3, release: false };

    suffer(args, &binaries()).await.unwrap();
}
