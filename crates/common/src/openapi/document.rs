//! The `OpenAPI` document of a service, and the routes that show it.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;
use bytes::Bytes;
use contracts::auth::Role;
use contracts::{
    AttemptId, CartId, Currency, Money, OrderId, PaymentId, ProductId, Quantity, RefundId,
    SessionId, Sku, Timestamp, UserId,
};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::server::{Server, ServerBuilder};
use utoipa::openapi::{Content, Info, OpenApi, Ref, RefOr, Response, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::{flattened, headers, page, problems};
use crate::http::Problem;

/// Completes what the routes of a service say of themselves: what it is, where it is served, how to
/// sign in, which headers it reads and sends, and which problems each operation may answer with.
pub fn document(mut routes: OpenApi, title: &str, description: &str, version: &str) -> OpenApi {
    let mut info = Info::new(title, version);
    info.description = Some(description.to_owned());
    routes.info = info;
    routes.servers = Some(SERVERS.map(server).into());
    let components = routes.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token, as /api/auth gives it."))
        .build();
    components.security_schemes.insert("bearer".into(), SecurityScheme::Http(bearer).into());
    components.responses.insert("Problem".into(), problem().into());
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    add_language(&mut routes);
    flattened::describe(&mut routes);
    headers::describe(&mut routes);
    problems::describe(&mut routes);
    routes
}

/// The same router, with its document completed and shown under `path`.
pub fn documented<S: Clone + Send + Sync + 'static>(
    router: OpenApiRouter<S>,
    path: &str,
    title: &str,
    description: &str,
) -> OpenApiRouter<S> {
    let (router, api) = router.split_for_parts();
    let api = document(api, title, description, "1");
    let shown = router.merge(routes(path, &api));
    OpenApiRouter::with_openapi(api).merge(shown.into())
}

/// Shows the document: `<path>/openapi.json` for programs and `<path>/docs` for people.
pub fn routes<S: Clone + Send + Sync + 'static>(path: &str, api: &OpenApi) -> Router<S> {
    let json = Bytes::from(api.to_pretty_json().unwrap_or_default());
    let page = page::render(&serde_json::to_value(api).unwrap_or_default());
    let (html, policy) = (Bytes::from(page.html), page.policy);
    let show_json = move || async move { ([(CONTENT_TYPE, "application/json")], json) };
    let show_page = move || async move {
        let kind = "text/html; charset=utf-8".to_owned();
        ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, policy)], html)
    };
    Router::new()
        .route(&format!("{path}/openapi.json"), get(show_json))
        .route(&format!("{path}/docs"), get(show_page))
}

/// Where the API is served, and what is there.
const SERVERS: [(&str, &str); 2] = [
    ("/", "Where this document was read."),
    ("http://localhost:8080", "The fleet that `cargo xtask up` runs."),
];

fn server((url, about): (&str, &str)) -> Server {
    ServerBuilder::new().url(url).description(Some(about)).build()
}

/// Lists what only a parameter refers to, which the routes leave out.
fn add_language(api: &mut OpenApi) {
    let text = api.to_json().unwrap_or_default();
    let schemas = &mut api.components.get_or_insert_default().schemas;
    for (name, schema) in language() {
        if text.contains(&format!("\"#/components/schemas/{name}\"")) {
            schemas.entry(name).or_insert(schema);
        }
    }
}

/// The words that all services share.
fn language() -> Vec<(String, RefOr<Schema>)> {
    fn word<T: ToSchema>() -> (String, RefOr<Schema>) {
        (T::name().into_owned(), T::schema())
    }
    vec![
        word::<UserId>(),
        word::<SessionId>(),
        word::<ProductId>(),
        word::<CartId>(),
        word::<OrderId>(),
        word::<PaymentId>(),
        word::<AttemptId>(),
        word::<RefundId>(),
        word::<Sku>(),
        word::<Quantity>(),
        word::<Money>(),
        word::<Currency>(),
        word::<Timestamp>(),
        word::<Role>(),
    ]
}

fn problem() -> Response {
    let body = Content::new(Some(Ref::from_schema_name(Problem::name())));
    let mut response = Response::new("Why it was not done (RFC 9457).");
    response.content.insert("application/problem+json".into(), body.into());
    response
}
