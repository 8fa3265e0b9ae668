//! Starting what does not start at once.

use std::iter;
use std::time::Duration;

use testkit::StartError;
use tokio::time::sleep;

use super::progress::say;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How often something is tried before the shop is given up.
const TRIES: usize = 3;

/// Pauses between starts, each twice as long as the one before, for ever.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    iter::successors(Some(FIRST_PAUSE), |pause| Some((*pause * 2).min(LONGEST_PAUSE)))
}

/// The few pauses of a first start: what does not come up then needs a person.
pub(crate) fn first_pauses() -> impl Iterator<Item = Duration> {
    pauses().take(TRIES - 1)
}

/// Starts something, again after each pause as long as it fails, and says why it did.
pub(crate) async fn patiently<T>(
    mut pauses: impl Iterator<Item = Duration>,
    mut start: impl AsyncFnMut() -> Result<T, StartError>,
) -> Result<T, StartError> {
    let mut said = String::new();
    loop {
        match (start().await, pauses.next()) {
            (Err(error), Some(pause)) => {
                let reason = error.to_string();
                let first = reason.lines().next().unwrap_or_default();
                // What it said last is seldom new the second time.
                say(if said == first { first } else { &reason });
                say(format_args!("trying again in {pause:?}"));
                said = first.to_owned();
                sleep(pause).await;
            }
            (outcome, _) => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let pauses: Vec<_> = pauses().take(8).map(|pause| pause.as_millis()).collect();

        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    }
}
