//! Room for those who wait for something to happen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use contracts::UserId;

/// The long polls and event streams of one replica: bounded in all and for each person, and
/// apart from the requests that are being worked on.
#[derive(Clone, Debug)]
pub struct LongPolls {
    in_all: usize,
    per_person: usize,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    in_all: usize,
    of: HashMap<UserId, usize>,
}

/// Room for one to wait; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    polls: LongPolls,
    person: UserId,
}

impl LongPolls {
    /// Room for so many.
    pub fn new(in_all: usize, per_person: usize) -> Self {
        Self { in_all, per_person, waiting: Arc::default() }
    }

    /// Room for this person to wait, if there is any.
    pub fn enter(&self, person: UserId) -> Option<Permit> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = waiting.of.get(&person).copied().unwrap_or(0);
        if waiting.in_all >= self.in_all || theirs >= self.per_person {
            return None;
        }
        waiting.in_all += 1;
        waiting.of.insert(person, theirs + 1);
        Some(Permit { polls: self.clone(), person })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut waiting = self.polls.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.in_all -= 1;
        match waiting.of.get_mut(&self.person) {
            Some(theirs) if *theirs > 1 => *theirs -= 1,
            _ => drop(waiting.of.remove(&self.person)),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::UserId;
    use uuid::Uuid;

    use super::*;

    const ALICE: UserId = UserId::from_uuid(Uuid::from_u128(1));
    const BOB: UserId = UserId::from_uuid(Uuid::from_u128(2));

    #[test]
    fn one_person_cannot_take_all_the_room() {
        let polls = LongPolls::new(10, 2);

        let held = [polls.enter(ALICE), polls.enter(ALICE), polls.enter(BOB)];

        assert!(held.iter().all(Option::is_some));
        assert!(polls.enter(ALICE).is_none());
        drop(held);
        assert!(polls.enter(ALICE).is_some());
    }

    #[test]
    fn a_replica_holds_only_so_many() {
        let polls = LongPolls::new(1, 5);

        let held = polls.enter(ALICE);

        assert!(polls.enter(BOB).is_none());
        drop(held);
        assert!(polls.enter(BOB).is_some());
        assert!(polls.waiting.lock().unwrap().of.is_empty());
    }
}
