//! What can go wrong in a commit.

use contracts::Timestamp;
use mongodb::bson;

use crate::change::Unwritable;

/// The database did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or has no primary, right now. Nothing is known to have changed.
    #[error("the database is away: {0}")]
    Away(String),
    /// It refused; the same call will be refused again.
    #[error("the database refused {what}: {why}")]
    Refused {
        /// What was asked.
        what: String,
        /// What it said.
        why: String,
    },
    /// A stored document does not read as what it should be.
    #[error("{id} in {collection} cannot be read: {why}")]
    Unreadable {
        /// Where it is kept.
        collection: &'static str,
        /// Which one.
        id: String,
        /// What does not fit.
        why: String,
    },
    /// A newer version of the service wrote it, and alone may change it.
    #[error("{id} in {collection} was written by a newer version of this service")]
    Newer {
        /// Where it is kept.
        collection: &'static str,
        /// Which one.
        id: String,
    },
    /// A decision came to something that cannot be stored.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// A decision emits an event that the broker would never take.
    #[error("{what} of {bytes} bytes is larger than {most}")]
    TooLarge {
        /// The type of the event.
        what: String,
        /// How large it would be.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
    /// A decision changed, or told of, a thing that was not in its scope: a mistake in the code.
    #[error("{id} is outside the scope of the decision")]
    OutOfScope {
        /// The thing.
        id: String,
    },
    /// A decision panicked.
    #[error("a decision panicked at {at}")]
    Panicked {
        /// When.
        at: Timestamp,
    },
    /// The store is shut.
    #[error("the store is shut")]
    Shut,
}

impl StoreError {
    /// What a query about `what` failed with, that the store has no word for.
    pub fn of(what: &str, error: &mongodb::error::Error) -> Self {
        if is_away(error) {
            Self::Away(error.kind.to_string())
        } else {
            Self::Refused { what: what.to_owned(), why: without_values(error) }
        }
    }

    /// What a stored document failed with that does not read.
    pub(super) fn unreadable(
        collection: &'static str,
        id: impl Into<String>,
        error: &bson::error::Error,
    ) -> Self {
        Self::Unreadable { collection, id: id.into(), why: what_is_wanted(&error.to_string()) }
    }
}

/// Why an update did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum UpdateError<R> {
    /// The domain refused.
    #[error("{0}")]
    Refused(R),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The thing is no longer what `If-Match` says.
    #[error("it changed in the meantime")]
    Stale,
    /// Too many others changed the same things; nothing was written.
    #[error("too many change the same things")]
    Busy,
    /// The database did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the database said, less what it was said of: its words may quote documents.
fn without_values(error: &mongodb::error::Error) -> String {
    use mongodb::error::{ErrorKind, WriteFailure};

    match &*error.kind {
        ErrorKind::Command(command) => format!("{} ({})", command.code_name, command.code),
        ErrorKind::Write(WriteFailure::WriteError(failed)) => {
            format!("write error {}", failed.code)
        }
        ErrorKind::InsertMany(_) | ErrorKind::BulkWrite(_) => "write errors".to_owned(),
        other => other.to_string(),
    }
}

/// What does not fit, less what is there instead: it may be somebody's name, and this is logged.
fn what_is_wanted(said: &str) -> String {
    match (said.rfind(", expected "), said.rfind("missing field `")) {
        (Some(at), _) => said[at + 2..].to_owned(),
        (None, Some(at)) => said[at..].to_owned(),
        (None, None) => "a value does not fit".to_owned(),
    }
}

/// Codes of servers that are no longer primary, end, or lost their own peers: what the driver tries
/// a read once more for. The second try may meet the same.
const ELSEWHERE: [i32; 13] = [6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];

/// Whether the database was out of reach rather than unwilling.
pub(crate) fn is_away(error: &mongodb::error::Error) -> bool {
    use mongodb::error::ErrorKind;

    code(error).is_some_and(|code| ELSEWHERE.contains(&code))
        || matches!(
            *error.kind,
            ErrorKind::ServerSelection { .. }
                | ErrorKind::Io(_)
                | ErrorKind::ConnectionPoolCleared { .. }
                | ErrorKind::DnsResolve { .. }
                | ErrorKind::Shutdown
        )
        || error.contains_label("RetryableWriteError")
        || error.contains_label("SystemOverloadedError")
}

/// What the server itself said.
fn code(error: &mongodb::error::Error) -> Option<i32> {
    use mongodb::error::{ErrorKind, WriteFailure};

    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(failed)) => Some(failed.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{deserialize_from_document, doc};
    use mongodb::error::{CommandError, Error, ErrorKind};

    use super::*;

    fn said(code: i32, name: &str) -> StoreError {
        let said = doc! { "code": code, "codeName": name, "errmsg": "no" };
        let said: CommandError = deserialize_from_document(said).unwrap();
        StoreError::of("orders", &Error::from(ErrorKind::Command(said)))
    }

    #[test]
    fn what_does_not_read_is_not_repeated() {
        #[derive(Debug, serde::Deserialize)]
        struct Person {
            #[expect(dead_code, reason = "it is only read")]
            age: u32,
        }
        let why = |body| {
            let error = deserialize_from_document::<Person>(body).unwrap_err();
            StoreError::unreadable("users", "usr_1", &error).to_string()
        };

        let alice = why(doc! { "age": "alice, expected at five" });
        assert!(alice.starts_with("usr_1 in users cannot be read: expected u32"), "{alice}");
        assert!(why(doc! { "name": "alice" }).contains("missing field `age`"));
    }

    #[test]
    fn a_server_that_is_no_longer_primary_or_ends_is_away() {
        for (code, name) in [
            (13435, "NotPrimaryNoSecondaryOk"),
            (10107, "NotWritablePrimary"),
            (189, "PrimarySteppedDown"),
            (11602, "InterruptedDueToReplStateChange"),
            (91, "ShutdownInProgress"),
        ] {
            assert!(matches!(said(code, name), StoreError::Away(_)), "{name}");
        }
        assert!(matches!(said(13, "Unauthorized"), StoreError::Refused { .. }));
    }
}
