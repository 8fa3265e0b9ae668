//! The threads that hash passwords, and nothing else.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::Block;
use rustix::process::setpriority_process;
use tokio::sync::oneshot;
use tracing::warn;

/// How nice they are: what answers requests goes first wherever both want a processor.
const NICE: i32 = 10;

/// A thread without work keeps its memory for so long.
const KEPT: Duration = Duration::from_secs(10);
/// So many KiB are always set aside for a hash, of which no more is used than it takes: glibc gives
/// back what is larger than 32 MiB as soon as it is free, and keeps what is smaller.
const ASIDE: usize = 33 * 1024;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// What a thread hashes in, one hash after the other: to get it anew from the system for each takes
/// a third as long as the hash.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    /// So many blocks of 1 KiB, with whatever the hash before left in them.
    pub(crate) fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0.reserve_exact(count.max(ASIDE) - self.0.len());
            self.0.resize(count, Block::new());
        }
        &mut self.0[..count]
    }
}

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
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Option<T> {
        let (told, done) = oneshot::channel();
        let job = move |memory: &mut Memory| drop(told.send(work(memory)));
        self.0.send(Box::new(job)).ok()?;
        done.await.ok()
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    // On Linux the priority is the calling thread's own.
    if let Err(error) = setpriority_process(None, NICE) {
        warn!(%error, "passwords are hashed at the same priority as everything else");
    }
    let mut memory = Memory::default();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(KEPT);
        match next {
            // Who asked hears that there is no answer.
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(|| job(&mut memory)))),
            Err(RecvTimeoutError::Timeout) => memory = Memory::default(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_panics_stops_nobody_else() {
        let hashers = Hashers::start(NonZeroUsize::MIN);

        assert_eq!(hashers.run(|_| panic!("as a test")).await, None::<()>);
        assert_eq!(hashers.run(|_| 1).await, Some(1));
    }

    #[tokio::test]
    async fn those_who_hash_let_everybody_else_go_first() {
        let nice = |_: &mut Memory| rustix::process::getpriority_process(None).ok();
        let own = nice(&mut Memory::default());

        let theirs = Hashers::start(NonZeroUsize::MIN).run(nice).await;

        assert_eq!(theirs, Some(Some(NICE)));
        assert_eq!(nice(&mut Memory::default()), own);
    }

    #[tokio::test]
    async fn one_hash_after_the_other_is_made_in_the_same_memory() {
        let hashers = Hashers::start(NonZeroUsize::MIN);
        let place = |memory: &mut Memory| memory.blocks(8).as_ptr() as usize;

        let (first, second) = (hashers.run(place).await, hashers.run(place).await);
        let more = hashers.run(|memory| memory.blocks(9).len()).await;

        assert_eq!((first, more), (second, Some(9)));
    }
}
