//! The providers that a shop has.

use std::sync::Arc;

use super::Provider;
use crate::domain::{CaptureMode, Terms};

/// The providers that the shop has, and how it moves the money of new attempts. What became of older
/// ones is asked of the provider that they began with.
#[derive(Clone)]
pub struct Providers {
    all: Vec<Arc<dyn Provider>>,
    terms: Terms,
}

/// The provider that was chosen is none of those the shop has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider {0} is chosen, but not configured")]
pub struct NotConfigured(String);

impl Providers {
    /// Of all of these, new attempts go to the one of this name.
    pub fn new(
        all: Vec<Arc<dyn Provider>>,
        chosen: &str,
        capture: CaptureMode,
    ) -> Result<Self, NotConfigured> {
        let providers = Self { all, terms: Terms { provider: chosen.to_owned(), capture } };
        match providers.named(chosen) {
            Some(_) => Ok(providers),
            None => Err(NotConfigured(chosen.to_owned())),
        }
    }

    /// How new attempts are paid.
    pub fn terms(&self) -> Terms {
        self.terms.clone()
    }

    /// The provider of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.all.iter().find(|provider| provider.name() == name)
    }
}
