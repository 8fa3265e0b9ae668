//! Who people are, how they sign in, and by which keys that is proved.

mod address_change;
mod buyer;
mod digest;
mod email;
mod guest;
mod keys;
mod mail;
mod mail_bound;
mod mail_token;
mod name;
mod origin;
mod password;
mod refresh;
mod session;
mod staff;
mod ticket;
mod user;

pub(crate) use address_change::{AddressChange, Agreed};
pub(crate) use buyer::{Buyer, NEWS, REMEMBERED};
pub(crate) use digest::Digest;
pub(crate) use email::Email;
pub(crate) use guest::FORGOTTEN_AFTER;
pub(crate) use keys::{Configured, Key, KeySet, PublicHalf};
pub(crate) use mail::{About, Mail, MailId};
pub(crate) use mail_bound::Unasked;
pub(crate) use mail_token::{MailToken, SECRET};
pub(crate) use name::Name;
pub(crate) use origin::Origin;
pub(crate) use password::{InvalidPassword, NewPassword, Password, PasswordHash, Proof};
pub(crate) use refresh::{NotAToken, RefreshToken, Sealed};
pub(crate) use session::{AT_MOST, Next, Refreshed, Rotation, Session};
pub(crate) use staff::{Act, Admins, Auditor, Entry, SignIns, Wish};
pub(crate) use ticket::{Drawn, Errand, Ticket};
pub(crate) use user::{Account, EmailClaim, User};

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Somebody registered with this address before.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// Mail goes there already.
    #[error("this is the address you have now")]
    SameEmail,
    /// Used, too old, made up, or of something that changed meanwhile: one is like the other.
    #[error("this token is of no use any more: ask for another mail")]
    DeadToken,
    /// Who knows the address guesses it first.
    #[error("this password only repeats the e-mail address or the shop's name")]
    PasswordRepeatsEmail,
    /// The same for an unknown address and for a wrong password: who guesses learns nothing.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Who asks is who they say, but does not know the password they have now.
    #[error("this is not the password you have now")]
    WrongPassword,
    /// Who knows the password may hear that it is of no use.
    #[error("this account was disabled: ask the shop")]
    Disabled,
    /// Who asks could do so when they got their token, and may no longer.
    #[error("you may not look after people any more")]
    NotAdmin,
    /// Nobody could make another.
    #[error("this is the last administrator: appoint another one first")]
    LastAdmin,
    /// Guests have no account, and none becomes a guest.
    #[error("people with an account are shopper, staff or admin; guests stay guests")]
    NoSuchRole,
    /// It is not there, or it is another's.
    #[error("there is no such thing")]
    Unknown,
    /// The sign-in ended.
    #[error("the sign-in is over: sign in again")]
    SignInOver,
    /// There is no such sign-in, or the token is not of it. To the one who asks it looks the same;
    /// but whoever guesses is made to wait, and whoever comes back late is not.
    #[error("the sign-in is over: sign in again")]
    MadeUp,
}
