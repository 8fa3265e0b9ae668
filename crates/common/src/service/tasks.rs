//! The tasks of a service: a stop waits for them, and none dies unnoticed.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

/// Runs tasks until they end, until one panics, or until what is left is cut off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    cut: CancellationToken,
    broken: CancellationToken,
    culprit: Arc<OnceLock<&'static str>>,
}

impl Tasks {
    /// Further tasks, to be waited for by themselves; they share the fate of these.
    pub(crate) fn beside(&self) -> Self {
        Self { tracker: TaskTracker::new(), ..self.clone() }
    }

    /// Runs a task. Should it panic, the whole service stops: a limping one is worse than none.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let tasks = self.clone();
        self.tracker.spawn(async move {
            let task = AssertUnwindSafe(tasks.cut.run_until_cancelled(task));
            if let Err(panic) = task.catch_unwind().await {
                error!(task = name, panic = said(&*panic), "a task panicked");
                tasks.culprit.get_or_init(|| name);
                tasks.broken.cancel();
            }
        });
    }

    /// Waits until a task panics.
    pub(crate) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// The task that panicked, if one has.
    pub(crate) fn culprit(&self) -> Option<&'static str> {
        self.culprit.get().copied()
    }

    /// Waits until all have ended; none should be started after.
    pub(crate) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Ends all of them at once when it is cancelled.
    pub(crate) fn cutter(&self) -> CancellationToken {
        self.cut.clone()
    }
}

/// Only fixed texts are logged: what a panic formats may hold what nobody should read.
fn said(panic: &(dyn Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("(not shown)")
}
