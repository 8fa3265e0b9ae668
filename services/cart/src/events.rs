//! What cart hears: the catalogue, of which it keeps copies of its own.

use common::bus::{Copies, Fact, Handled};
use contracts::product;

use crate::domain::{CopiedProduct, CopiedStock};
use crate::store::Carts;

/// Keeps the copies that carts are priced by.
pub(crate) fn copies(carts: Carts) -> Copies<Carts> {
    Copies::new(carts).on(product_told).on(stock_told)
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
