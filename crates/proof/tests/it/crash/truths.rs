//! What is true after a saga, whoever died in it.

use std::fmt;

use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use testkit::eventually;
use testkit::fleet::Service;

use contracts::{OrderId, PaymentId};

use super::play::{Placed, Play};
use super::saga::{Ending, Saga};
use super::stall::{SOON, done};

/// How many durables hear of paid orders: product's, auth's, and the one of order's timelines.
const HEAR_OF_PAID: u64 = 3;

/// How many pieces there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    on_hand: i64,
    reserved: i64,
    available: i64,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    orders: Vec<String>,
    /// By the provider's books.
    captured: i64,
    refunded: i64,
    /// What the shop says it gave back.
    said_refunded: i64,
    /// How many attempts may still move money.
    open: u64,
    counted: Counted,
    untold: u64,
    dead_letters: u64,
}

impl Standing {
    /// Everything is as this ending says, and everybody agrees.
    fn is(&self, ending: &Ending, dead_letters: u64) -> bool {
        let counted = Counted { on_hand: ending.on_hand, reserved: 0, available: ending.on_hand };
        self.orders == ending.orders
            && self.captured == ending.captured
            && self.refunded == ending.refunded
            && self.said_refunded == ending.refunded
            && self.open == 0
            && self.counted == counted
            && self.untold == 0
            && self.dead_letters == dead_letters
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Play<'_> {
    /// Waits until it has ended in one of the ways that are right.
    pub(super) async fn ends_well(&self, placed: &[Placed]) {
        let began = std::time::Instant::now();
        let dead_letters = if self.saga == Saga::Unreadable { HEAR_OF_PAID } else { 0 };
        eventually("the end", 2 * SOON, async || {
            let standing = self.standing(placed).await;
            let ends = self.saga.endings();
            let well = ends.iter().any(|ending| standing.is(ending, dead_letters));
            assert!(well || began.elapsed() < SOON, "{standing}, and not {ends:?}");
            well.then_some(())
        })
        .await;
    }

    async fn standing(&self, placed: &[Placed]) -> Standing {
        let (mut orders, mut said_refunded) = (Vec::new(), 0);
        let (mut captured, mut refunded, mut open) = (0, 0, 0);
        for Placed { id, of } in placed {
            let order = done(&of.client.get(format!("/api/orders/{id}"))).await;
            orders.push(order["status"].as_str().unwrap().to_owned());
            said_refunded += order["refunded"]["amount"].as_i64().unwrap_or_default();
            let (came, went) = self.moved(id.parse().unwrap()).await;
            (captured, refunded) = (captured + came, refunded + went);
            open += self.open(id.parse().unwrap()).await;
        }
        orders.sort();
        Standing {
            orders,
            captured,
            refunded,
            said_refunded,
            open,
            counted: self.counted().await,
            untold: self.untold().await,
            dead_letters: self.dead_letters().await,
        }
    }

    /// The provider's books.
    pub(super) fn charges(&self) -> Collection<Document> {
        self.stall.database(Service::Payment).collection("sandbox_charges")
    }

    /// How much the provider took for an order, and how much of that it gave back.
    async fn moved(&self, order: OrderId) -> (i64, i64) {
        let payment = self.stall.database(Service::Payment);
        let taken = doc! {
            "payment": PaymentId::of(order).to_string(),
            "standing": { "$in": ["captured", "processing"] },
        };
        let taken: Vec<_> = self.charges().find(taken).await.unwrap().try_collect().await.unwrap();
        let (mut came, mut went) = (0, 0);
        for charge in taken {
            came += charge.get_document("amount").unwrap().get_i64("amount").unwrap();
            let reference = charge.get_str("_id").unwrap().replacen("att_", "ch_", 1);
            let back = doc! { "charge": reference, "standing": "done" };
            let refunds = payment.collection::<Document>("sandbox_refunds");
            let back: Vec<_> = refunds.find(back).await.unwrap().try_collect().await.unwrap();
            went += back.iter().map(|back| back.get_i64("amount").unwrap()).sum::<i64>();
        }
        (came, went)
    }

    /// How many attempts to pay for an order the provider, or the shop, may still bring to an end.
    async fn open(&self, order: OrderId) -> u64 {
        let (payment, id) = (self.stall.database(Service::Payment), PaymentId::of(order));
        let promised = doc! {
            "payment": id.to_string(),
            "standing": { "$in": ["authorized", "requires_action"] },
        };
        let watched = doc! { "_id": id.to_string(), "look_at": { "$ne": null } };
        let payments = payment.collection::<Document>("payments");
        self.charges().count_documents(promised).await.unwrap()
            + payments.count_documents(watched).await.unwrap()
    }

    async fn counted(&self) -> Counted {
        let (product, sku) = (&self.product, &self.sku);
        let path = format!("/api/products/{product}/stock/ledger?limit=1&sku={sku}");
        let ledger = done(&self.staff.get(path)).await;
        let shown = done(&self.stall.client.get(format!("/api/products/{product}"))).await;
        Counted {
            on_hand: ledger["items"][0]["on_hand"].as_i64().unwrap(),
            reserved: ledger["items"][0]["reserved"].as_i64().unwrap(),
            available: shown["variants"][0]["available"].as_i64().unwrap(),
        }
    }

    /// How many events nobody was told of.
    async fn untold(&self) -> u64 {
        let mut untold = 0;
        for service in Service::ALL {
            let outbox = self.stall.database(service).collection::<Document>("outbox");
            untold += outbox.count_documents(doc! { "told": false }).await.unwrap();
        }
        untold
    }
}
