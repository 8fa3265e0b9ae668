//! The documents of a service and the page that shows them.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use common::http::{Json, Listed, Page, Path, Problem, Problems, Query, Wait};
use common::openapi::{asyncapi, breaking, check, check_asyncapi, documented};
use contracts::{Money, OrderId, Quantity, Sku};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt as _;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// A mug, as <b>shown</b>.
#[derive(Serialize, ToSchema)]
struct Mug {
    /// What it is called.
    sku: Sku,
    price: Money,
    /// What goes with it.
    #[schema(no_recursion)]
    goes_with: Vec<Mug>,
    finish: Finish,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Finish {
    #[expect(dead_code, reason = "for the document")]
    Glazed { colour: String },
    #[expect(dead_code, reason = "for the document")]
    Raw,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMug {
    sku: Sku,
    #[expect(dead_code, reason = "for the document")]
    quantity: Option<Quantity>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those in stock.
    #[expect(dead_code, reason = "for the document")]
    in_stock: Option<bool>,
}

/// List mugs.
///
/// The cheapest first, `n` at a time.
#[utoipa::path(get, path = "/api/mugs", tag = "mugs", params(Filter, Page),
    responses((status = OK, body = Listed<Mug>, description = "A page of mugs."), Problems))]
async fn list_mugs(_: Page, _: Query<Filter>) -> Result<Json<Listed<Mug>>, Problem> {
    Err(Problem::not_found())
}

/// Make a mug.
#[utoipa::path(post, path = "/api/mugs", tag = "mugs", security(("bearer" = [])),
    request_body = NewMug,
    params(("Idempotency-Key" = String, Header), ("If-Match" = Option<String>, Header)),
    extensions(("x-problems" = json!({ "409": ["cracked"], "422": ["too-hot"] }))),
    responses((status = CREATED, body = Mug, description = "Made."), Problems))]
async fn make_mug(Json(new): Json<NewMug>) -> Problem {
    Problem::forbidden().because(new.sku)
}

/// Read a mug.
#[utoipa::path(get, path = "/api/mugs/{id}", tag = "mugs", params(("id" = OrderId, Path), Wait),
    responses((status = OK, body = Mug, description = "The mug."), Problems))]
async fn get_mug(_: Path<OrderId>) -> Problem {
    Problem::not_found()
}

fn router() -> OpenApiRouter {
    let router = OpenApiRouter::new().routes(routes!(list_mugs, make_mug)).routes(routes!(get_mug));
    documented(router, "/api/mugs", "Mugs & more", "All about mugs.")
}

async fn shown(path: &str) -> (StatusCode, String, String) {
    let (router, _) = router().split_for_parts();
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let policy = head.headers.get("content-security-policy").map(|value| value.to_str().unwrap());
    (head.status, policy.unwrap_or_default().into(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_service_shows_its_document() {
    let (status, _, text) = shown("/api/mugs/openapi.json").await;

    let api: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(api["openapi"], "3.1.0");
    assert_eq!(api["info"]["title"], "Mugs & more");
    assert_eq!(api["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let problem = &api["components"]["responses"]["Problem"]["content"];
    assert_eq!(
        problem["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
    for part in ["Problem", "Mug", "NewMug", "Money", "Sku"] {
        assert!(api["components"]["schemas"][part].is_object(), "{part}");
    }
    assert_eq!(api, serde_json::to_value(router().into_openapi()).unwrap());
}

#[test]
fn a_read_documents_its_tag() {
    let api = serde_json::to_value(router().into_openapi()).unwrap();

    for path in ["/api/mugs", "/api/mugs/{id}"] {
        let read = &api["paths"][path]["get"];
        assert!(read["responses"]["200"]["headers"]["ETag"].is_object(), "{path}");
        assert_eq!(read["responses"]["304"]["$ref"], "#/components/responses/NotModified");
        let parameters = read["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|it| it["name"] == "If-None-Match"), "{path}");
    }
    let made = &api["paths"]["/api/mugs"]["post"]["responses"];
    assert!(made["201"]["headers"]["Location"].is_object(), "{made}");
    assert_eq!(made["304"], Value::Null);
    assert_eq!(api["servers"][0]["url"], "/");
}

#[test]
fn an_operation_documents_its_problems() {
    let api = serde_json::to_value(router().into_openapi()).unwrap();
    let kinds = |method: &str, path: &str, status: &str| {
        let response = &api["paths"][path][method]["responses"][status];
        let target = response["$ref"].as_str().unwrap_or("#/none").trim_start_matches('#');
        let content = api.pointer(target).map(|it| &it["content"]["application/problem+json"]);
        let kinds =
            content.map(|it| it["schema"]["allOf"][1]["properties"]["type"]["enum"].clone());
        let kinds = kinds.unwrap_or_default().as_array().cloned().unwrap_or_default();
        let name = |kind: &Value| kind.as_str().unwrap().replace("urn:souk:problem:", "");
        kinds.iter().map(name).collect::<Vec<_>>().join(" ")
    };

    for (status, named) in [
        ("400", "idempotency-key-required malformed"),
        ("401", "unauthorized"),
        ("403", "forbidden"),
        ("404", ""),
        ("409", "cracked"),
        ("412", "stale"),
        ("415", "unsupported-media-type"),
        ("422", "idempotency-key-reused invalid too-hot"),
        ("428", ""),
        ("503", "unavailable"),
    ] {
        assert_eq!(kinds("post", "/api/mugs", status), named, "{status}");
    }
    for (status, named) in [("400", "malformed"), ("401", ""), ("404", "not-found"), ("415", "")] {
        assert_eq!(kinds("get", "/api/mugs/{id}", status), named, "{status}");
    }
    let text = api.to_string();
    assert!(text.contains("Retry-After") && !text.contains("x-problems"), "{text}");
}

/// Every document of the repository keeps the rules that hold for all services.
#[test]
fn every_document_says_what_is_sent() {
    for file in std::fs::read_dir("../../docs/openapi").unwrap() {
        let path = file.unwrap().path();
        let api: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert!(!api["servers"].as_array().unwrap().is_empty(), "{}", path.display());
        for (at, methods) in api["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let shown = format!("{} {method} {at}", path.display());
                says_what_it_sends(method, operation, &shown);
            }
        }
    }
}

fn says_what_it_sends(method: &str, operation: &Value, shown: &str) {
    let responses = &operation["responses"];
    let content = &responses["200"]["content"];
    if method == "get" && content["text/event-stream"].is_null() {
        assert!(responses["200"]["headers"]["ETag"].is_object(), "{shown}");
        assert!(responses["304"].is_object(), "{shown}");
    }
    if responses["201"].is_object() {
        assert!(responses["201"]["headers"]["Location"].is_object(), "{shown}");
    }
    for (name, required, status) in
        [("If-Match", false, "412"), ("If-Match", true, "428"), ("Idempotency-Key", true, "400")]
    {
        let parameters = operation["parameters"].as_array();
        let mut taken = parameters.into_iter().flatten().filter(|it| it["name"] == name);
        if taken.any(|it| !required || it["required"] == true) {
            assert!(responses[status].is_object(), "{shown}: {name} without {status}");
        }
    }
    let is_signed_in = operation["security"].as_array().is_some_and(|it| !it.is_empty());
    assert!(!is_signed_in || responses["401"].is_object(), "{shown}");
    assert!(responses["503"].is_object() && responses["4XX"].is_object(), "{shown}");
}

#[test]
fn everything_a_document_refers_to_is_in_it() {
    let mut api = router().into_openapi();
    let scratch = format!("../../target/tmp/{}", std::process::id());
    api.components.get_or_insert_default().schemas.remove("OrderId");

    let refused = std::panic::catch_unwind(|| check(&scratch, &api)).unwrap_err();

    let said = refused.downcast::<String>().unwrap();
    assert!(said.contains("#/components/schemas/OrderId"), "{said}");
}

#[tokio::test]
async fn a_service_shows_a_page_that_loads_and_runs_nothing() {
    let (status, policy, page) = shown("/api/mugs/docs").await;

    assert_eq!(status, StatusCode::OK);
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for said in [
        "<title>Mugs &amp; more</title>",
        "List mugs",
        "<code>n</code> at a time",
        "in_stock",
        "next_cursor",
        "1 to 999",
        "MUG-BLUE",
        "as &lt;b&gt;shown&lt;/b&gt;",
        "signed in",
        "application/problem+json",
    ] {
        assert!(page.contains(said), "{said}");
    }
    for foreign in ["<script", "http://", "https://", "<link", "<img", " style=\"", " onclick"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn the_events_are_documented_as_they_are() {
    check_asyncapi();
}

#[test]
fn an_event_that_loses_a_field_breaks_who_hears_it() {
    let old = asyncapi();
    let mut new = old.clone();
    let name = "souk.order.placed.v1";
    let message = &mut new["components"]["messages"][name];
    let data = &mut message["payload"]["allOf"][1]["properties"]["data"];
    data["properties"].as_object_mut().unwrap().remove("round");

    assert_eq!(breaking(&old, &new), ["souk.order.placed.v1/data/round is gone"]);
    new["channels"].as_object_mut().unwrap().remove(name);
    assert_eq!(breaking(&old, &new).len(), 2);
    assert!(breaking(&old, &old).is_empty());
}
