//! Coming, registering, signing in and out.
//!
//! How refresh tokens follow one another is RFC 9700, section 4.14.2; the module of
//! [`RefreshToken`](crate::domain::RefreshToken) says what of it, and what not.

use axum::extract::State;
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use common::http::{Cardless, ClientAddress, Json, Problem, Problems};
use common::identity::Denied;
use common::store::{Cause, UpdateError};
use contracts::UserId;
use contracts::auth::Role;

use super::Auth;
use super::views::{Credentials, Refresh, Registration, SignedIn};
use crate::domain::{Account, NotAToken, Origin, Refusal};
use crate::throttle::Device;

/// Where a new person finds what is known of them.
const ME: [(HeaderName, &str); 1] = [(LOCATION, "/api/auth/me")];

/// The answer to who is new here.
type Created<T> = (StatusCode, [(HeaderName, &'static str); 1], T);

/// Come as a guest.
///
/// A guest buys like anyone, without an account.
#[utoipa::path(post, path = "/api/auth/guest", tag = "sign-in",
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = CREATED, body = SignedIn), Problems))]
pub(super) async fn guest(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    headers: HeaderMap,
) -> Result<Created<Json<SignedIn>>, Problem> {
    auth.throttle.guest(from).await?;
    let sign_in = auth.accounts.guest(origin(&headers, from), cause).await?;
    Ok((StatusCode::CREATED, ME, Json(auth.tokens(&sign_in, None)?)))
}

/// Make an account.
///
/// An e-mail address has at most one: 409 when it has one already, and whoever asks for many such
/// waits (429). The password is none of the commonest and does not only repeat the address. With a
/// guest's token, what was the guest's becomes the account's, and the guest's sign-in ends. The
/// cookie is the one of a sign-in.
#[utoipa::path(post, path = "/api/auth/register", tag = "sign-in", request_body = Registration,
    extensions(("x-problems" = json!({
        "409": ["email-taken"],
        "422": ["card-number"],
        "429": ["too-many-requests"]
    }))),
    responses((status = CREATED, body = SignedIn, headers(("Set-Cookie" = String))), Problems))]
pub(super) async fn register(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    device: Option<Device>,
    headers: HeaderMap,
    Cardless(Registration { email, password, name }): Cardless<Registration>,
) -> Result<Created<(Device, Json<SignedIn>)>, Problem> {
    if password.repeats(&email) {
        return Err(Refusal::PasswordRepeatsEmail.into());
    }
    let place = auth.passwords.place()?.near().await?;
    let attempt = auth.throttle.register(&email, from, device).await?;
    let password_hash = auth.passwords.hash(place, password.into()).await?;
    let id = UserId::from_uuid(auth.accounts.clock().uuid());
    let account = Account { id, role: Role::Shopper, email, password_hash, name };
    let sign_in = match auth.accounts.register(account, origin(&headers, from), cause.clone()).await
    {
        Err(taken @ UpdateError::Refused(Refusal::EmailTaken)) => {
            attempt.was_taken().await?;
            return Err(taken.into());
        }
        outcome => outcome?,
    };
    let device = attempt.succeeded().await;
    let guest = auth.merge(&headers, &sign_in, cause).await;
    Ok((StatusCode::CREATED, ME, (device, Json(auth.tokens(&sign_in, guest)?))))
}

/// Sign in.
///
/// 401 for an unknown address and for a wrong password alike. Whoever fails again and again waits:
/// 429 with `Retry-After` and `RateLimit`, a second at first, never more than 15 minutes. The cookie
/// `souk_device` names the device for 90 days: on one that somebody signed in with before, they wait
/// for what failed on it alone, and not for what strangers do. It is no sign-in, and may be left out.
/// With a guest's token, what was the guest's becomes the account's, and the guest's sign-in ends.
#[utoipa::path(post, path = "/api/auth/login", tag = "sign-in", request_body = Credentials,
    extensions(("x-problems" = json!({
        "401": ["unauthorized"],
        "403": ["account-disabled"],
        "429": ["too-many-requests"]
    }))),
    responses((status = OK, body = SignedIn, headers(("Set-Cookie" = String))), Problems))]
pub(super) async fn login(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    device: Option<Device>,
    headers: HeaderMap,
    Json(Credentials { email, password }): Json<Credentials>,
) -> Result<(Device, Json<SignedIn>), Problem> {
    let place = auth.passwords.place()?.near().await?;
    let attempt = auth.throttle.sign_in(&email, from, device).await?;
    let user = auth.accounts.find(&email).await?;
    let kept = user.as_ref().and_then(|user| user.password_hash.clone());
    let proof = auth.passwords.check(place, password, kept).await?;
    let Some((user, proof)) = user.zip(proof) else {
        attempt.failed().await?;
        return Err(Refusal::WrongCredentials.into());
    };
    let origin = origin(&headers, from);
    let sign_in = auth.accounts.sign_in(user.id, proof, origin, cause.clone()).await?;
    let device = attempt.succeeded().await;
    let guest = auth.merge(&headers, &sign_in, cause).await;
    Ok((device, Json(auth.tokens(&sign_in, guest)?)))
}

/// Get the next access token.
///
/// A refresh token is good for one use. Used again within 30 seconds, as when an answer was lost,
/// it gives the same successor, unless that was used; else the sign-in ends (RFC 9700, section
/// 4.14.2). Whoever shows what is none again and again waits.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "sign-in", request_body = Refresh,
    extensions(("x-problems" = json!({
        "401": ["unauthorized"],
        "403": ["account-disabled"],
        "429": ["too-many-requests"]
    }))),
    responses((status = OK, body = SignedIn), Problems))]
pub(super) async fn refresh(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    Json(form): Json<Refresh>,
) -> Result<Json<SignedIn>, Problem> {
    let refreshed = match form.refresh_token.parse() {
        Ok(token) => auth.accounts.refresh(&token, cause).await,
        Err(NotAToken) => Err(UpdateError::Refused(Refusal::MadeUp)),
    };
    if matches!(refreshed, Err(UpdateError::Refused(Refusal::MadeUp))) {
        auth.throttle.made_up(from).await?;
    }
    auth.tokens(&refreshed?, None).map(Json)
}

/// Sign out.
///
/// The tokens of this sign-in are worth nothing from then on. Asked twice, it happens once.
#[utoipa::path(post, path = "/api/auth/logout", tag = "sign-in", security(("bearer" = [])),
    responses((status = NO_CONTENT), Problems))]
pub(super) async fn logout(
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

fn origin(headers: &HeaderMap, from: ClientAddress) -> Origin {
    let said = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    Origin::of(said, from.network())
}
