//! What every HTTP endpoint shares: what it accepts, how it answers, and what stands before it.

mod answer;
mod call;
mod cause;
mod conditional;
mod explain;
mod gate;
mod guard;
mod idempotency;
mod json;
mod limits;
mod observe;
mod page;
mod parts;
mod polls;
mod problem;
mod shape;
mod stream;
mod trace;
mod wait;

pub use call::Call;
pub(crate) use call::present;
pub use conditional::{RequiredIfMatch, Tagged};
pub use gate::{Gate, layers};
pub use idempotency::IdempotencyKey;
pub use json::Json;
pub use limits::{Limits, Patience};
pub use page::{Cursor, Listed, Page};
pub use parts::{Path, Query};
pub use polls::{LongPolls, Permit};
pub use problem::{Problem, Problems};
pub use stream::{Feed, News};
pub use trace::Traceparent;
pub use wait::{Follow, Wait};
