//! What people may see and change of themselves.

use axum::extract::State;
use axum::http::StatusCode;
use common::http::{Cardless, Json, Problem, Problems, RequiredIfMatch, Tagged};
use common::identity::Shopper;
use common::store::Cause;

use super::Auth;
use super::views::{NewName, PasswordChange, UserView};
use crate::domain::Refusal;

/// See who you are.
#[utoipa::path(get, path = "/api/auth/me", tag = "people", security(("bearer" = [])),
    responses((status = OK, body = UserView), Problems))]
pub(super) async fn me(
    State(auth): State<Auth>,
    shopper: Shopper,
) -> Result<Tagged<UserView>, Problem> {
    let user = auth.accounts.get(shopper.id).await?.ok_or(Refusal::SignInOver)?;
    Ok(Tagged(user.tag(), UserView::of(&user)))
}

/// Change how you are called.
#[utoipa::path(patch, path = "/api/auth/me", tag = "people", security(("bearer" = [])),
    params(("If-Match" = String, Header)), request_body = NewName,
    extensions(("x-problems" = json!({ "422": ["card-number"] }))),
    responses((status = OK, body = UserView, headers(("ETag" = String))), Problems))]
pub(super) async fn change_me(
    State(auth): State<Auth>,
    shopper: Shopper,
    cause: Cause,
    RequiredIfMatch(if_match): RequiredIfMatch,
    Cardless(NewName { name }): Cardless<NewName>,
) -> Result<Tagged<UserView>, Problem> {
    auth.accounts.rename(shopper.id, name, if_match, cause).await?;
    let user = auth.accounts.get(shopper.id).await?.ok_or(Refusal::SignInOver)?;
    Ok(Tagged(user.tag(), UserView::of(&user)))
}

/// Choose another password.
///
/// Every other sign-in of yours ends. Whoever does not know the password you have now waits, as at
/// a sign-in.
#[utoipa::path(post, path = "/api/auth/password", tag = "people", security(("bearer" = [])),
    request_body = PasswordChange,
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = NO_CONTENT), Problems))]
pub(super) async fn change_password(
    State(auth): State<Auth>,
    shopper: Shopper,
    cause: Cause,
    Json(PasswordChange { current_password, password }): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let user = auth.accounts.get(shopper.id).await?.ok_or(Refusal::SignInOver)?.value;
    if user.email.as_ref().is_some_and(|email| password.repeats(email)) {
        return Err(Refusal::PasswordRepeatsEmail.into());
    }
    let place = auth.passwords.place()?;
    auth.throttle.password(shopper.id).await?;
    let kept = user.password_hash;
    let exchanged = auth.passwords.exchange(place, current_password, kept, password.into()).await?;
    let (proof, chosen) = exchanged.ok_or(Refusal::WrongPassword)?;
    auth.throttle.password_known(shopper.id).await?;
    auth.accounts.rekey((shopper.id, shopper.session), proof, chosen, cause).await?;
    Ok(StatusCode::NO_CONTENT)
}
