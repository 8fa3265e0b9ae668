//! The document clients are written against.

#[test]
fn the_document_is_what_the_code_says() {
    common::openapi::check("cart", &cart::router().into_openapi());
}
