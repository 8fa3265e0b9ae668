//! What cart hears: the catalogue, of which it keeps copies of its own, and who a guest turned out
//! to be.

use common::bus::{Copies, Fact, Handled, Work};
use common::store::Cause;
use contracts::{auth, product};

use crate::domain::{CopiedProduct, CopiedStock};
use crate::store::Carts;

/// Keeps the copies that carts are priced by.
pub(crate) fn copies(carts: Carts) -> Copies<Carts> {
    Copies::new(carts).on(product_told).on(stock_told)
}

/// Brings what guests had to their accounts.
pub(crate) fn guests(carts: Carts) -> Work<Carts> {
    Work::new("guests", carts).on(guest_merged)
}

async fn guest_merged(carts: Carts, fact: Fact<auth::GuestMerged>) -> Handled {
    let auth::GuestMerged { guest_id, user_id } = fact.event;
    Ok(carts.merge(guest_id, user_id, Cause::heard(&fact.envelope)).await?)
}

async fn product_told(carts: Carts, fact: Fact<product::State>) -> Handled {
    let sequence = fact.sequence();
    carts.store.keep_copy(&CopiedProduct::from(fact.event), sequence).await?;
    Ok(())
}

async fn stock_told(carts: Carts, fact: Fact<product::Stock>) -> Handled {
    let sequence = fact.sequence();
    carts.store.keep_copy(&CopiedStock::from(fact.event), sequence).await?;
    Ok(())
}
