//! What those who look after people may do, and what is written down about it.

use axum::extract::State;
use common::http::{Json, Listed, Page, Path, Problem, Problems, Query, RequiredIfMatch, Tagged};
use common::identity::{Admin, Staff};
use common::store::{Cause, Stored};
use contracts::auth::Role;
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Auth;
use crate::domain::{Act, Email, Entry, Name, Refusal, User, Wish};
use crate::store::Search;

/// Whom to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// With exactly this address.
    #[param(value_type = Option<String>)]
    email: Option<Email>,
    /// Whose name begins so, in upper or lower case.
    #[param(value_type = Option<String>)]
    name: Option<Name>,
    /// With this role; without, everybody who has an account.
    #[param(value_type = Option<Role>)]
    role: Option<Role>,
}

/// What is to become of a person; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonChange {
    /// What they may do: `shopper`, `staff` or `admin`.
    role: Option<Role>,
    /// Whether they may sign in no more.
    disabled: Option<bool>,
}

/// A person, as those see them who look after people.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct PersonView {
    /// Names the person.
    id: UserId,
    /// What they may do.
    role: Role,
    /// Whether they may sign in no more.
    disabled: bool,
    /// Where they get mail; a guest has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    /// How they want to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// Since when they are known.
    created_at: Timestamp,
    /// The account that a guest became part of: their orders and cart are that account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<UserId>,
}

/// Who did what to whom.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct EntryView {
    /// Names the entry.
    #[schema(example = "aud_0190b0e1c7f67c3e9d1a2b3c4d5e6f70")]
    id: String,
    /// When.
    at: Timestamp,
    /// Who; absent for what the service did by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<UserId>,
    /// To whom, if to anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<UserId>,
    /// What.
    act: Act,
}

/// See people.
///
/// The newest first; everybody who has an account, unless you ask for others. That you looked is
/// written down.
#[utoipa::path(get, path = "/api/auth/users", tag = "staff", security(("bearer" = [])),
    params(Wanted, Page), responses((status = OK, body = Listed<PersonView>), Problems))]
pub(super) async fn list_users(
    State(auth): State<Auth>,
    admin: Admin,
    cause: Cause,
    Query(Wanted { email, name, role }): Query<Wanted>,
    page: Page,
) -> Result<Json<Listed<PersonView>>, Problem> {
    let after = page.after()?;
    if role == Some(Role::Unknown) {
        return Err(Problem::malformed().because("query: role: there is no such role"));
    }
    let act = if email.is_some() || name.is_some() { Act::Searched } else { Act::Listed };
    auth.accounts.note(admin.id, act, None, cause).await?;
    let read = auth.accounts.people(&Search { email, name, role }, &page, after).await?;
    let listed = Listed::of(read, &page, |person| person.id);
    Ok(Json(listed.map(|person| PersonView::of(&person))))
}

/// See one person.
///
/// That you looked is written down.
#[utoipa::path(get, path = "/api/auth/users/{id}", tag = "staff", security(("bearer" = [])),
    params(("id" = UserId, Path)), responses((status = OK, body = PersonView), Problems))]
pub(super) async fn get_user(
    State(auth): State<Auth>,
    admin: Admin,
    Path(id): Path<UserId>,
    cause: Cause,
) -> Result<Tagged<PersonView>, Problem> {
    let person = auth.person(id).await?;
    auth.accounts.note(admin.id, Act::Viewed, Some(id), cause).await?;
    Ok(Tagged(person.tag(), PersonView::of(&person)))
}

/// Change what a person may do.
///
/// They are signed out everywhere, and may sign in again unless they are disabled. The last
/// administrator stays one: 409.
#[utoipa::path(patch, path = "/api/auth/users/{id}", tag = "staff", security(("bearer" = [])),
    params(("id" = UserId, Path), ("If-Match" = String, Header)), request_body = PersonChange,
    extensions(("x-problems" = json!({ "409": ["last-admin"] }))),
    responses((status = OK, body = PersonView, headers(("ETag" = String))), Problems))]
pub(super) async fn change_user(
    State(auth): State<Auth>,
    admin: Admin,
    Path(id): Path<UserId>,
    cause: Cause,
    RequiredIfMatch(if_match): RequiredIfMatch,
    Json(PersonChange { role, disabled }): Json<PersonChange>,
) -> Result<Tagged<PersonView>, Problem> {
    let wish = Wish { role, disabled };
    auth.accounts.edit(id, wish, if_match, admin.id, cause).await?;
    let person = auth.person(id).await?;
    Ok(Tagged(person.tag(), PersonView::of(&person)))
}

/// See who looked after people, and how.
///
/// The newest first.
#[utoipa::path(get, path = "/api/auth/audit", tag = "staff", security(("bearer" = [])),
    params(Page), responses((status = OK, body = Listed<EntryView>), Problems))]
pub(super) async fn audit(
    State(auth): State<Auth>,
    _staff: Staff,
    page: Page,
) -> Result<Json<Listed<EntryView>>, Problem> {
    let read = auth.accounts.audit(&page, page.after()?).await?;
    let listed = Listed::of(read, &page, |entry| entry.id.clone());
    Ok(Json(listed.map(EntryView::of)))
}

impl Auth {
    async fn person(&self, id: UserId) -> Result<Stored<User>, Problem> {
        Ok(self.accounts.get(id).await?.ok_or(Refusal::Unknown)?)
    }
}

impl PersonView {
    fn of(user: &User) -> Self {
        let User { id, role, disabled, email, name, created_at, merged_into, .. } = user.clone();
        Self { id, role, disabled, email, name, created_at, merged_into }
    }
}

impl EntryView {
    fn of(Entry { id, at, by, person, act }: Entry) -> Self {
        Self { id, at, by, person, act }
    }
}
