//! The tasks of a service: a stop waits for them, and none dies unnoticed.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::error;

/// Runs tasks until they end, until one fails, or until what is left is cut off.
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
                tasks.fail(name);
            }
        });
    }

    /// Minds tasks that were started elsewhere: they are waited for, and are to end only when they
    /// may.
    pub(crate) fn mind(&self, name: &'static str, these: TaskTracker, may_end: CancellationToken) {
        let tasks = self.clone();
        self.spawn(name, async move {
            these.close();
            these.wait().await;
            if !may_end.is_cancelled() {
                error!(task = name, "a task ended by itself");
                tasks.fail(name);
            }
        });
    }

    fn fail(&self, name: &'static str) {
        self.culprit.get_or_init(|| name);
        self.broken.cancel();
    }

    /// Waits until a task fails.
    pub(crate) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// The task that failed first, if one has.
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

/// All that goes on in a service, by when a stop ends it. Dropping it ends all at once.
#[derive(Debug)]
pub(crate) struct Life {
    /// Cancelled first: what waits is to end, and nothing new is to begin.
    pub(crate) stopping: CancellationToken,
    /// What is then waited for: requests, handlers, chores.
    pub(crate) work: Tasks,
    /// What is waited for after that: the relay.
    pub(crate) telling: Tasks,
    /// What goes on until the very end.
    pub(crate) support: Tasks,
    _end: DropGuard,
}

impl Default for Life {
    fn default() -> Self {
        let work = Tasks::default();
        let (telling, support) = (work.beside(), work.beside());
        let stopping = work.cutter().child_token();
        let end = work.cutter().drop_guard();
        Self { stopping, work, telling, support, _end: end }
    }
}

/// Only fixed texts are logged: what a panic formats may hold what nobody should read.
fn said(panic: &(dyn Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("(not shown)")
}
