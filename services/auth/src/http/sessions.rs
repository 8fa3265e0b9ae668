//! Where somebody is signed in, and how they sign out there.

use axum::extract::State;
use axum::http::StatusCode;
use common::http::{Json, Listed, Page, Path, Problem, Problems};
use common::identity::Shopper;
use common::store::Cause;
use contracts::{SessionId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::Auth;
use crate::domain::Session;

/// One sign-in, as its owner sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    /// Names it.
    id: SessionId,
    /// When it began.
    created_at: Timestamp,
    /// When it last got an access token, each of which is good for five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// Until when it lasts.
    expires_at: Timestamp,
    /// With what kind of client it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Firefox on Linux")]
    client: Option<String>,
    /// From which network it began; the address itself is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "203.0.113.0/24")]
    network: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
}

/// See where you are signed in.
///
/// The newest first.
#[utoipa::path(get, path = "/api/auth/sessions", tag = "sessions", security(("bearer" = [])),
    params(Page), responses((status = OK, body = Listed<SessionView>), Problems))]
pub(super) async fn list_sessions(
    State(auth): State<Auth>,
    shopper: Shopper,
    page: Page,
) -> Result<Json<Listed<SessionView>>, Problem> {
    let read = auth.accounts.sign_ins(shopper.id, &page, page.after()?).await?;
    let listed = Listed::of(read, &page, |session| session.id);
    Ok(Json(listed.map(|session| SessionView::of(session, shopper.session))))
}

/// Sign out there.
///
/// Its tokens are worth nothing from then on, at every service within a second.
#[utoipa::path(delete, path = "/api/auth/sessions/{id}", tag = "sessions",
    security(("bearer" = [])), params(("id" = SessionId, Path)),
    responses((status = NO_CONTENT), Problems))]
pub(super) async fn end_session(
    State(auth): State<Auth>,
    shopper: Shopper,
    Path(session): Path<SessionId>,
    cause: Cause,
) -> Result<StatusCode, Problem> {
    auth.accounts.end_sign_in(shopper.id, session, cause).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out everywhere.
///
/// Here as well.
#[utoipa::path(delete, path = "/api/auth/sessions", tag = "sessions", security(("bearer" = [])),
    responses((status = NO_CONTENT), Problems))]
pub(super) async fn end_sessions(
    State(auth): State<Auth>,
    shopper: Shopper,
    cause: Cause,
) -> Result<StatusCode, Problem> {
    auth.accounts.sign_out_everywhere(shopper.id, cause).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl SessionView {
    fn of(session: Session, asking: SessionId) -> Self {
        let Session { id, created_at, used_at, expires_at, origin, .. } = session;
        let (client, network) = origin.map(|from| (from.client, from.network)).unzip();
        Self { id, created_at, used_at, expires_at, client, network, current: id == asking }
    }
}
