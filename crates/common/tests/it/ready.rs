//! Making a service ready: it has to know the keys that tokens are signed with.

use std::time::Duration;

use testkit::{Client, Peer, World, eventually};

const SOON: Duration = Duration::from_secs(20);

/// Tells the keys, as auth does, and waits until the service says that it is ready.
pub(crate) async fn make_ready(world: &World, ops: &Client) {
    Peer::join(world).await.tell_keys().await;
    eventually("it is ready", SOON, async || ops.get("/ready").await.is_ok().then_some(())).await;
}
