//! The first administrator, without whom nobody could make others.

use common::store::{Cause, UpdateError, patiently};
use contracts::UserId;
use contracts::auth::Role;
use tracing::{info, warn};

use crate::config::Administrator;
use crate::domain::{Account, Refusal, User};
use crate::passwords::Passwords;
use crate::store::Accounts;

/// Makes the account of the first administrator. One that is there already stays as it is.
pub(crate) async fn appoint(
    administrator: Administrator,
    accounts: &Accounts,
    passwords: &Passwords,
) -> anyhow::Result<()> {
    let Administrator { email, password } = administrator;
    if let Some(user) = patiently(async || accounts.find(&email).await).await? {
        left(&user);
        return Ok(());
    }
    let account = Account {
        id: UserId::from_uuid(accounts.clock().uuid()),
        role: Role::Admin,
        email,
        password_hash: passwords.hash(passwords.place()?, password.into()).await?,
        name: None,
    };
    let cause = Cause::own("start", accounts.clock());
    let enrol = async || accounts.enrol(account.clone(), cause.clone()).await;
    match patiently(enrol).await {
        Ok(user) => info!(user.id = %user.id, "first administrator appointed"),
        Err(UpdateError::Refused(Refusal::EmailTaken)) => {
            info!("another replica appointed the first administrator");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn left(user: &User) {
    if user.role == Role::Admin {
        info!(user.id = %user.id, "first administrator is there");
    } else {
        warn!(user.id = %user.id, "SOUK_ADMIN_EMAIL is of an account that is no administrator's");
    }
}
