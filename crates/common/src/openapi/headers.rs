//! What the headers look like that every service reads alike.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Type};

/// A header that every service reads alike.
struct Header {
    name: &'static str,
    says: &'static str,
    pattern: &'static str,
}

const HEADERS: [Header; 2] = [
    Header {
        name: "Idempotency-Key",
        says: "Names this asking: sent again with the same key, it has the effect of one. 1 to 255 \
            visible ASCII characters, quoted or bare.",
        pattern: r#"^("[!#-\[\]-~]{1,255}"|[!#-~][!-~]{0,254})$"#,
    },
    Header {
        name: "If-Match",
        says: "What the thing must still be: its `ETag` as it was read, or `*`.",
        pattern: r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#,
    },
];

/// Says of each of these headers what is read; its own words, where it has some, stay.
pub(super) fn describe(api: &mut OpenApi) {
    let operations = api.paths.paths.values_mut().flat_map(operations);
    let parameters = operations.flat_map(|operation| operation.parameters.iter_mut().flatten());
    for parameter in parameters {
        if let RefOr::T(parameter) = parameter {
            describe_one(parameter);
        }
    }
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

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = path;
    [get, put, post, delete, patch].into_iter().flatten()
}
