//! Who minds the shop.

use std::fmt;

use demo::Credentials;

use super::Args;
use super::data::Data;

/// The first administrator, whom auth makes at its start.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) password: String,
    given: bool,
}

impl Account {
    /// The one that was asked for, with a password that is kept where none was given.
    pub(crate) fn new(args: &Args, data: &Data) -> anyhow::Result<Self> {
        let email = args.admin_email.clone();
        Ok(match args.admin_password.clone() {
            Some(password) => Self { email, password, given: true },
            None => Self { email, password: data.secret("admin-password")?, given: false },
        })
    }

    /// What they sign in with.
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials { email: self.email.clone(), password: self.password.clone() }
    }
}

/// For the person at the terminal: a password they gave themselves is not repeated.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = if self.given { "as given" } else { &self.password };
        write!(f, "{}, password {password}", self.email)
    }
}
