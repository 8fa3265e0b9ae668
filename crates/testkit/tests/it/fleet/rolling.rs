//! A new version comes, replica by replica, while people buy.

use std::pin::pin;

use futures_util::future::{Either, join_all, select};
use mongodb::bson::{Document, doc};
use serde_json::json;
use testkit::fleet::{Options, Service};
use testkit::{Answer, Request, Shopper, eventually};

use super::shop::{SOON, Shop};

/// The third of each service is the one that comes before another goes.
const REPLICAS: usize = 3;
/// How many buy while one replica takes the place of another.
const BUYERS: usize = 4;

/// A shop that is rolled while people look around and buy.
struct Busy {
    shop: Shop,
    mug: String,
}

#[tokio::test]
async fn whoever_buys_while_replicas_change_notices_nothing() {
    let busy = Busy::open().await;

    let mut bought = vec![];
    for service in Service::ALL {
        for (comes, goes) in [(2, 0), (0, 1)] {
            bought.extend(busy.replace(service, comes, goes).await);
        }
    }

    let Busy { shop, mug } = &busy;
    let pieces = i64::try_from(bought.len()).unwrap();
    assert_eq!(pieces, 40);
    for (guest, order) in &bought {
        assert_eq!(guest.order(order).await["status"], "paid");
        let payments = guest.payments(order).await;
        assert_eq!(payments.len(), 1, "{payments:?}");
        assert_eq!(payments[0]["status"], "captured");
        let orders = guest.client.get("/api/orders").await.ok();
        assert_eq!(orders["items"].as_array().unwrap().len(), 1, "{}", orders.text);
    }
    shop.until_counted(mug, "MUG", 100 - pieces, 0).await;
    assert_eq!(busy.charges().await, bought.len());
    shop.nothing_is_dead().await;
}

impl Busy {
    async fn open() -> Self {
        let shop = Shop::open_with(Options::default().replicas(REPLICAS)).await;
        let mug = shop.sells("MUG", 1250, 100).await;
        join_all(Service::ALL.map(|service| shop.fleet.retire(service, REPLICAS - 1))).await;
        Self { shop, mug }
    }

    /// One replica comes and another goes; gives what was bought meanwhile.
    async fn replace(&self, service: Service, comes: usize, goes: usize) -> Vec<(Shopper, String)> {
        let fleet = &self.shop.fleet;
        let changing = async {
            let waiting = join_all((0..BUYERS / 2).map(|_| self.checks_out()));
            let (waiting, started) = tokio::join!(waiting, fleet.restart(service, comes));
            started.unwrap();

            let going = fleet.retire(service, goes);
            let paying = join_all(waiting.into_iter().map(|it| self.pays(it)));
            let others = (0..BUYERS / 2).map(async |_| self.pays(self.checks_out().await).await);
            let (code, paid, others) = tokio::join!(going, paying, join_all(others));
            assert_eq!(code, 0, "{service} {goes} ends in good order");
            paid.into_iter().chain(others).collect()
        };
        match select(pin!(changing), pin!(self.looks_around())).await {
            Either::Left((bought, _)) => bought,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Somebody who fills a cart, and commits to buy.
    async fn checks_out(&self) -> (Shopper, String) {
        let begun = self.until_done(&self.shop.client.post("/api/auth/guest")).await;
        let guest = Shopper {
            client: self.shop.client.with_token(begun.text_of("access_token")),
            id: begun["user"]["id"].as_str().unwrap().to_owned(),
            refresh_token: begun.text_of("refresh_token"),
        };
        let line = json!({ "quantity": 1 });
        self.until_done(&guest.client.put("/api/cart/items/MUG").json(&line)).await;
        let accepted = json!({ "expected_total": { "amount": 1250, "currency": "EUR" } });
        let checkout = guest.client.post("/api/cart/checkout").json(&accepted).key("checkout");
        let order = self.until_done(&checkout).await.text_of("order_id");
        (guest, order)
    }

    /// They pay, and see that their order is paid.
    async fn pays(&self, (guest, order): (Shopper, String)) -> (Shopper, String) {
        self.until_it_is("reserved", &guest, &order).await;
        let payment = json!({ "order_id": order, "method": "pm_card_visa" });
        self.until_done(&guest.client.post("/api/payments").json(&payment).key("pay")).await;
        self.until_it_is("paid", &guest, &order).await;
        (guest, order)
    }

    /// Somebody who reads, on and on.
    async fn looks_around(&self) -> std::convert::Infallible {
        loop {
            let shown = format!("/api/products/{}", self.mug);
            for path in ["/api/products", &shown, "/api/categories", "/api/auth/jwks.json"] {
                self.until_done(&self.shop.client.get(path)).await;
            }
            for path in ["/api/auth/me", "/api/cart", "/api/orders"] {
                self.until_done(&self.shop.staff.client.get(path)).await;
            }
        }
    }

    async fn until_it_is(&self, status: &str, guest: &Shopper, order: &str) {
        let what = format!("order {order} is {status}");
        let look = guest.client.get(format!("/api/orders/{order}?wait=1s&until={status}"));
        eventually(&what, SOON, async || {
            self.asks(&look).await.filter(|answer| answer["status"] == status).map(drop)
        })
        .await;
    }

    /// What was asked for is done in the end; a fact that is not known yet is known soon.
    async fn until_done(&self, request: &Request) -> Answer {
        let what = format!("{request:?}");
        eventually(&what, SOON, async || self.asks(request).await.filter(Answer::is_ok)).await
    }

    /// Asks once, and gets an answer unless the connection breaks; it never is that something
    /// went wrong over there.
    async fn asks(&self, request: &Request) -> Option<Answer> {
        let answer = request.clone().send().await.ok()?;
        assert!(answer.status < 500, "{}: {} {}", answer.asked, answer.status, answer.text);
        Some(answer)
    }

    /// How often money was taken, as the provider knows.
    async fn charges(&self) -> usize {
        let client = mongodb::Client::with_uri_str(self.shop.world.mongo_uri()).await.unwrap();
        let payment = client.database(&self.shop.fleet.database(Service::Payment));
        let charges = payment.collection::<Document>("sandbox_charges");
        usize::try_from(charges.count_documents(doc! {}).await.unwrap()).unwrap()
    }
}
