//! Waiting for a database that is away, where nobody waits for an answer.

use std::fmt::Display;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tracing::warn;

use super::{StoreError, UpdateError};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two complaints.
const QUIET: Duration = Duration::from_secs(5);

/// Why something was not done that may be done at another time.
pub trait MayBeAway: Display {
    /// Whether it may be done once the database is back.
    fn is_away(&self) -> bool;
}

impl MayBeAway for StoreError {
    fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

impl<R: Display> MayBeAway for UpdateError<R> {
    fn is_away(&self) -> bool {
        match self {
            Self::Store(error) => error.is_away(),
            Self::Busy => true,
            Self::Refused(_) | Self::KeyReused | Self::Stale => false,
        }
    }
}

/// Does what may be done twice, again and again as long as the database is away: a service starts
/// in any order, and through elections.
///
/// # Errors
/// Whatever else came of it.
pub async fn patiently<T, E: MayBeAway>(
    mut work: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut said: Option<Instant> = None;
    loop {
        match work().await {
            Err(error) if error.is_away() => {
                if said.is_none_or(|said| said.elapsed() > QUIET) {
                    warn!(%error, "waiting");
                    said = Some(Instant::now());
                }
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_prepared_waits_for_a_database_that_is_away_and_for_nothing_else() {
        let mut tries = 0;

        let done = patiently(async || {
            tries += 1;
            if tries < 3 { Err(StoreError::Away("an election".to_owned())) } else { Ok(tries) }
        });
        let done = done.await.unwrap();
        let refused = patiently(async || Err::<(), _>(StoreError::Shut)).await;

        assert_eq!(done, 3);
        assert!(matches!(refused, Err(StoreError::Shut)));
    }

    #[tokio::test]
    async fn a_change_waits_for_a_database_that_is_away_and_for_others_and_is_refused_once() {
        let away = StoreError::Away("an election".to_owned());
        let mut outcomes =
            vec![UpdateError::Refused("no"), UpdateError::Busy, UpdateError::Store(away)];

        let done = patiently(async || Err::<(), _>(outcomes.pop().unwrap())).await;

        assert!(matches!(done, Err(UpdateError::Refused("no"))));
        assert!(outcomes.is_empty());
    }
}
