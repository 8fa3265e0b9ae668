//! The document of the API.

#[test]
fn the_document_is_what_the_code_says() {
    common::openapi::check("order", &order::api());
}
