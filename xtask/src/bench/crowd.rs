//! Where the shoppers live: threads of their own, so that what they cost can be told apart.

use std::io;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// What their threads are called.
pub(crate) const THREADS: &str = "shoppers";

/// Threads for all that only asks. What is left of it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Crowd {
    runtime: Option<Runtime>,
}

impl Crowd {
    /// As many threads as there are processors.
    pub(crate) fn gather() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().thread_name(THREADS).enable_all().build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Does it on these threads; it ends when nobody waits for it any longer.
    pub(crate) async fn does<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let runtime = self.runtime.as_ref().context("the crowd has gone")?;
        let mut only = JoinSet::new();
        only.spawn_on(work, runtime.handle());
        Ok(only.join_next().await.context("one was sent")??)
    }
}

/// A runtime that is dropped where others work would wait for its threads.
impl Drop for Crowd {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
