//! Money that the shopper's bank takes back until it is clear whose it is.

use serde::{Deserialize, Serialize};

/// How far a dispute has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank holds the money.
    Opened,
    /// The shop has it again.
    Won,
    /// The shop lost it.
    Lost,
}
