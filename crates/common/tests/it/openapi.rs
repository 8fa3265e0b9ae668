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
