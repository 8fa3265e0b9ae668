//! Items that a periodic job failed on: they rest, so that they do not hold up the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::Timestamp;
use mongodb::bson::{Document, doc};

use super::{Store, StoreError};
use crate::document::Document as Stored;

/// How long an item rests after its first failure; twice as long after each further one,
const FIRST: Duration = Duration::from_secs(30);
/// up to this.
const LONGEST: Duration = Duration::from_hours(1);
/// No more items rest at once: beyond, the one that is due first is forgotten.
const MOST: usize = 5_000;

/// Items of one job that failed lately, by id. Cheap to clone.
///
/// A job takes what is longest due first. Without this, items that fail each time, such as documents
/// that cannot be read, fill its page and the others never have their turn. Kept in memory: after a
/// restart each item is tried again.
#[derive(Clone, Debug, Default)]
pub struct Resting(Arc<Mutex<BTreeMap<String, Rest>>>);

#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Timestamp,
    failures: u32,
}

impl Resting {
    /// Notes that the job failed on an item.
    pub fn failed(&self, id: &impl ToString, now: Timestamp) {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = id.to_string();
        let failures = items.get(&id).map_or(0, |rest| rest.failures).saturating_add(1);
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(failures - 1)).min(LONGEST);
        if items.len() >= MOST && !items.contains_key(&id) {
            let first = items.iter().min_by_key(|(_, rest)| rest.until).map(|(id, _)| id.clone());
            first.and_then(|first| items.remove(&first));
        }
        items.insert(id, Rest { until: now.plus(pause), failures });
    }

    /// Notes that the job is done with an item.
    pub fn succeeded(&self, id: &impl ToString) {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !items.is_empty() {
            items.remove(&id.to_string());
        }
    }

    /// Whether an item rests now.
    pub(crate) fn rests(&self, id: &str, now: Timestamp) -> bool {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.get(id).is_some_and(|rest| now < rest.until)
    }

    /// The ids of the items that rest now.
    pub fn ids(&self, now: Timestamp) -> Vec<String> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().filter(|(_, rest)| now < rest.until).map(|(id, _)| id.clone()).collect()
    }
}

impl Store {
    /// The ids of documents that are due, without those that rest. `filter` names no id.
    pub async fn due<D: Stored>(
        &self,
        mut filter: Document,
        sort: Document,
        limit: i64,
        resting: &Resting,
    ) -> Result<Vec<D::Id>, StoreError>
    where
        D::Id: std::str::FromStr,
    {
        let rest = resting.ids(self.clock().now());
        if !rest.is_empty() {
            filter.insert("_id", doc! { "$nin": rest });
        }
        self.ids::<D>(filter, sort, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).unwrap()
    }

    #[test]
    fn failed_items_rest_longer_each_time() {
        let resting = Resting::default();

        resting.failed(&"a", at(0));
        assert_eq!(resting.ids(at(29)), ["a"]);
        assert!(resting.ids(at(30)).is_empty());
        resting.failed(&"a", at(30));
        assert_eq!(resting.ids(at(89)), ["a"]);
        for _ in 0..100 {
            resting.failed(&"a", at(90));
        }
        assert!(resting.ids(at(90 + 3_600)).is_empty());
        resting.succeeded(&"a");
        resting.failed(&"a", at(100));
        assert!(resting.ids(at(130)).is_empty());
    }

    #[test]
    fn resting_items_are_bounded() {
        let resting = Resting::default();

        for number in 0..=5_000 {
            resting.failed(&number, at(number));
        }

        assert_eq!(resting.ids(at(0)).len(), MOST);
        assert!(!resting.ids(at(0)).contains(&"0".to_owned()));
    }
}
