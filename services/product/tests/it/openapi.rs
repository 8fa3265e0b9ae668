//! What the documentation says.

#[test]
fn the_document_is_what_the_code_says() {
    common::openapi::check("product", &product::api());
}
