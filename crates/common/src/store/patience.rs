//! Waiting for a database that is away, where nobody waits for an answer.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tracing::warn;

use super::StoreError;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two complaints.
const QUIET: Duration = Duration::from_secs(5);

/// Does what may be done twice, again and again as long as the database is away: a service starts
/// in any order, and through elections.
pub(crate) async fn patiently<T>(
    mut work: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut said: Option<Instant> = None;
    loop {
        match work().await {
            Err(error @ StoreError::Away(_)) => {
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
}
