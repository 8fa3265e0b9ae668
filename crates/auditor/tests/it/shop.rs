//! A shop in which something of everything has happened.

use std::time::{Duration, Instant};

use auditor::{Bounds, Report, Sources, audit};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection};
use serde_json::json;
use testkit::fleet::{Options, Service};
use testkit::{Fleet, Shopper, Staff, World};

const SOON: Duration = Duration::from_mins(2);

/// What is left of a shop after its last customer: databases and the bus.
pub(crate) struct Shop {
    pub(crate) sources: Sources,
    pub(crate) world: World,
    pub(crate) fleet: Fleet,
    /// It was paid, and nothing of it was sent.
    pub(crate) paid: String,
    /// It waits for its money.
    pub(crate) reserved: String,
    /// It was cancelled before it was paid.
    pub(crate) cancelled: String,
    /// It was cancelled after it was paid, and its money went back.
    pub(crate) refunded: String,
    client: Client,
}

impl Shop {
    /// People buy, change their minds, send things back, sign in after they had bought.
    pub(crate) async fn lived_in() -> Self {
        let world = World::start().await;
        let fleet = Fleet::start(&world, Options::default()).await;
        let http = fleet.client();
        let staff = Staff::sign_in(&http).await;
        staff.sells("Mug", &[("MUG", 1250, 500), ("MUG-XL", 1750, 5)]).await;
        staff.sells("Tray", &[("TRAY", 4000, 20)]).await;
        let guest = Shopper::guest(&http).await;
        let paid = guest.buys("MUG", 2, "pm_card_visa").await.text_of("id");
        let delivered = guest.buys("MUG-XL", 1, "pm_card_visa").await.text_of("id");
        staff.ships(&delivered).await;
        staff.delivers(&delivered).await;
        let payment = guest.payments(&delivered).await[0]["id"].as_str().unwrap().to_owned();
        let part = json!({ "amount": { "amount": 500, "currency": "EUR" }, "reason": "a scratch" });
        let refunds = format!("/api/payments/{payment}/refunds");
        staff.client.post(refunds).json(&part).key("scratch").await.ok();
        let refunded = guest.buys("TRAY", 1, "pm_card_visa").await.text_of("id");
        cancel(&guest, &refunded).await;
        let cancelled = ordered(&guest, "TRAY", 2).await;
        cancel(&guest, &cancelled).await;
        guest.add("MUG", 1).await;
        let account = Shopper::register(&guest.client, "ann@souk.example", "a fine long password");
        let account = account.await;
        let reserved = ordered(&account, "TRAY", 1).await;
        account.client.post("/api/auth/logout").await;
        let sources = Sources::on(world.mongo_uri(), &world.nats().url(), |name| {
            fleet.database(Service::ALL.into_iter().find(|it| it.name() == name).unwrap())
        });
        let client = Client::with_uri_str(world.mongo_uri()).await.unwrap();
        let shop = Self { sources, world, fleet, paid, reserved, cancelled, refunded, client };
        shop.until_content().await;
        shop
    }

    /// What an audit says of the shop when it is quiet. It has room for few events at once, so that
    /// it reads every stream several times.
    pub(crate) async fn audit(&self) -> Report {
        let bounds = Bounds { events_at_once: 25, ..Bounds::quiet() };
        audit(&self.sources, bounds).await.unwrap()
    }

    /// A collection of a service.
    pub(crate) fn collection(&self, service: Service, name: &str) -> Collection<Document> {
        self.client.database(&self.fleet.database(service)).collection(name)
    }

    /// The id of the payment of an order.
    pub(crate) async fn payment(&self, order: &str) -> String {
        let payments = self.collection(Service::Payment, "payments");
        let payment = payments.find_one(doc! { "order_id": order }).await.unwrap().unwrap();
        payment.get_str("_id").unwrap().to_owned()
    }

    /// All services end: what is in the databases stays as it is.
    pub(crate) async fn close(&self) {
        for service in Service::ALL {
            self.fleet.stop(service).await;
        }
    }

    async fn until_content(&self) {
        let bound = Instant::now() + SOON;
        loop {
            let report = self.audit().await;
            if report.is_content() {
                return;
            }
            assert!(Instant::now() < bound, "{report}");
        }
    }
}

async fn ordered(shopper: &Shopper, sku: &str, quantity: u32) -> String {
    shopper.client.delete("/api/cart").await;
    shopper.add(sku, quantity).await;
    let order = shopper.checkout().await;
    shopper.until(&order, "reserved").await;
    order
}

async fn cancel(shopper: &Shopper, order: &str) {
    shopper.client.post(format!("/api/orders/{order}/cancel")).key(order).await.ok();
    shopper.until(order, "cancelled").await;
}
