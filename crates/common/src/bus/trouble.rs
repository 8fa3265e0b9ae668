//! What the store says, in the words of a handler.

use std::error::Error;

use super::{Fact, Trouble};
use crate::store::{Receipt, StoreError, UpdateError};

impl<E> Fact<E> {
    /// The receipt of a change that this event leads to: its repeat changes nothing.
    pub fn receipt(&self) -> Receipt {
        Receipt::event(self.consumer(), &self.envelope)
    }
}

impl<R: Error> From<UpdateError<R>> for Trouble {
    fn from(error: UpdateError<R>) -> Self {
        match error {
            UpdateError::Store(error) => error.into(),
            UpdateError::Busy => Self::Away(error.to_string()),
            UpdateError::Refused(_) | UpdateError::KeyReused | UpdateError::Stale => {
                Self::Reject(error.to_string())
            }
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away(_) | StoreError::Shut => Self::Away(error.to_string()),
            // A replica of that version takes it.
            StoreError::Newer { .. } => Self::Wait(error.to_string()),
            // It is as large the next time.
            StoreError::TooLarge { .. } => Self::Reject(error.to_string()),
            // The database is there, and something is wrong with this event or what it is about:
            // the others must not wait for it.
            StoreError::Refused { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Unwritable(_)
            | StoreError::OutOfScope { .. }
            | StoreError::Panicked { .. } => Self::Retry(error.to_string()),
        }
    }
}
