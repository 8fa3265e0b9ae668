//! What anyone may ask about who they are.

mod views;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use common::http::{Json, Problem, Problems, Tagged};
use common::identity::{Denied, Shopper};
use common::openapi::documented;
use common::store::Cause;
use contracts::UserId;
use contracts::auth::Role;
use tracing::error;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{Account, Refusal};
use crate::keyring::{Keyring, Unsigned};
use crate::passwords::{Busy, Passwords};
use crate::store::{Accounts, SignIn};
use views::{Credentials, JwkSet, Refresh, Registration, SignedIn, UserView};

/// A new key is told at least that long before it signs.
const KEYS_CACHED: &str = "public, max-age=60";

type Created<T> = (StatusCode, Json<T>);

/// What the endpoints work with.
#[derive(Clone)]
pub(crate) struct Auth {
    pub(crate) accounts: Accounts,
    pub(crate) passwords: Passwords,
    pub(crate) keyring: Keyring,
}

/// The endpoints.
pub(crate) fn router() -> OpenApiRouter<Auth> {
    let router = OpenApiRouter::new()
        .routes(routes!(guest))
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(me))
        .routes(routes!(jwks));
    documented(router, "/api/auth", "Souk auth", "Accounts, sign-ins and signing keys.")
}

/// Come as a guest.
///
/// A guest buys like anyone, without an account.
#[utoipa::path(post, path = "/api/auth/guest", tag = "sign-in",
    responses((status = CREATED, body = SignedIn), Problems))]
async fn guest(State(auth): State<Auth>, cause: Cause) -> Result<Created<SignedIn>, Problem> {
    let sign_in = auth.accounts.guest(cause).await?;
    auth.tokens(&sign_in).map(created)
}

/// Make an account.
///
/// An e-mail address has at most one: 409 when it has one already.
#[utoipa::path(post, path = "/api/auth/register", tag = "sign-in", request_body = Registration,
    responses((status = CREATED, body = SignedIn), Problems))]
async fn register(
    State(auth): State<Auth>,
    cause: Cause,
    Json(form): Json<Registration>,
) -> Result<Created<SignedIn>, Problem> {
    let Registration { email, password, name } = form;
    let password_hash = auth.passwords.hash(password.into()).await?;
    let id = UserId::from_uuid(auth.accounts.clock().uuid());
    let account = Account { id, role: Role::Shopper, email, password_hash, name };
    let sign_in = auth.accounts.register(account, cause).await?;
    auth.tokens(&sign_in).map(created)
}

/// Sign in.
///
/// 401 for an unknown address and for a wrong password alike.
#[utoipa::path(post, path = "/api/auth/login", tag = "sign-in", request_body = Credentials,
    responses((status = OK, body = SignedIn), Problems))]
async fn login(
    State(auth): State<Auth>,
    cause: Cause,
    Json(Credentials { email, password }): Json<Credentials>,
) -> Result<Json<SignedIn>, Problem> {
    let user = auth.accounts.find(&email).await?;
    let kept = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = auth.passwords.verify(password, kept.clone()).await?;
    let proved = user.zip(kept).filter(|_| right);
    let (user, verified) = proved.ok_or(Refusal::WrongCredentials)?;
    let sign_in = auth.accounts.sign_in(user.id, verified, cause).await?;
    auth.tokens(&sign_in).map(Json)
}

/// Get the next access token.
///
/// A refresh token is good for one use. Used again within 30 seconds, as when an answer was lost,
/// it gives the same successor, unless that was used; else the sign-in ends.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "sign-in", request_body = Refresh,
    responses((status = OK, body = SignedIn), Problems))]
async fn refresh(
    State(auth): State<Auth>,
    cause: Cause,
    Json(form): Json<Refresh>,
) -> Result<Json<SignedIn>, Problem> {
    let token = form.refresh_token.parse().map_err(|_| Refusal::SignInOver)?;
    let sign_in = auth.accounts.refresh(&token, cause).await?;
    auth.tokens(&sign_in).map(Json)
}

/// Sign out.
///
/// The tokens of this sign-in are worth nothing from then on. Asked twice, it happens once.
#[utoipa::path(post, path = "/api/auth/logout", tag = "sign-in", security(("bearer" = [])),
    responses((status = NO_CONTENT), Problems))]
async fn logout(
    State(auth): State<Auth>,
    cause: Cause,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    match auth.accounts.identity().authenticate(&headers).await {
        Ok(claims) => auth.accounts.sign_out(claims.sid, cause).await?,
        // It is over already.
        Err(Denied::Revoked) => {}
        Err(denied) => return Err(denied.into()),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// See who you are.
#[utoipa::path(get, path = "/api/auth/me", tag = "people", security(("bearer" = [])),
    responses((status = OK, body = UserView), Problems))]
async fn me(State(auth): State<Auth>, shopper: Shopper) -> Result<Tagged<UserView>, Problem> {
    let user = auth.accounts.get(shopper.id).await?.ok_or(Refusal::SignInOver)?;
    Ok(Tagged(user.tag(), UserView::of(&user)))
}

/// See the public keys.
///
/// Access tokens are checked with these (RFC 7517, RFC 8037).
#[utoipa::path(get, path = "/api/auth/jwks.json", tag = "keys",
    responses((status = OK, body = JwkSet), Problems))]
async fn jwks(
    State(auth): State<Auth>,
) -> Result<([(HeaderName, &'static str); 1], Json<JwkSet>), Problem> {
    let set = auth.keyring.trusted().await?;
    Ok(([(CACHE_CONTROL, KEYS_CACHED)], Json(JwkSet::of(set.as_ref()))))
}

impl Auth {
    fn tokens(&self, sign_in: &SignIn) -> Result<SignedIn, Problem> {
        let access = self.keyring.sign(&sign_in.user, sign_in.token.session())?;
        Ok(SignedIn::of(sign_in, access))
    }
}

fn created<T>(view: T) -> Created<T> {
    (StatusCode::CREATED, Json(view))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::EmailTaken => Self::conflict("email-taken"),
            Refusal::WrongCredentials | Refusal::SignInOver => Self::unauthorized(),
        }
        .because(refusal)
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        Self::unavailable(Busy::OVER).because(busy)
    }
}

impl From<Unsigned> for Problem {
    fn from(unsigned: Unsigned) -> Self {
        error!(error = %unsigned, "token not signed");
        Self::internal()
    }
}
