//! Parts of an object that may be absent as a whole.

use utoipa::openapi::schema::{AllOf, AnyOf, SchemaType, Type};
use utoipa::openapi::{Object, OpenApi, RefOr, Schema};

/// Says of such parts that they may be absent. What the derived schemas say instead, that they may
/// be null, is true of no object.
pub(super) fn describe(api: &mut OpenApi) {
    let schemas = api.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    for schema in schemas {
        if let RefOr::T(Schema::AllOf(all)) = schema {
            describe_parts(all);
        }
    }
}

fn describe_parts(all: &mut AllOf) {
    for part in &mut all.items {
        let RefOr::T(Schema::OneOf(one)) = &*part else { continue };
        let there: Vec<_> = one.items.iter().filter(|item| !is_null(item)).cloned().collect();
        if there.len() < one.items.len() {
            let absent = RefOr::T(Schema::Object(Object::with_type(Type::Object)));
            let mut any = AnyOf::new();
            any.items = there.into_iter().chain([absent]).collect();
            *part = RefOr::T(Schema::AnyOf(any));
        }
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    let null = SchemaType::Type(Type::Null);
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == null)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;
    use utoipa::{OpenApi as _, ToSchema};

    #[derive(Serialize, ToSchema)]
    struct Parcel {
        weight: u32,
        #[serde(flatten)]
        sent: Option<Sent>,
    }

    #[derive(Serialize, ToSchema)]
    struct Sent {
        carrier: String,
    }

    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(Parcel, Sent)))]
    struct Api;

    #[test]
    fn a_part_that_may_be_absent_is_not_said_to_be_null() {
        let mut api = Api::openapi();

        super::describe(&mut api);

        let parcel = serde_json::to_value(api).unwrap()["components"]["schemas"]["Parcel"].clone();
        let part =
            json!({ "anyOf": [{ "$ref": "#/components/schemas/Sent" }, { "type": "object" }] });
        assert_eq!(parcel["allOf"][0], part, "{parcel}");
    }
}
