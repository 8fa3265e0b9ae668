//! Who people are, how they sign in, and by which keys that is proved.

mod digest;
mod email;
mod keys;
mod name;
mod password;
mod refresh;
mod session;
mod user;

pub use digest::Digest;
pub use email::{Email, InvalidEmail};
pub use keys::{Configured, HEAD_START, Key, KeySet, PublicHalf, RETIREMENT};
pub use name::{InvalidName, Name};
pub use password::{InvalidPassword, Password, PasswordHash};
pub use refresh::{NotAToken, RefreshToken, Sealed};
pub use session::{GRACE, Next, Previous, Refreshed, Rotation, SESSION_LIFE, Session};
pub use user::{Account, EmailClaim, User};

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody registered with this address before.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// The same for an unknown address and for a wrong password: who guesses learns nothing.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The sign-in ended, or never was.
    #[error("the sign-in is over: sign in again")]
    SignInOver,
}
