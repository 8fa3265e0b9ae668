//! Hashing passwords: slow on purpose, so never too many at once.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::error;

use crate::domain::{Password, PasswordHash};
use crate::random;

/// The memory that one hash takes, in KiB; with [`ROUNDS`] and [`LANES`] it is what the OWASP
/// password storage cheat sheet asks for.
const MEMORY: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;
/// How many hashes wait for each that is worked on; they are through in a few seconds.
const WAITING: usize = 64;
/// So many KiB are always set aside for a hash, of which no more is used than it takes: glibc gives
/// back what is larger than 32 MiB as soon as it is free, and keeps what is smaller.
const ASIDE: usize = 33 * 1024;
/// The hash of no password: what is typed for an unknown address is checked against it, so that
/// the time it takes does not tell.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords with argon2id, beside the threads that serve requests.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

/// Too many passwords are being checked already: come back in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign in at this moment")]
pub(crate) struct Busy;

impl Busy {
    /// By when most of them are through.
    pub(crate) const OVER: Duration = Duration::from_secs(2);
}

impl Passwords {
    /// As many at once as there are processors but one, which goes on serving.
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::with_workers(processors.saturating_sub(1).max(1))
    }

    fn with_workers(workers: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(workers * (1 + WAITING))),
            workers: Arc::new(Semaphore::new(workers)),
        }
    }

    /// What is to be kept of a password.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, Busy> {
        self.work(move || hash(&password)).await
    }

    /// Whether this is the password that was hashed. It takes as long to say so of nobody's.
    pub(crate) async fn verify(
        &self,
        password: Password,
        kept: Option<PasswordHash>,
    ) -> Result<bool, Busy> {
        self.work(move || {
            let against = kept.as_ref().map_or(NOBODYS, PasswordHash::as_phc);
            verify(&password, against) && kept.is_some()
        })
        .await
    }

    /// Works when it is its turn. What was begun is finished, and counted, whether or not the one
    /// who asked is still there.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| Busy)?;
        let done = spawn_blocking(move || {
            let _held = (place, worker);
            work()
        });
        done.await.map_err(|_| Busy)
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

fn hash(password: &Password) -> PasswordHash {
    let params = Params::new(MEMORY, ROUNDS, LANES, None).expect("parameters of the cheat sheet");
    let (salt, mut output) = (random::bytes::<16>(), [0; Params::DEFAULT_OUTPUT_LEN]);
    compute(&params, password, &salt, &mut output).expect("a salt of 16 bytes will do");
    let text = phc::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).expect("parameters without data"),
        salt: Some(Salt::new(&salt).expect("a salt of 16 bytes will do")),
        hash: Some(Output::new(&output).expect("32 bytes are an output")),
    };
    PasswordHash::from_phc(text.to_string())
}

fn verify(password: &Password, kept: &str) -> bool {
    let said = try_verify(password, kept);
    said.unwrap_or_else(|| {
        error!("a kept password hash cannot be read");
        false
    })
}

fn try_verify(password: &Password, kept: &str) -> Option<bool> {
    let kept = phc::PasswordHash::new(kept).ok()?;
    let (salt, expected) = (kept.salt?, kept.hash?);
    let params = Params::try_from(&kept).ok()?;
    let mut output = vec![0; expected.len()];
    compute(&params, password, &salt, &mut output).ok()?;
    Some(verify_slices_are_equal(&output, expected.as_bytes()).is_ok())
}

fn compute(
    params: &Params,
    password: &Password,
    salt: &[u8],
    output: &mut [u8],
) -> argon2::Result<()> {
    let mut memory = Vec::with_capacity(params.block_count().max(ASIDE));
    memory.resize(params.block_count(), Block::new());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()).hash_password_into_with_memory(
        password.expose().as_bytes(),
        salt,
        output,
        memory,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    fn password(text: &str) -> Password {
        text.to_owned().into()
    }

    #[tokio::test]
    async fn a_password_is_recognised() {
        let passwords = Passwords::new();

        let kept = passwords.hash(password("correct horse")).await.unwrap();

        let verify = async |text: &str| passwords.verify(password(text), Some(kept.clone())).await;
        assert_eq!(verify("correct horse").await, Ok(true));
        assert_eq!(verify("correct horsf").await, Ok(false));
        assert!(kept.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.as_phc());
        assert_ne!(passwords.hash(password("correct horse")).await, Ok(kept));
    }

    #[test]
    fn what_is_kept_is_what_others_would_keep() {
        let kept = hash(&password("correct horse"));

        let others = Argon2::default();
        assert!(others.verify_password(b"correct horse", kept.as_phc()).is_ok());
        assert!(others.verify_password(b"correct horsf", kept.as_phc()).is_err());
    }

    #[tokio::test]
    async fn nobodys_password_takes_as_long_as_anybodys() {
        let passwords = Passwords::new();
        let kept = passwords.hash(password("correct horse")).await.unwrap();
        let timed = async |kept: Option<PasswordHash>| {
            let began = Instant::now();
            let right = passwords.verify(password("wrong horse"), kept).await;
            assert_eq!(right, Ok(false));
            began.elapsed()
        };

        let (somebodys, nobodys) = (timed(Some(kept)).await, timed(None).await);

        let ratio = somebodys.as_secs_f64() / nobodys.as_secs_f64();
        assert!((0.2..5.0).contains(&ratio), "{somebodys:?} {nobodys:?}");
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_recognises_nothing() {
        let broken = PasswordHash::from_phc("$argon2id$v=19$m=19456");

        let right = Passwords::new().verify(password("correct horse"), Some(broken)).await;

        assert_eq!(right, Ok(false));
    }

    #[tokio::test]
    async fn those_beyond_the_queue_are_sent_away() {
        let passwords = Passwords::with_workers(1);
        let all = Arc::clone(&passwords.places).acquire_many_owned(65).await.unwrap();

        let sent_away = passwords.hash(password("correct horse")).await;
        assert_eq!(sent_away, Err(Busy));

        drop(all);
        assert!(passwords.hash(password("correct horse")).await.is_ok());
    }
}
