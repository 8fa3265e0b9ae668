//! `OpenAPI` and `AsyncAPI` documents from the code, and what would break in them.
