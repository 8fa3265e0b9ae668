//! What counts as breaking, and what as growing.

use common::openapi::breaking;
use serde_json::{Value, json};

/// One endpoint that takes `sent` and gives `given`.
fn api(sent: &Value, given: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": {"/mugs": {"post": {
            "parameters": [{"name": "sort", "in": "query", "schema": {"type": "string"}}],
            "requestBody": {
                "required": true,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}},
            },
            "responses": {
                "200": {
                    "description": "",
                    "headers": {"etag": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Given"}}},
                },
                "4XX": {"$ref": "#/components/responses/Problem"},
            },
        }}},
        "components": {
            "responses": {"Problem": {"description": ""}},
            "schemas": {"Sent": sent, "Given": given},
        },
    })
}

fn mug() -> Value {
    json!({
        "type": "object",
        "required": ["id", "colour"],
        "properties": {
            "id": {"type": "string"},
            "colour": {"type": "string", "enum": ["blue", "red"]},
            "size": {"type": ["integer", "null"], "format": "int32", "minimum": 1, "maximum": 9},
            "tags": {"type": "array", "items": {"type": "string"}},
            "options": {"type": "object", "additionalProperties": {"type": "string"}},
            "beside": {"$ref": "#/components/schemas/Given"},
            "shape": {"oneOf": [
                {"type": "object", "required": ["kind", "r"],
                    "properties": {"kind": {"const": "round"}, "r": {"type": "number"}}},
                {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "square"}}},
            ]},
        },
    })
}

/// The mug with something else at `pointer`; without it where `value` is null.
fn changed(pointer: &str, value: Value) -> Value {
    let mut mug = mug();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = mug.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Array(all), value) => all[name.parse::<usize>().unwrap()] = value,
        (Value::Object(all), Value::Null) => drop(all.remove(name)),
        (parent, value) => parent[name] = value,
    }
    mug
}

/// Asserts that this is found, or nothing at all.
#[track_caller]
fn assert_breaks(found: Option<&str>, broken: &[String], at: &str) {
    match found {
        Some(found) => assert!(broken.iter().any(|one| one.contains(found)), "{at}: {broken:?}"),
        None => assert!(broken.is_empty(), "{at}: {broken:?}"),
    }
}

#[test]
fn the_same_breaks_nothing() {
    let api = api(&mug(), &mug());

    assert_eq!(breaking(&api, &api), Vec::<String>::new());
}

#[test]
fn what_is_given_may_only_grow() {
    let old = api(&json!({}), &mug());
    let mut three = mug()["properties"]["shape"]["oneOf"].clone();
    three.as_array_mut().unwrap().insert(0, json!({"type": "object"}));

    for (pointer, value, found) in [
        ("/properties/size", Value::Null, Some("POST /mugs 200/size is gone")),
        ("/properties/id", json!({"type": "integer"}), Some("200/id is of another type now")),
        ("/properties/id", json!({}), Some("200/id is of another type now")),
        ("/properties/id", json!({"type": ["string", "null"]}), Some("200/id may be null now")),
        (
            "/properties/id",
            json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
            Some("200/id may be null now"),
        ),
        ("/properties/size/format", json!("int64"), Some("200/size is of another type now")),
        ("/properties/tags/items/type", json!("integer"), Some("200/tags[] is of another type")),
        ("/properties/options/additionalProperties/type", json!("number"), Some("options[] is of")),
        ("/properties/options/additionalProperties", Value::Null, Some("no longer described")),
        ("/required", json!(["id"]), Some("200/colour may be missing now")),
        (
            "/properties/shape/oneOf/0/properties/kind/const",
            json!("oval"),
            Some("200/shape variant 0 is gone or changed"),
        ),
        ("/properties/shape/oneOf/0/properties/r/type", json!("string"), Some("variant 0")),
        ("/properties/weight", json!({"type": "number"}), None),
        ("/properties/colour/enum", json!(["blue", "red", "green"]), None),
        ("/properties/colour/enum", json!(["blue"]), None),
        ("/properties/size/type", json!("integer"), None),
        ("/required", json!(["id", "colour", "size"]), None),
        ("/properties/shape/oneOf", three, None),
        ("/description", json!("a mug"), None),
    ] {
        let broken = breaking(&old, &api(&json!({}), &changed(pointer, value)));

        assert_breaks(found, &broken, pointer);
    }
}

#[test]
fn what_is_taken_may_not_become_less() {
    let old = api(&mug(), &json!({}));

    for (pointer, value, found) in [
        ("/required", json!(["id", "colour", "size"]), Some("request/size is required now")),
        (
            "/properties/colour/enum",
            json!(["blue"]),
            Some("request/colour no longer knows \"red\""),
        ),
        ("/properties/id/enum", json!(["a"]), Some("request/id takes only a few values now")),
        ("/properties/size", Value::Null, Some("request/size is gone")),
        ("/properties/size/type", json!("integer"), Some("may not be null any longer")),
        ("/properties/size/maximum", json!(8), Some("request/size has a new maximum")),
        ("/properties/size/minimum", json!(2), Some("request/size has a new minimum")),
        ("/properties/id/maxLength", json!(40), Some("request/id has a new maxLength")),
        ("/properties/id/pattern", json!("^a"), Some("request/id has a new pattern")),
        ("/properties/id/type", json!("integer"), Some("request/id is of another type now")),
        ("/additionalProperties", json!(false), Some("takes no unknown fields any longer")),
        ("/properties/shape/oneOf/0", json!({"type": "string"}), Some("variant 0 is gone")),
        ("/required", json!([]), None),
        ("/properties/colour/enum", json!(["blue", "red", "green"]), None),
        ("/properties/size/type", json!(["number", "null"]), None),
        ("/properties/size/maximum", json!(10), None),
        ("/properties/weight", json!({"type": "number"}), None),
        ("/properties/tags/items", Value::Null, None),
    ] {
        let broken = breaking(&old, &api(&changed(pointer, value), &json!({})));

        assert_breaks(found, &broken, pointer);
    }
}

#[test]
fn endpoints_stay_as_they_are_reached() {
    let old = api(&mug(), &mug());
    let post = "/paths/~1mugs/post";
    let required = json!([{"name": "shop", "in": "query", "required": true}]);

    for (pointer, value, found) in [
        ("/paths/~1mugs", Value::Null, Some("POST /mugs is gone")),
        ("/paths/~1mugs/post", Value::Null, Some("POST /mugs is gone")),
        (&format!("{post}/responses/200"), Value::Null, Some("POST /mugs 200 is gone")),
        (&format!("{post}/responses/4XX"), Value::Null, Some("POST /mugs 4XX is gone")),
        (&format!("{post}/responses/200/headers/etag"), Value::Null, Some("header etag is gone")),
        (
            &format!("{post}/responses/200/content"),
            json!({"text/csv": {}}),
            Some("200 as application/json is gone"),
        ),
        (&format!("{post}/parameters"), json!([]), Some("parameter sort is gone")),
        (&format!("{post}/parameters"), required, Some("parameter shop is required now")),
        (&format!("{post}/parameters/0/schema/enum"), json!(["a"]), Some("parameter sort takes")),
        (&format!("{post}/security"), json!([{"bearer": []}]), Some("asks for a token now")),
        ("/paths/~1cups", json!({"get": {}}), None),
        (&format!("{post}/responses/202"), json!({"description": ""}), None),
        (&format!("{post}/summary"), json!("Make a mug"), None),
    ] {
        let mut new = old.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        let parent = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => drop(parent.remove(&name)),
            value => drop(parent.insert(name, value)),
        }

        let broken = breaking(&old, &new);

        assert_breaks(found, &broken, pointer);
    }
}

#[test]
fn a_body_that_becomes_required_breaks_who_sends_none() {
    let new = api(&mug(), &mug());
    let mut old = new.clone();
    old["paths"]["/mugs"]["post"]["requestBody"]["required"] = json!(false);

    assert_eq!(breaking(&old, &new), ["POST /mugs request is required now"]);
}

#[test]
fn nonsense_breaks_nothing_and_does_not_hang() {
    let loops =
        json!({"paths": {"/a": {"get": {"requestBody": {"$ref": "#/paths/~1a/get/requestBody"}}}}});

    for nonsense in [json!(null), json!([]), json!({"paths": 7}), json!({"asyncapi": 1}), loops] {
        assert!(breaking(&nonsense, &nonsense).is_empty(), "{nonsense}");
    }
}
