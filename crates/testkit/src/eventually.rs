//! Waiting for what will be true soon.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Asks `probe` again and again until it has something to give.
///
/// # Panics
/// When `bound` has passed without it, naming `what` was waited for.
pub async fn eventually<T>(
    what: &str,
    bound: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let patience = async {
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    let began = Instant::now();
    let found = tokio::time::timeout(bound, patience).await;
    found.unwrap_or_else(|_| panic!("not within {:.1?}: {what}", began.elapsed()))
}
