//! What the API says of itself.

#[test]
fn the_document_is_up_to_date() {
    common::openapi::check("auth", &auth::api());
}
