//! Hashing passwords: slow on purpose, so never too many at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::error;

use crate::domain::{Password, PasswordHash, Proof};
use crate::hashers::{Hashers, Memory};
use crate::random;

/// The memory that one hash takes, in KiB; with [`ROUNDS`] and [`LANES`] it is what the OWASP
/// password storage cheat sheet asks for.
const MEMORY: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;
/// How many hashes wait for each that is worked on; they are through in a few seconds.
const WAITING: usize = 192;
/// How many for each that is worked on have done what comes before: a crowd asks the database no
/// faster than it is hashed.
const NEAR: usize = 4;
/// The hash of no password: what is typed for an unknown address is checked against it, so that
/// the time it takes does not tell.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1wYXNzd29yZA\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords with argon2id, beside the threads that serve requests.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    near: Arc<Semaphore>,
    hashers: Hashers,
}

/// A place among those whose password is worked on: taken before anything else is done, so that
/// who finds none costs nothing.
#[derive(Debug)]
pub(crate) struct Place {
    _held: OwnedSemaphorePermit,
    near: Arc<Semaphore>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Waits until it is nearly its turn.
    pub(crate) async fn near(self) -> Result<Self, Busy> {
        let turn = Arc::clone(&self.near).acquire_owned().await.map_err(|_| Busy)?;
        Ok(Self { _turn: Some(turn), ..self })
    }
}

/// Too many passwords are being checked already: come back in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign in at this moment")]
pub(crate) struct Busy;

impl Busy {
    /// When to come back: when many of them are through, and not all at once.
    pub(crate) fn over() -> Duration {
        let [drawn] = random::bytes::<1>();
        Duration::from_secs(2 + u64::from(drawn % 4))
    }
}

impl Passwords {
    /// So many at once; unless it is said, as many as there are processors but one, which goes on
    /// serving.
    pub(crate) fn new(threads: Option<NonZeroUsize>) -> Self {
        let processors = || available_parallelism().map_or(1, usize::from);
        let all_but_one = || NonZeroUsize::new(processors() - 1).unwrap_or(NonZeroUsize::MIN);
        let threads = threads.unwrap_or_else(all_but_one);
        Self {
            places: Arc::new(Semaphore::new(threads.get() * (1 + WAITING))),
            near: Arc::new(Semaphore::new(threads.get() * NEAR)),
            hashers: Hashers::start(threads),
        }
    }

    /// A place, unless all are taken.
    pub(crate) fn place(&self) -> Result<Place, Busy> {
        let held = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        Ok(Place { _held: held, near: Arc::clone(&self.near), _turn: None })
    }

    /// What is to be kept of a password.
    pub(crate) async fn hash(
        &self,
        place: Place,
        password: Password,
    ) -> Result<PasswordHash, Busy> {
        self.work(place, move |memory| hash(memory, &password.normalised())).await
    }

    /// The proof that this is the password that was hashed. It takes as long to find none of
    /// nobody's.
    pub(crate) async fn check(
        &self,
        place: Place,
        password: Password,
        kept: Option<PasswordHash>,
    ) -> Result<Option<Proof>, Busy> {
        self.work(place, move |memory| check(memory, &password, kept)).await
    }

    /// The proof that this is the password that was hashed, and what is to be kept of the one chosen
    /// instead. One place is enough for both: who was let in is not sent away halfway.
    pub(crate) async fn exchange(
        &self,
        place: Place,
        password: Password,
        kept: Option<PasswordHash>,
        chosen: Password,
    ) -> Result<Option<(Proof, PasswordHash)>, Busy> {
        let exchange = move |memory: &mut Memory| {
            let proof = check(memory, &password, kept)?;
            Some((proof, hash(memory, &chosen.normalised())))
        };
        self.work(place, exchange).await
    }

    /// Works when it is its turn; the place is taken until it is done, whether or not the one who
    /// asked is still there.
    async fn work<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let work = move |memory: &mut Memory| {
            let _held = place;
            work(memory)
        };
        self.hashers.run(work).await.ok_or(Busy)
    }
}

fn current() -> Params {
    Params::new(MEMORY, ROUNDS, LANES, None).expect("parameters of the cheat sheet")
}

fn hash(memory: &mut Memory, password: &Password) -> PasswordHash {
    hash_with(&current(), memory, password)
}

fn hash_with(params: &Params, memory: &mut Memory, password: &Password) -> PasswordHash {
    let (salt, mut output) = (random::bytes::<16>(), [0; Params::DEFAULT_OUTPUT_LEN]);
    compute(params, memory, password, &salt, &mut output).expect("a salt of 16 bytes will do");
    let text = phc::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).expect("parameters without data"),
        salt: Some(Salt::new(&salt).expect("a salt of 16 bytes will do")),
        hash: Some(Output::new(&output).expect("32 bytes are an output")),
    };
    PasswordHash::from_phc(text.to_string())
}

/// One hash, whoever it is of and however it was typed; one more where it is right and outdated.
fn check(memory: &mut Memory, password: &Password, kept: Option<PasswordHash>) -> Option<Proof> {
    let against = kept.as_ref().map_or(NOBODYS, PasswordHash::as_phc);
    let normal = password.normalised();
    let right = verify(memory, &normal, against);
    let verified = kept.filter(|_| right)?;
    let current = is_current(verified.as_phc());
    Some(Proof { renewed: (!current).then(|| hash(memory, &normal)), verified })
}

/// Whether it is hashed as it would be today.
fn is_current(kept: &str) -> bool {
    let Ok(kept) = phc::PasswordHash::new(kept) else { return false };
    let params = Params::try_from(&kept).ok();
    let same = |params: Params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, ROUNDS, LANES)
    };
    kept.algorithm == ARGON2ID_IDENT && params.is_some_and(same)
}

fn verify(memory: &mut Memory, password: &Password, kept: &str) -> bool {
    let said = try_verify(memory, password, kept);
    said.unwrap_or_else(|| {
        error!("a kept password hash cannot be read");
        false
    })
}

fn try_verify(memory: &mut Memory, password: &Password, kept: &str) -> Option<bool> {
    let kept = phc::PasswordHash::new(kept).ok()?;
    let (salt, expected) = (kept.salt?, kept.hash?);
    let params = Params::try_from(&kept).ok()?;
    let mut output = vec![0; expected.len()];
    compute(&params, memory, password, &salt, &mut output).ok()?;
    Some(verify_slices_are_equal(&output, expected.as_bytes()).is_ok())
}

fn compute(
    params: &Params,
    memory: &mut Memory,
    password: &Password,
    salt: &[u8],
    output: &mut [u8],
) -> argon2::Result<()> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()).hash_password_into_with_memory(
        password.expose().as_bytes(),
        salt,
        output,
        memory.blocks(params.block_count()),
    )
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    fn password(text: &str) -> Password {
        text.to_owned().into()
    }

    fn hash(password: &Password) -> PasswordHash {
        super::hash(&mut Memory::default(), password)
    }

    fn check(password: &Password, kept: Option<PasswordHash>) -> Option<Proof> {
        super::check(&mut Memory::default(), password, kept)
    }

    /// How a hash was made, and how long its salt and the hash itself are.
    fn made(text: &str) -> (String, Option<u32>, String, Option<usize>, Option<usize>) {
        let phc::PasswordHash { algorithm, version, params, salt, hash } =
            phc::PasswordHash::new(text).unwrap();
        let lengths = (salt.map(|it| it.len()), hash.map(|it| it.len()));
        (algorithm.to_string(), version, params.to_string(), lengths.0, lengths.1)
    }

    async fn hashed(passwords: &Passwords, text: &str) -> PasswordHash {
        passwords.hash(passwords.place().unwrap(), password(text)).await.unwrap()
    }

    async fn checked(
        passwords: &Passwords,
        text: &str,
        kept: Option<PasswordHash>,
    ) -> Option<Proof> {
        passwords.check(passwords.place().unwrap(), password(text), kept).await.unwrap()
    }

    fn renewed(text: &Password, kept: &PasswordHash) -> Option<PasswordHash> {
        check(text, Some(kept.clone())).expect("it is right").renewed
    }

    #[tokio::test]
    async fn a_password_is_recognised() {
        let passwords = Passwords::new(None);

        let kept = hashed(&passwords, "correct horse").await;

        let check = async |text: &str| checked(&passwords, text, Some(kept.clone())).await;
        let proof = Proof { verified: kept.clone(), renewed: None };
        assert_eq!(check("correct horse").await, Some(proof));
        assert_eq!(check("correct horsf").await, None);
        assert!(kept.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.as_phc());
        assert_ne!(hashed(&passwords, "correct horse").await, kept);
    }

    #[test]
    fn what_is_kept_is_what_others_would_keep_whatever_was_hashed_before() {
        let (mut memory, others) = (Memory::default(), Argon2::default());

        for text in ["battery staple", "correct horse"] {
            let kept = super::hash(&mut memory, &password(text));

            assert!(others.verify_password(text.as_bytes(), kept.as_phc()).is_ok());
            assert!(others.verify_password(b"correct horsf", kept.as_phc()).is_err());
        }
    }

    #[test]
    fn what_was_hashed_otherwise_is_hashed_anew() {
        let weaker = Params::new(8_192, 1, 1, None).unwrap();
        let text = password("correct horse");
        let kept = hash_with(&weaker, &mut Memory::default(), &text);

        let anew = renewed(&text, &kept).expect("another hash");

        assert_eq!(renewed(&text, &anew), None);
        assert_eq!(check(&password("wrong horse"), Some(kept)), None);
    }

    #[test]
    fn a_password_is_recognised_however_it_is_composed() {
        let (composed, decomposed) =
            (password("caf\u{e9} au lait"), password("cafe\u{301} au lait"));

        let normal = hash(&composed.normalised());
        assert_eq!(renewed(&decomposed, &normal), None);

        assert_eq!(check(&decomposed, None), None);
    }

    #[test]
    fn nothing_is_hashed_once_more_as_it_was_typed() {
        let typed = password("cafe\u{301} au lait");

        assert_eq!(check(&typed, Some(hash(&typed))), None);
    }

    #[test]
    fn nobodys_password_takes_the_work_that_anybodys_takes() {
        let kept = hash(&password("correct horse"));

        assert_eq!(made(NOBODYS), made(kept.as_phc()));
        for against in [NOBODYS, kept.as_phc()] {
            let mut memory = Memory::default();
            let said = try_verify(&mut memory, &password("wrong horse"), against);
            assert_eq!(said, Some(false), "it was hashed and compared");
        }
        assert!(is_current(NOBODYS));
    }

    #[tokio::test]
    async fn one_place_is_enough_to_choose_another_password() {
        let passwords = Passwords::new(NonZeroUsize::new(1));
        let kept = hashed(&passwords, "correct horse").await;
        let _crowd = Arc::clone(&passwords.places).acquire_many_owned(192).await.unwrap();
        let exchange = async |text: &str| {
            let place = passwords.place().unwrap();
            let chosen = password("battery staple");
            passwords.exchange(place, password(text), Some(kept.clone()), chosen).await
        };

        assert_eq!(exchange("wrong horse").await, Ok(None));
        let (proof, chosen) = exchange("correct horse").await.unwrap().unwrap();

        assert_eq!(proof, Proof { verified: kept.clone(), renewed: None });
        assert!(check(&password("battery staple"), Some(chosen)).is_some());
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_recognises_nothing() {
        let broken = PasswordHash::from_phc("$argon2id$v=19$m=19456");

        let said = checked(&Passwords::new(None), "correct horse", Some(broken)).await;

        assert_eq!(said, None);
    }

    #[tokio::test]
    async fn those_beyond_the_queue_are_sent_away() {
        let passwords = Passwords::new(NonZeroUsize::new(1));
        let all = Arc::clone(&passwords.places).acquire_many_owned(193).await.unwrap();

        assert_eq!(passwords.place().unwrap_err(), Busy);

        drop(all);
        hashed(&passwords, "correct horse").await;
    }
}
