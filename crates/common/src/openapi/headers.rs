//! What the headers look like that every service reads and sends alike.

use utoipa::openapi::header::{Header as HeaderDoc, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type};

use super::operations;

/// A header that every service reads alike.
struct Header {
    name: &'static str,
    says: &'static str,
    pattern: &'static str,
}

/// `*`, or a list of entity tags with blanks and empty elements (RFC 9110, sections 5.6.1.2, 8.8.3
/// and 13.1).
const TAGS: &str = concat!(
    r#"^(\*|(,[ \t,]*)?(W/)?"[!#-~\x80-\xff]*""#,
    r#"([ \t]*,[ \t,]*(W/)?"[!#-~\x80-\xff]*")*([ \t]*,)*)$"#,
);

const HEADERS: [Header; 3] = [
    Header {
        name: "Idempotency-Key",
        says: "Names this asking: sent again with the same key, it has the effect of one. 1 to 255 \
            visible ASCII characters, quoted or bare.",
        pattern: r#"^("[!#-\[\]-~]{1,255}"|[!#-~][!-~]{0,254})$"#,
    },
    Header {
        name: "If-Match",
        says: "What the thing must still be: its `ETag` as it was read, or `*`.",
        pattern: TAGS,
    },
    Header {
        name: "If-None-Match",
        says: "What must not be there, here `*`: only what is new is put, else 412.",
        pattern: TAGS,
    },
];

/// What a read says of `If-None-Match`, which it takes as it comes.
const KNOWN: &str = "The `ETag` of what the client has already: the answer is 304 when it is still \
    that. A list, a weak tag and `*` count, too.";
const ETAG: &str = "Names these very bytes: it changes with whatever is shown. Send it as \
    `If-None-Match` to read again, and as `If-Match` to edit, which compares the version alone.";
const LOCATION: &str = "Where the new thing can be found.";
/// The name of the response to a read of what has not changed.
const NOT_MODIFIED: &str = "NotModified";

/// Says of each of these headers what is read and sent; its own words, where it has some, stay.
pub(super) fn describe(api: &mut OpenApi) {
    for (method, operation) in operations::all(api) {
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter {
                describe_one(parameter);
            }
        }
        describe_sent(operation);
        if method == "get" {
            describe_read(operation);
        }
    }
    let unchanged = ResponseBuilder::new()
        .description("It is still what `If-None-Match` says.")
        .header("ETag", header(ETAG));
    let responses = &mut api.components.get_or_insert_default().responses;
    responses.insert(NOT_MODIFIED.into(), unchanged.build().into());
}

fn describe_one(parameter: &mut Parameter) {
    let ours = HEADERS.iter().find(|header| header.name == parameter.name);
    let Some(header) = ours.filter(|_| parameter.parameter_in == ParameterIn::Header) else {
        return;
    };
    parameter.description.get_or_insert_with(|| header.says.to_owned());
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(header.pattern));
    parameter.schema = Some(text.build().into());
}

/// What answers say in headers: where a new thing is, and the tag where the endpoint names one.
fn describe_sent(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if status == "201" {
            response.headers.entry("Location".into()).or_insert_with(|| header(LOCATION).into());
        }
        for (name, says) in [("ETag", ETAG), ("Location", LOCATION)] {
            if let Some(RefOr::T(header)) = response.headers.get_mut(name) {
                header.description.get_or_insert_with(|| says.to_owned());
            }
        }
    }
}

/// Whatever is read whole has a tag, and is not sent to who has it already.
fn describe_read(operation: &mut Operation) {
    let Some(RefOr::T(shown)) = operation.responses.responses.get_mut("200") else { return };
    if shown.content.keys().any(|kind| kind == "text/event-stream") {
        return;
    }
    shown.headers.insert("ETag".into(), header(ETAG).into());
    let unchanged = RefOr::Ref(Ref::from_response_name(NOT_MODIFIED));
    operation.responses.responses.insert("304".into(), unchanged);
    let parameter = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(KNOWN))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    operation.parameters.get_or_insert_default().push(parameter.build().into());
}

fn header(says: &str) -> HeaderDoc {
    HeaderBuilder::new().description(Some(says)).build()
}
