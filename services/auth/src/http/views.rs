//! What is asked and answered, as JSON.

use common::http::Worded;
use contracts::auth::Role;
use contracts::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Email, Key, KeySet, MailToken, Name, NewPassword, Password, User};
use crate::keyring::AccessToken;
use crate::store::SignIn;

/// What somebody registers with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    /// Where they get mail, and how they sign in.
    pub(super) email: Email,
    /// What proves from then on that they are who they say.
    pub(super) password: NewPassword,
    /// How they want to be called.
    pub(super) name: Option<Name>,
}

/// An address and a password may be made of whatever digits they like.
impl Worded for Registration {
    const NUMBERS: &'static [&'static str] = &["email", "password"];
}

/// What somebody signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// The address they registered with.
    pub(super) email: Email,
    /// The password they chose.
    pub(super) password: Password,
}

/// What gets the next access token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The refresh token that came with the last one.
    pub(super) refresh_token: String,
}

/// How somebody wants to be called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewName {
    /// Null: not at all.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub(super) name: Option<Name>,
}

impl Worded for NewName {}

/// What somebody changes their password with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    /// The one they have now.
    pub(super) current_password: Password,
    /// The one they choose.
    pub(super) password: NewPassword,
}

/// An address whose password somebody forgot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgotten {
    /// The address they registered with.
    pub(super) email: Email,
}

/// What somebody chooses another password with who forgot theirs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordReset {
    /// The token out of the mail.
    #[schema(value_type = String, max_length = 200)]
    pub(super) token: MailToken,
    /// The password they choose.
    pub(super) password: NewPassword,
}

/// That somebody read a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MailRead {
    /// The token out of the mail.
    #[schema(value_type = String, max_length = 200)]
    pub(super) token: MailToken,
}

/// Where somebody wants their mail from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmailChange {
    /// The address.
    pub(super) email: Email,
    /// The password they have.
    pub(super) current_password: Password,
}

/// How far a change of address has come.
#[derive(Serialize, ToSchema)]
pub(super) struct Moved {
    /// Whether mail goes to the new address from now on; if not, the other address has to agree, too.
    pub(super) changed: bool,
}

/// Who is signed in, and the tokens that say so.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    /// Goes into `Authorization: Bearer …` of every request.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long the access token is good for, in seconds.
    #[schema(example = 300)]
    expires_in: u64,
    /// Gets the next access token, once.
    refresh_token: String,
    /// Who is signed in.
    user: UserView,
    /// The guest they were until a moment ago: what was the guest's is theirs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_from: Option<UserId>,
}

/// A person, as they see themselves.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView {
    /// Names the person.
    id: UserId,
    /// What they may do.
    role: Role,
    /// Where they get mail; a guest has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    /// Since when it is known that they read mail there.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified_at: Option<Timestamp>,
    /// How they want to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
}

/// The public keys that access tokens are checked with (RFC 7517).
#[derive(Serialize, ToSchema)]
pub(super) struct JwkSet {
    /// The keys.
    keys: Vec<Jwk>,
}

/// One Ed25519 public key (RFC 8037).
#[derive(Serialize, ToSchema)]
pub(super) struct Jwk {
    /// Always `OKP`.
    kty: &'static str,
    /// Always `Ed25519`.
    crv: &'static str,
    /// Always `EdDSA`.
    alg: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    usage: &'static str,
    /// Names the key, as the header of a token does.
    kid: String,
    /// The key, base64url without padding.
    x: String,
}

impl SignedIn {
    /// The tokens of a sign-in.
    pub(super) fn of(sign_in: &SignIn, access: AccessToken, guest: Option<UserId>) -> Self {
        Self {
            access_token: access.text,
            token_type: "Bearer",
            expires_in: access.life.as_secs(),
            refresh_token: sign_in.token.expose(),
            user: UserView::of(&sign_in.user),
            merged_from: guest,
        }
    }
}

impl UserView {
    /// How this person sees themselves.
    pub(super) fn of(user: &User) -> Self {
        let User { id, role, email, email_verified_at, name, .. } = user.clone();
        Self { id, role, email, email_verified_at, name }
    }
}

impl JwkSet {
    /// The keys of the set; none before there is one.
    pub(super) fn of(set: Option<&KeySet>) -> Self {
        Self { keys: set.iter().flat_map(|set| &set.keys).map(Jwk::of).collect() }
    }
}

impl Jwk {
    fn of(key: &Key) -> Self {
        let (kid, x) = (key.public.kid.clone(), key.public.x.clone());
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid, x }
    }
}
