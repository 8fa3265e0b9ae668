//! Load: people who come when they come, and clients who ask again as soon as they are answered.
//!
//! Arrivals are scheduled before anything is asked, and what is late counts from when it was due:
//! a slow answer keeps nobody from coming, and hides nothing (no coordinated omission). Where
//! clients take turns instead, the page says so.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::record::Record;

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
    let all = u32::try_from(length.as_millis() * u128::from(rate) / 1000)?;
    for number in 0..all {
        let due = begin + Duration::from_secs(1) * number / rate;
        sleep_until(due).await;
        here.spawn(one(number, due));
        while let Some(ended) = here.try_join_next() {
            ended?;
        }
    }
    while let Some(ended) = here.join_next().await {
        ended?;
    }
    Ok(())
}

/// Lets so many clients ask for so long, each again as soon as it is answered (a closed loop), and
/// says how many answers came each second.
///
/// Each turn has a number of its own.
pub(crate) async fn take_turns<F>(
    clients: u32,
    length: Duration,
    record: Arc<Record>,
    step: &'static str,
    one: impl Fn(u32) -> F + Clone + Send + 'static,
) -> anyhow::Result<f64>
where
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let (mut here, begin) = (JoinSet::new(), Instant::now());
    for client in 0..clients {
        let (one, record) = (one.clone(), Arc::clone(&record));
        here.spawn(async move {
            let mut answers = 0_u32;
            let mut number = client;
            while begin.elapsed() < length {
                let asked = Instant::now();
                match one(number).await {
                    Ok(()) => record.took(step, asked.elapsed()),
                    Err(error) => record.trouble(format!("{error:#}")),
                }
                (answers, number) = (answers + 1, number + clients);
            }
            answers
        });
    }
    let mut answers = 0;
    while let Some(ended) = here.join_next().await {
        answers += ended?;
    }
    Ok(f64::from(answers) / begin.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

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

    #[tokio::test]
    async fn so_many_clients_ask_at_once_and_no_turn_comes_twice() {
        let (numbers, at_once) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
        let record = Arc::new(Record::default());
        let most = Arc::new(AtomicU32::new(0));

        let (seen, here, peak) = (Arc::clone(&numbers), at_once, Arc::clone(&most));
        take_turns(4, Duration::from_millis(50), record, "turn", move |number| {
            let (seen, here, peak) = (Arc::clone(&seen), Arc::clone(&here), Arc::clone(&peak));
            async move {
                peak.fetch_max(here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                here.fetch_sub(1, Ordering::SeqCst);
                seen.lock().unwrap().push(number);
                Ok(())
            }
        })
        .await
        .unwrap();

        let mut numbers = numbers.lock().unwrap();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!((numbers.len(), most.load(Ordering::SeqCst)), (all, 4));
    }
}
