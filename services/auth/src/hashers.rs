//! The threads that hash passwords, and nothing else.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::setpriority_process;
use tokio::sync::oneshot;
use tracing::warn;

/// How nice they are: what answers requests goes first wherever both want a processor.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// Threads of a lower priority, which end with the last of those who may ask them.
#[derive(Clone, Debug)]
pub(crate) struct Hashers(Sender<Job>);

impl Hashers {
    /// So many.
    pub(crate) fn start(threads: NonZeroUsize) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads.get() {
            let waiting = Arc::clone(&waiting);
            let started =
                thread::Builder::new().name("hashing".into()).spawn(move || work(&waiting));
            if let Err(error) = started {
                warn!(%error, "a thread that hashes passwords cannot be started");
            }
        }
        Self(jobs)
    }

    /// Does it when it is its turn, in the order of asking, whether or not the one who asked is
    /// still there; nothing when it panicked, or no thread is left.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (told, done) = oneshot::channel();
        let job = move || drop(told.send(work()));
        self.0.send(Box::new(job)).ok()?;
        done.await.ok()
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    // On Linux the priority is the calling thread's own.
    if let Err(error) = setpriority_process(None, NICE) {
        warn!(%error, "passwords are hashed at the same priority as everything else");
    }
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Who asked hears that there is no answer.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_panics_stops_nobody_else() {
        let hashers = Hashers::start(NonZeroUsize::MIN);

        assert_eq!(hashers.run(|| panic!("as a test")).await, None::<()>);
        assert_eq!(hashers.run(|| 1).await, Some(1));
    }

    #[tokio::test]
    async fn those_who_hash_let_everybody_else_go_first() {
        let nice = || rustix::process::getpriority_process(None).ok();
        let own = nice();

        let theirs = Hashers::start(NonZeroUsize::MIN).run(nice).await;

        assert_eq!(theirs, Some(Some(NICE)));
        assert_eq!(nice(), own);
    }
}
