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

/// The same with something else at `pointer`; without it where `value` is null.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    match (document.pointer_mut(parent).unwrap(), value) {
        (Value::Array(all), value) => all[name.parse::<usize>().unwrap()] = value,
        (Value::Object(all), Value::Null) => drop(all.remove(&name)),
        (parent, value) => parent[name] = value,
    }
    document
}

#[test]
fn the_same_breaks_nothing() {
    let api = api(&mug(), &mug());

    assert_eq!(breaking(&api, &api), Vec::<String>::new());
}

#[test]
fn what_is_given_may_not_become_less() {
    let old = api(&json!({}), &mug());

    for (pointer, value, found) in [
        ("/properties/size", Value::Null, "POST /mugs 200/size is gone"),
        ("/properties/id", json!({"type": "integer"}), "200/id is of another type now"),
        ("/properties/id", json!({}), "200/id is of another type now"),
        ("/properties/id", json!({"type": ["string", "null"]}), "200/id may be null now"),
        (
            "/properties/id",
            json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
            "200/id may be null now",
        ),
        ("/properties/size/format", json!("int64"), "200/size is of another type now"),
        ("/properties/tags/items/type", json!("integer"), "200/tags[] is of another type"),
        ("/properties/options/additionalProperties/type", json!("number"), "options[] is of"),
        ("/properties/options/additionalProperties", Value::Null, "no longer described"),
        ("/required", json!(["id"]), "200/colour may be missing now"),
        (
            "/properties/shape/oneOf/0/properties/kind/const",
            json!("oval"),
            "200/shape variant 0 is gone or changed",
        ),
        ("/properties/shape/oneOf/0/properties/r/type", json!("string"), "variant 0"),
    ] {
        let broken = breaking(&old, &api(&json!({}), &with(mug(), pointer, value)));

        assert!(broken.iter().any(|one| one.contains(found)), "{pointer}: {broken:?}");
    }
}

#[test]
fn what_is_given_may_become_more() {
    let old = api(&json!({}), &mug());
    let mut three = mug()["properties"]["shape"]["oneOf"].clone();
    three.as_array_mut().unwrap().insert(0, json!({"type": "object"}));

    for (pointer, value) in [
        ("/properties/weight", json!({"type": "number"})),
        ("/properties/colour/enum", json!(["blue", "red", "green"])),
        ("/properties/colour/enum", json!(["blue"])),
        ("/properties/size/type", json!("integer")),
        ("/required", json!(["id", "colour", "size"])),
        ("/properties/shape/oneOf", three),
        ("/description", json!("a mug")),
    ] {
        let broken = breaking(&old, &api(&json!({}), &with(mug(), pointer, value)));

        assert!(broken.is_empty(), "{pointer}: {broken:?}");
    }
}

#[test]
fn what_is_taken_may_not_become_less() {
    let old = api(&mug(), &json!({}));

    for (pointer, value, found) in [
        ("/required", json!(["id", "colour", "size"]), "request/size is required now"),
        ("/properties/colour/enum", json!(["blue"]), "request/colour no longer knows \"red\""),
        ("/properties/id/enum", json!(["a"]), "request/id takes only a few values now"),
        ("/properties/size", Value::Null, "request/size is gone"),
        ("/properties/size/type", json!("integer"), "may not be null any longer"),
        ("/properties/size/maximum", json!(8), "request/size has a new maximum"),
        ("/properties/size/minimum", json!(2), "request/size has a new minimum"),
        ("/properties/id/maxLength", json!(40), "request/id has a new maxLength"),
        ("/properties/id/pattern", json!("^a"), "request/id has a new pattern"),
        ("/properties/id/type", json!("integer"), "request/id is of another type now"),
        ("/additionalProperties", json!(false), "takes no unknown fields any longer"),
        ("/properties/shape/oneOf/0", json!({"type": "string"}), "variant 0 is gone"),
    ] {
        let broken = breaking(&old, &api(&with(mug(), pointer, value), &json!({})));

        assert!(broken.iter().any(|one| one.contains(found)), "{pointer}: {broken:?}");
    }
}

#[test]
fn what_is_taken_may_become_more() {
    let old = api(&mug(), &json!({}));

    for (pointer, value) in [
        ("/required", json!([])),
        ("/properties/colour/enum", json!(["blue", "red", "green"])),
        ("/properties/size/type", json!(["number", "null"])),
        ("/properties/size/maximum", json!(10)),
        ("/properties/weight", json!({"type": "number"})),
        ("/properties/tags/items", Value::Null),
    ] {
        let broken = breaking(&old, &api(&with(mug(), pointer, value), &json!({})));

        assert!(broken.is_empty(), "{pointer}: {broken:?}");
    }
}

#[test]
fn endpoints_stay_as_they_are_reached() {
    let old = api(&mug(), &mug());
    let post = "/paths/~1mugs/post";
    let required = json!([{"name": "shop", "in": "query", "required": true}]);

    for (pointer, value, found) in [
        ("/paths/~1mugs", Value::Null, "POST /mugs is gone"),
        ("/paths/~1mugs/post", Value::Null, "POST /mugs is gone"),
        (&format!("{post}/responses/200"), Value::Null, "POST /mugs 200 is gone"),
        (&format!("{post}/responses/4XX"), Value::Null, "POST /mugs 4XX is gone"),
        (&format!("{post}/responses/200/headers/etag"), Value::Null, "header etag is gone"),
        (
            &format!("{post}/responses/200/content"),
            json!({"text/csv": {}}),
            "200 as application/json is gone",
        ),
        (&format!("{post}/parameters"), json!([]), "parameter sort is gone"),
        (&format!("{post}/parameters"), required, "parameter shop is required now"),
        (&format!("{post}/parameters/0/schema/enum"), json!(["a"]), "parameter sort takes"),
        (&format!("{post}/security"), json!([{"bearer": []}]), "asks for a token now"),
    ] {
        let broken = breaking(&old, &with(old.clone(), pointer, value));

        assert!(broken.iter().any(|one| one.contains(found)), "{pointer}: {broken:?}");
    }
}

#[test]
fn endpoints_may_come_and_give_more() {
    let old = api(&mug(), &mug());
    let post = "/paths/~1mugs/post";

    for (pointer, value) in [
        ("/paths/~1cups", json!({"get": {}})),
        (&format!("{post}/responses/202"), json!({"description": ""})),
        (&format!("{post}/summary"), json!("Make a mug")),
    ] {
        let broken = breaking(&old, &with(old.clone(), pointer, value));

        assert!(broken.is_empty(), "{pointer}: {broken:?}");
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
