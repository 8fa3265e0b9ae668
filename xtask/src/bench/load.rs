//! Load that comes when it comes, however slow the answers are.
//!
//! Arrivals are scheduled before anything is asked, and what is late counts from when it was due:
//! a slow answer keeps nobody from coming, and hides nothing (no coordinated omission).

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Lets `rate` come each second for so long, each on its own, and waits for all of them.
///
/// Each gets its number and the moment at which it was due.
pub(crate) async fn arrive<F>(
    rate: u32,
    length: Duration,
    mut one: impl FnMut(u32, Instant) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut here, begin) = (JoinSet::new(), Instant::now());
    let all = u32::try_from(length.as_secs())? * rate;
    for number in 0..all {
        let due = begin + Duration::from_secs(1) * number / rate;
        sleep_until(due).await;
        here.spawn(one(number, due));
    }
    while let Some(ended) = here.join_next().await {
        ended?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_who_came_before() {
        let dues = Arc::new(Mutex::new(Vec::new()));
        let barrier = Arc::new(tokio::sync::Barrier::new(40));

        arrive(40, Duration::from_secs(1), |_, due| {
            dues.lock().unwrap().push(due);
            let all_are_here = Arc::clone(&barrier);
            async move {
                all_are_here.wait().await;
            }
        })
        .await
        .unwrap();

        let dues = dues.lock().unwrap();
        assert!(dues.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_millis(25)));
    }
}
