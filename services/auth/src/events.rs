//! What auth hears: who ordered something, so that it forgets nobody who did.

use common::bus::{Fact, Handled, Work};
use common::store::Cause;
use contracts::order::Placed;

use crate::store::Accounts;

/// Keeps guests who ordered.
pub(crate) fn guests(accounts: Accounts) -> Work<Accounts> {
    Work::new("guests", accounts).on(order_placed)
}

async fn order_placed(accounts: Accounts, fact: Fact<Placed>) -> Handled {
    let Some(customer) = fact.event.customer else { return Ok(()) };
    Ok(accounts.ordered(customer, Cause::heard(&fact.envelope)).await?)
}
