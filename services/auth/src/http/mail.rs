//! What people ask for by mail, and do when they read it.

use axum::extract::State;
use axum::http::StatusCode;
use common::http::{ClientAddress, Json, Problem, Problems};
use common::identity::Shopper;
use common::store::{Cause, UpdateError};

use super::Auth;
use super::views::{EmailChange, Forgotten, MailRead, Moved, PasswordReset};
use crate::domain::{Agreed, Refusal};
use crate::throttle::Device;

/// Ask for another password.
///
/// 202 with the same words whether or not anybody has the address (OWASP forgot password cheat
/// sheet); who has it gets a mail with a token, which is good for an hour. Whoever asks often waits.
#[utoipa::path(post, path = "/api/auth/password/forgotten", tag = "mail",
    request_body = Forgotten,
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = ACCEPTED), Problems))]
pub(super) async fn forgotten(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    Json(Forgotten { email }): Json<Forgotten>,
) -> Result<StatusCode, Problem> {
    auth.throttle.mail(&email, from).await?;
    auth.accounts.forgotten(&email, cause).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Choose another password, with the token out of a mail.
///
/// It is good once, and only while the password is the one that was forgotten. Every sign-in of the
/// person ends. The cookie is the one of a sign-in.
#[utoipa::path(post, path = "/api/auth/password/reset", tag = "mail",
    request_body = PasswordReset,
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = NO_CONTENT, headers(("Set-Cookie" = String))), Problems))]
pub(super) async fn reset(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    device: Option<Device>,
    Json(PasswordReset { token, password }): Json<PasswordReset>,
) -> Result<(Option<Device>, StatusCode), Problem> {
    let place = auth.passwords.place()?;
    auth.throttle.mail_token(from).await?;
    let user = auth.read(from, auth.accounts.may_reset(&token).await).await?;
    if user.email.as_ref().is_some_and(|email| password.repeats(email)) {
        return Err(Refusal::PasswordRepeatsEmail.into());
    }
    let chosen = auth.passwords.hash(place, password.into()).await?;
    auth.accounts.reset(user.id, token, chosen, cause).await?;
    let known = match &user.email {
        Some(email) => Some(auth.throttle.restored(email, from, device).await),
        None => None,
    };
    Ok((known, StatusCode::NO_CONTENT))
}

/// Say that an address is yours, with the token out of a mail.
///
/// It is good once, for three days.
#[utoipa::path(post, path = "/api/auth/email/verify", tag = "mail", request_body = MailRead,
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = NO_CONTENT), Problems))]
pub(super) async fn verify(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    Json(MailRead { token }): Json<MailRead>,
) -> Result<StatusCode, Problem> {
    auth.throttle.mail_token(from).await?;
    auth.read(from, auth.accounts.verify(token, cause).await).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the mail again that asks whether your address is yours.
///
/// None is sent when that is known. Whoever asks often waits.
#[utoipa::path(post, path = "/api/auth/email/verify/mail", tag = "mail",
    security(("bearer" = [])),
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = ACCEPTED), Problems))]
pub(super) async fn ask_again(
    State(auth): State<Auth>,
    shopper: Shopper,
    cause: Cause,
    from: ClientAddress,
) -> Result<StatusCode, Problem> {
    let user = auth.accounts.get(shopper.id).await?.ok_or(Refusal::SignInOver)?.value;
    if let Some(email) = &user.email {
        auth.throttle.mail(email, from).await?;
    }
    auth.accounts.ask_again(&user, cause).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Have your mail go to another address.
///
/// Both addresses get a mail with a token; it is so when both have agreed, within a day. Whoever does
/// not know the password you have now waits, as at a sign-in.
#[utoipa::path(post, path = "/api/auth/email", tag = "mail", security(("bearer" = [])),
    request_body = EmailChange,
    extensions(("x-problems" = json!({ "409": ["email-taken"], "429": ["too-many-requests"] }))),
    responses((status = ACCEPTED), Problems))]
pub(super) async fn move_mail(
    State(auth): State<Auth>,
    shopper: Shopper,
    cause: Cause,
    from: ClientAddress,
    Json(EmailChange { email, current_password }): Json<EmailChange>,
) -> Result<StatusCode, Problem> {
    let user = auth.accounts.get(shopper.id).await?.ok_or(Refusal::SignInOver)?.value;
    let place = auth.passwords.place()?;
    auth.throttle.password(shopper.id).await?;
    let proof = auth.passwords.check(place, current_password, user.password_hash).await?;
    proof.ok_or(Refusal::WrongPassword)?;
    auth.throttle.password_known(shopper.id).await?;
    for address in user.email.iter().chain([&email]) {
        auth.throttle.mail(address, from).await?;
    }
    auth.accounts.move_mail(shopper.id, email, cause).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Agree that mail goes to another address, with the token out of a mail.
///
/// 409 when the new address has an account by now.
#[utoipa::path(post, path = "/api/auth/email/agree", tag = "mail", request_body = MailRead,
    extensions(("x-problems" = json!({ "409": ["email-taken"], "429": ["too-many-requests"] }))),
    responses((status = OK, body = Moved), Problems))]
pub(super) async fn agree(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    Json(MailRead { token }): Json<MailRead>,
) -> Result<Json<Moved>, Problem> {
    auth.throttle.mail_token(from).await?;
    let agreed = auth.read(from, auth.accounts.agree(token, cause).await).await?;
    Ok(Json(Moved { changed: agreed == Agreed::Both }))
}

/// Refuse that mail goes to another address, with the token out of a mail.
///
/// Either address may, and nothing changes.
#[utoipa::path(post, path = "/api/auth/email/refuse", tag = "mail", request_body = MailRead,
    extensions(("x-problems" = json!({ "429": ["too-many-requests"] }))),
    responses((status = NO_CONTENT), Problems))]
pub(super) async fn refuse(
    State(auth): State<Auth>,
    cause: Cause,
    from: ClientAddress,
    Json(MailRead { token }): Json<MailRead>,
) -> Result<StatusCode, Problem> {
    auth.throttle.mail_token(from).await?;
    auth.read(from, auth.accounts.refuse(token, cause).await).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Auth {
    /// What came of showing a token; whoever shows those that are of no use is made to wait.
    async fn read<T>(
        &self,
        from: ClientAddress,
        outcome: Result<T, UpdateError<Refusal>>,
    ) -> Result<T, Problem> {
        if matches!(outcome, Err(UpdateError::Refused(Refusal::DeadToken))) {
            self.throttle.mail_token_dead(from).await?;
        }
        Ok(outcome?)
    }
}
