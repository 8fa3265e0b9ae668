//! A running shop for a test.

use std::time::Duration;

use serde_json::Value;
use testkit::fleet::{Options, Service};
use testkit::{Answer, Client, Fleet, Request, Shopper, Staff, World, eventually};

/// Longer than any saga takes, even on a busy machine and when those who hold an event are killed
/// over it several times: each time it comes again after half a minute.
pub(super) const SOON: Duration = Duration::from_mins(3);

/// Five services, their servers, and somebody who minds the shop.
pub(super) struct Shop {
    pub(super) fleet: Fleet,
    pub(super) client: Client,
    pub(super) staff: Staff,
    pub(super) world: World,
}

/// How many pieces of a SKU there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) on_hand: i64,
    pub(super) reserved: i64,
    pub(super) available: i64,
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::open_with(Options::default()).await
    }

    /// Two replicas of every service, side by side.
    pub(super) async fn open_twice() -> Self {
        Self::open_with(Options::default().replicas(2)).await
    }

    pub(super) async fn open_with(options: Options) -> Self {
        let world = World::start().await;
        let fleet = Fleet::start(&world, options).await;
        let client = fleet.client();
        let staff = Staff::sign_in(&client).await;
        Self { fleet, client, staff, world }
    }

    /// One product with one variant; gives its id.
    pub(super) async fn sells(&self, sku: &str, cents: i64, on_hand: u32) -> String {
        let title = format!("Product {sku}");
        self.staff.sells(&title, &[(sku, cents, on_hand)]).await.text_of("id")
    }

    pub(super) async fn guest(&self) -> Shopper {
        Shopper::guest(&self.client).await
    }

    /// What the ledger and the catalogue say of a SKU.
    pub(super) async fn counted(&self, product: &str, sku: &str) -> Counted {
        let path = format!("/api/products/{product}/stock/ledger?limit=1&sku={sku}");
        let ledger = self.staff.client.get(path).await.ok();
        let last = &ledger["items"][0];
        let shown = self.client.get(format!("/api/products/{product}")).await.ok();
        let variants = shown["variants"].as_array().unwrap().clone();
        let variant = variants.iter().find(|variant| variant["sku"] == sku).unwrap();
        Counted {
            on_hand: last["on_hand"].as_i64().unwrap(),
            reserved: last["reserved"].as_i64().unwrap(),
            available: variant["available"].as_i64().unwrap(),
        }
    }

    /// Waits until there are so many pieces on hand and so many reserved.
    pub(super) async fn until_counted(
        &self,
        product: &str,
        sku: &str,
        on_hand: i64,
        reserved: i64,
    ) {
        let wanted = Counted { on_hand, reserved, available: on_hand - reserved };
        let what = format!("{sku}: {wanted:?}");
        eventually(&what, SOON, async || {
            (self.counted(product, sku).await == wanted).then_some(())
        })
        .await;
    }

    /// Waits until an order stands so; several may do.
    pub(super) async fn until(&self, shopper: &Shopper, order: &str, any_of: &[&str]) -> Value {
        let what = format!("order {order} is one of {any_of:?}");
        let statuses = any_of.join(",");
        eventually(&what, SOON, async || {
            // A service that is killed over it answers nothing.
            let asked = shopper.client.get(format!("/api/orders/{order}?wait=1s&until={statuses}"));
            let asked = asked.send();
            let answer = asked.await.ok()?;
            any_of.iter().any(|status| answer["status"] == *status).then_some(answer.body)
        })
        .await
    }

    /// Stops in good order: nothing was left in the dead letters.
    pub(super) async fn nothing_is_dead(&self) {
        let stream = format!("{}/jsz?streams=true&accounts=true", self.world.nats().monitor_url());
        let body = Client::at(stream).get("").await.ok().body;
        let streams = body["account_details"][0]["stream_detail"].as_array().unwrap().clone();
        let dead = streams.iter().find(|stream| stream["name"] == "DEAD").unwrap();
        assert_eq!(dead["state"]["messages"], 0, "dead letters: {dead}");
    }

    pub(super) async fn stop(&self) {
        for service in Service::ALL {
            self.fleet.stop(service).await;
        }
    }
}

/// The payment service hears of an order a moment after the shopper does.
pub(super) async fn as_soon_as_due(pay: &Request) -> Answer {
    eventually("the payment is due", SOON, async || {
        let answer = pay.clone().await;
        (answer.status != 404).then_some(answer)
    })
    .await
}
