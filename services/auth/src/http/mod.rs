//! What anyone may ask about who they are.

mod mail;
mod me;
mod sessions;
mod sign_in;
mod users;
mod views;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use common::http::{Json, Problem, Problems};
use common::openapi::documented;
use common::store::Cause;
use contracts::UserId;
use contracts::auth::Role;
use tracing::{error, warn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Refusal;
use crate::keyring::{Keyring, Unsigned};
use crate::passwords::{Busy, Passwords};
use crate::store::{Accounts, SignIn};
use crate::throttle::{Halted, Throttle};
use views::{JwkSet, SignedIn};

/// A new key is told at least that long before it signs.
const KEYS_CACHED: &str = "public, max-age=60";

/// What the endpoints work with.
#[derive(Clone)]
pub(crate) struct Auth {
    pub(crate) accounts: Accounts,
    pub(crate) passwords: Passwords,
    pub(crate) keyring: Keyring,
    pub(crate) throttle: Throttle,
}

/// The endpoints.
pub(crate) fn router() -> OpenApiRouter<Auth> {
    let router = OpenApiRouter::new()
        .routes(routes!(sign_in::guest))
        .routes(routes!(sign_in::register))
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::logout))
        .routes(routes!(me::me, me::change_me))
        .routes(routes!(me::change_password))
        .routes(routes!(mail::forgotten))
        .routes(routes!(mail::reset))
        .routes(routes!(mail::verify))
        .routes(routes!(mail::ask_again))
        .routes(routes!(mail::move_mail))
        .routes(routes!(mail::agree))
        .routes(routes!(mail::refuse))
        .routes(routes!(sessions::list_sessions, sessions::end_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(users::list_users))
        .routes(routes!(users::get_user, users::change_user))
        .routes(routes!(users::audit))
        .routes(routes!(jwks));
    documented(router, "/api/auth", "Souk auth", "Accounts, sign-ins and signing keys.")
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
    /// The tokens of a sign-in, of who was this guest until a moment ago.
    fn tokens(&self, sign_in: &SignIn, guest: Option<UserId>) -> Result<SignedIn, Problem> {
        let access = self.keyring.sign(&sign_in.user, sign_in.token.session(), guest)?;
        Ok(SignedIn::of(sign_in, access, guest))
    }

    /// What was the guest's, whose token a request to sign in bears, becomes the account's. Whatever
    /// keeps it from that keeps nobody from signing in: the guest's token is as good as before, and
    /// the next sign-in tries again.
    async fn merge(&self, headers: &HeaderMap, sign_in: &SignIn, cause: Cause) -> Option<UserId> {
        let claims = self.accounts.identity().authenticate(headers).await.ok()?;
        let account = sign_in.user.id;
        if claims.role != Role::Guest || claims.sub == account {
            return None;
        }
        match self.accounts.merge(claims.sub, claims.sid, account, cause).await {
            Ok(merged) => merged,
            Err(error) => {
                warn!(user.id = %account, %error, "a guest could not be merged");
                None
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::EmailTaken => Self::conflict("email-taken"),
            Refusal::SameEmail => Self::invalid().at("/email", refusal),
            Refusal::DeadToken => Self::invalid().at("/token", refusal),
            Refusal::PasswordRepeatsEmail => Self::invalid().at("/password", refusal),
            Refusal::WrongPassword => Self::invalid().at("/current_password", refusal),
            Refusal::Disabled => Self::new(StatusCode::FORBIDDEN, "account-disabled"),
            Refusal::NotAdmin => Self::forbidden(),
            Refusal::LastAdmin => Self::conflict("last-admin"),
            Refusal::NoSuchRole => Self::invalid().at("/role", refusal),
            Refusal::Unknown => Self::not_found(),
            Refusal::WrongCredentials | Refusal::SignInOver | Refusal::MadeUp => {
                Self::unauthorized()
            }
        }
        .because(refusal)
    }
}

impl From<Halted> for Problem {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::TooMany(limit) => Self::too_many(limit.reset).limited(limit).because(halted),
            Halted::Store(error) => error.into(),
        }
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        Self::unavailable(Busy::over()).because(busy)
    }
}

impl From<Unsigned> for Problem {
    fn from(unsigned: Unsigned) -> Self {
        error!(error = %unsigned, "token not signed");
        Self::internal()
    }
}
