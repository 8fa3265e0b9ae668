//! Why it could not be looked.

/// Why it could not be looked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A database did not answer, or refused.
    #[error("{database} could not be read: {why}")]
    Database {
        /// Which one, and what of it.
        database: String,
        /// What the driver says.
        why: String,
    },
    /// A document or row is not what this version knows.
    #[error("{id} in {what} cannot be read: {why}")]
    Unreadable {
        /// The collection.
        what: String,
        /// Which one.
        id: String,
        /// What is wrong with its shape.
        why: String,
    },
    /// The bus did not answer, or refused.
    #[error("{what} could not be read: {why}")]
    Bus {
        /// The stream, or the server.
        what: String,
        /// What the client says.
        why: String,
    },
}

impl Error {
    pub(crate) fn of(what: &str, error: &mongodb::error::Error) -> Self {
        Self::Database { database: what.to_owned(), why: error.kind.to_string() }
    }

    pub(crate) fn bus(what: &str, why: &impl ToString) -> Self {
        Self::Bus { what: what.to_owned(), why: why.to_string() }
    }
}
