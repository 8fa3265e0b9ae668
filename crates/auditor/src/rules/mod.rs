//! What has to hold.

mod books;
mod bus;
mod copies;
mod goods;
mod money;
mod orders;
mod outbox;
mod receipts;
mod sequences;
mod states;
mod stock;
mod timelines;

use contracts::Timestamp;
use tracing::info;

use crate::bus::Reader;
use crate::findings::Findings;
use crate::sources::Views;
use crate::{Bounds, Error};

/// What is looked at, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop<'a> {
    pub(crate) views: &'a Views,
    pub(crate) bus: &'a Reader,
    pub(crate) bounds: &'a Bounds,
    pub(crate) now: Timestamp,
}

/// Checks every rule.
pub(crate) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    info!("checking stock against its ledger and reservations");
    stock::check(shop, out).await?;
    info!("checking payments against their ledger");
    let owed = books::check(shop, out).await?;
    info!("checking orders against goods and money");
    orders::check(shop, owed, out).await?;
    info!("checking outboxes and receipts");
    outbox::check(shop, out).await?;
    receipts::check(shop, out).await?;
    info!("checking copies");
    copies::check(shop, out).await?;
    timelines::check(shop, out).await?;
    info!("checking what was told");
    sequences::check(shop, out).await?;
    states::check(shop, out).await?;
    info!("checking what was heard");
    bus::check(shop, out).await
}

impl Shop<'_> {
    /// Whether this time is over by more than is allowed.
    pub(crate) fn is_late(&self, time: Timestamp, bound: std::time::Duration) -> bool {
        time.plus(bound) < self.now
    }
}
