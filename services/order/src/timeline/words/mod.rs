//! What each fact means to the shopper.
//!
//! Each type of fact has one place where its words are, in the file of the service that tells it.
//! The words are true as they stand: a value that this version does not know still makes a
//! sentence. What they never hold is anything personal.

mod cart;
mod order;
mod payment;
mod product;

use std::collections::BTreeMap;

use contracts::{Event, OrderId, Timestamp};
use mongodb::bson::serialize_to_bson;
use serde::{Deserialize, Serialize};

/// A fact about an order.
pub(super) trait Worded: Event {
    /// Which order it is about.
    fn order(&self) -> OrderId;

    /// What it says, read when it happened.
    fn words(&self, at: Timestamp) -> Words;
}

/// What a fact says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Words {
    /// A sentence, less its full stop.
    pub(crate) text: String,
    /// Why it is so, as far as the fact says it itself: what follows a `because`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// How it explains what comes of it: what follows a `because`, and is followed by its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explains: Option<String>,
    /// What it asks for, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) asks: Option<String>,
    /// What it says has become of what was asked for by this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<String>,
    /// Whether it says nothing to a shopper.
    #[serde(skip_serializing_if = "is_not")]
    pub(crate) for_staff: bool,
    /// Whether the same is told again for those who may have missed it: then it happened once.
    #[serde(skip_serializing_if = "is_not")]
    pub(crate) once: bool,
    /// What staff want to know beside: ids and the codes of reasons.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) details: BTreeMap<String, String>,
}

impl Words {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// It says why it is so; that explains what comes of it, too.
    fn because(self, why: Option<&str>) -> Self {
        Self { why: why.map(ToOwned::to_owned), ..self }
    }

    /// It is why other things happen.
    fn explains(self, clause: &str) -> Self {
        Self { explains: Some(clause.to_owned()), ..self }
    }

    /// It asks for this.
    fn asks(self, name: &impl ToString) -> Self {
        Self { asks: Some(name.to_string()), ..self }
    }

    /// It says what has become of what was asked for. That may be found out long after, by whoever
    /// looks: then what asked is what led to it.
    fn answers(self, name: &impl ToString) -> Self {
        Self { answers: Some(name.to_string()), ..self }
    }

    /// It says nothing to a shopper.
    fn for_staff(self) -> Self {
        Self { for_staff: true, ..self }
    }

    /// It may be told again.
    fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// What staff want to know beside.
    fn detail(mut self, name: &str, value: &impl ToString) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }

    /// A reason by the code that it has in the contract.
    fn code(self, name: &str, value: &impl Serialize) -> Self {
        let code = serialize_to_bson(value).ok();
        let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or("unknown");
        self.detail(name, &code)
    }
}

/// Most facts mean something to shoppers and are told once: that takes no room.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_not(fact: &bool) -> bool {
    !*fact
}
