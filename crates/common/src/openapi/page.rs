//! A page for people, made of an `OpenAPI` document.

use serde_json::Value;

/// A page and the policy it is to be shown under.
pub(super) struct Page {
    /// The page.
    pub(super) html: String,
    /// What it may load and run: nothing but its own style (CSP, level 3).
    pub(super) policy: String,
}

/// Renders the page.
pub(super) fn render(api: &Value) -> Page {
    Page { html: format!("<pre>{api:#}</pre>"), policy: "default-src 'none'".into() }
}
