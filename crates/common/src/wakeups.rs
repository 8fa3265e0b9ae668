//! Waking those who wait for a change.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Brings a change to those in this process who wait for it, such as a long poll.
///
/// What it holds is bounded by who waits: a key ends with its last [`Watch`].
#[derive(Clone, Debug, Default)]
pub struct Wakeups {
    keys: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

/// Sees every wake-up of its key from the moment it was made.
#[derive(Debug)]
pub struct Watch {
    key: String,
    // `None` only while it is dropped.
    changes: Option<watch::Receiver<()>>,
    wakeups: Wakeups,
}

impl Wakeups {
    /// Begins to watch a key. Do this before you read what you wait for: what changes after the
    /// reading then wakes you.
    pub fn watch(&self, key: impl Display) -> Watch {
        let key = key.to_string();
        let changes = self.keys().entry(key.clone()).or_default().subscribe();
        Watch { key, changes: Some(changes), wakeups: self.clone() }
    }

    /// Wakes all who watch this key.
    pub fn wake(&self, key: impl Display) {
        if let Some(key) = self.keys().get(&key.to_string()) {
            key.send_replace(());
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Waits until the key was woken since it is watched or since this was last true; false when
    /// nothing came within the bound.
    pub async fn changed(&mut self, bound: Duration) -> bool {
        let Some(changes) = &mut self.changes else { return false };
        matches!(tokio::time::timeout(bound, changes.changed()).await, Ok(Ok(())))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut keys = self.wakeups.keys();
        self.changes = None;
        // Watches begin and end under the lock: nobody can come in between.
        if keys.get(&self.key).is_some_and(|key| key.receiver_count() == 0) {
            keys.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Watch(u8),
        Wake(u8),
        Ask(u8),
        Leave(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0_u8..3).prop_map(Step::Watch),
            (0_u8..3).prop_map(Step::Wake),
            (0_u8..8).prop_map(Step::Ask),
            (0_u8..8).prop_map(Step::Leave),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn every_wake_up_after_the_watch_began_is_seen_once(steps in steps()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            let wakeups = Wakeups::default();
            // Beside each watch, whether it was woken since it was asked last.
            let mut watches: Vec<(u8, Watch, bool)> = Vec::new();

            for step in steps {
                match step {
                    Step::Watch(key) => watches.push((key, wakeups.watch(key), false)),
                    Step::Wake(key) => {
                        wakeups.wake(key);
                        for (_, _, woken) in watches.iter_mut().filter(|(watched, ..)| *watched == key) {
                            *woken = true;
                        }
                    }
                    Step::Ask(index) => if let Some((_, watch, woken)) = watches.get_mut(usize::from(index)) {
                        let changed = runtime.block_on(watch.changed(Duration::ZERO));
                        prop_assert_eq!(changed, std::mem::take(woken));
                    },
                    Step::Leave(index) => if usize::from(index) < watches.len() {
                        watches.swap_remove(usize::from(index));
                    },
                }
                let mut keys: Vec<u8> = watches.iter().map(|(key, ..)| *key).collect();
                keys.sort_unstable();
                keys.dedup();
                prop_assert_eq!(wakeups.keys().len(), keys.len());
            }
        }
    }

    #[tokio::test]
    async fn a_change_between_reading_and_waiting_wakes() {
        let wakeups = Wakeups::default();
        let mut watch = wakeups.watch("ord_1");

        wakeups.wake("ord_1");

        assert!(watch.changed(Duration::from_secs(5)).await);
        assert!(!watch.changed(Duration::ZERO).await);
    }

    #[tokio::test]
    async fn who_waits_in_another_task_is_woken() {
        let wakeups = Wakeups::default();
        let mut watch = wakeups.watch("ord_1");

        let (changed, ()) = tokio::join!(watch.changed(Duration::from_secs(5)), async {
            wakeups.wake("ord_2");
            wakeups.wake("ord_1");
        });

        assert!(changed);
    }
}
