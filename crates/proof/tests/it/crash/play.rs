//! A saga, played by people with patience: whoever is away is asked again, under the same keys.

use contracts::{OrderId, Timestamp};
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use testkit::fleet::Service;
use testkit::{Answer, Client, Shopper, Staff, eventually, now};

use super::notice;
use super::saga::{EACH, PIECES, Saga};
use super::stall::{SOON, Stall, decided, done};

/// A saga about a product of its own.
pub(super) struct Play<'a> {
    pub(super) stall: &'a Stall,
    pub(super) saga: Saga,
    pub(super) product: String,
    pub(super) sku: String,
    pub(super) staff: Client,
    pub(super) guest: Shopper,
    pub(super) rival: Shopper,
    /// How many dead letters there were before.
    dead: u64,
}

/// An order, and who sees it.
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) of: Shopper,
}

impl<'a> Play<'a> {
    /// Everything is there; nothing has begun.
    pub(super) async fn prepare(stall: &'a Stall, saga: Saga, number: usize) -> Self {
        let sku = format!("SKU-{number}");
        let staff = Staff { client: stall.staff().await };
        let variant = (sku.as_str(), EACH, u32::try_from(PIECES).unwrap());
        let product = staff.sells(&sku, &[variant]).await.text_of("id");
        let guest = Shopper::guest(&stall.client).await;
        let rival = Shopper::guest(&stall.client).await;
        let catalogue = stall.database(Service::Cart).collection::<Document>("stock");
        eventually("the cart knows the product", SOON, async || {
            catalogue.find_one(doc! { "_id": &sku }).await.unwrap()
        })
        .await;
        let dead = stall.dead_letters().await;
        Self { stall, saga, product, sku, guest, rival, staff: staff.client, dead }
    }

    /// Plays it to its end, and says which orders came of it.
    pub(super) async fn run(&self) -> Vec<Placed> {
        match self.saga {
            Saga::Purchase | Saga::Retold => self.one(self.bought("pm_card_visa").await),
            Saga::LateMoney => self.one(self.paid_late().await),
            Saga::MoneyForNothing => self.paid_for_nothing().await,
            Saga::Expired => self.one(self.expired().await),
            Saga::OtherCard => self.one(self.other_card().await),
            Saga::Confirmed => self.one(self.confirmed().await),
            Saga::EarlyNotice => self.one(self.early_notice().await),
            Saga::CancelledUnpaid => self.one(self.cancelled_unpaid().await),
            Saga::CancelledPaid | Saga::PromiseGivenUp => self.one(self.cancelled_paid().await),
            Saga::OutOfStock => self.out_of_stock().await,
            Saga::PartialRefund => self.one(self.partly_refunded().await),
            Saga::Returned => self.one(self.returned(true).await),
            Saga::ReturnedBroken => self.one(self.returned(false).await),
            Saga::CapturedAtShipping => self.one(self.delivered().await),
            Saga::GuestMerge => self.merged().await,
            Saga::Unreadable => self.unreadable().await,
        }
    }

    fn one(&self, id: String) -> Vec<Placed> {
        vec![Placed { id, of: self.guest.clone() }]
    }

    pub(super) async fn fills(&self, who: &Shopper, pieces: i64) {
        let line = json!({ "quantity": pieces });
        done(&who.client.put(format!("/api/cart/items/{}", self.sku)).json(&line)).await;
    }

    /// The order; none when the cart knew that there is no more.
    pub(super) async fn checks_out(&self, who: &Shopper, pieces: i64, key: &str) -> Option<String> {
        let total = json!({ "amount": pieces * EACH, "currency": "EUR" });
        let accepted = json!({ "expected_total": total });
        let checkout = who.client.post("/api/cart/checkout").json(&accepted).key(key);
        let answer = decided(&checkout).await;
        answer.is_ok().then(|| answer.text_of("order_id"))
    }

    async fn reserved(&self, who: &Shopper, pieces: i64, key: &str) -> String {
        self.fills(who, pieces).await;
        let order = self.checks_out(who, pieces, key).await.expect("there is enough");
        self.stall.until(who, &order, &["reserved"]).await;
        order
    }

    async fn pays(&self, who: &Shopper, order: &str, method: &str, key: &str) -> Answer {
        let payment = json!({ "order_id": order, "method": method });
        done(&who.client.post("/api/payments").json(&payment).key(key)).await
    }

    async fn is(&self, order: &str, status: &str) {
        self.stall.until(&self.guest, order, &[status]).await;
    }

    /// The payment of an order, as soon as it is so.
    async fn payment(&self, order: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let asked = self.guest.client.get(format!("/api/payments?order_id={order}"));
        eventually("the payment is so", SOON, async || {
            let answer = asked.clone().send().await.ok()?;
            answer["items"].as_array()?.first().filter(|payment| is_so(payment)).cloned()
        })
        .await
    }

    async fn bought(&self, method: &str) -> String {
        let order = self.reserved(&self.guest, 2, "checkout").await;
        self.pays(&self.guest, &order, method, "pay").await;
        self.is(&order, "paid").await;
        order
    }

    async fn other_card(&self) -> String {
        let order = self.reserved(&self.guest, 2, "checkout").await;
        self.pays(&self.guest, &order, "pm_card_chargeDeclined", "pay").await;
        self.payment(&order, |payment| payment["status"] == "declined").await;
        self.pays(&self.guest, &order, "pm_card_visa", "pay-again").await;
        self.is(&order, "paid").await;
        order
    }

    async fn confirmed(&self) -> String {
        let order = self.reserved(&self.guest, 2, "checkout").await;
        self.pays(&self.guest, &order, "pm_card_authenticationRequired", "pay").await;
        let asks = |payment: &Value| payment["next_action"]["url"].is_string();
        let payment = self.payment(&order, asks).await;
        let page = payment["next_action"]["url"].as_str().unwrap();
        done(&self.stall.client.post(format!("{page}/confirm"))).await;
        self.is(&order, "paid").await;
        order
    }

    async fn early_notice(&self) -> String {
        let order = self.reserved(&self.guest, 2, "checkout").await;
        let id: OrderId = order.parse().unwrap();
        done(&notice::of_nothing(&self.stall.client, id, now())).await;
        self.pays(&self.guest, &order, "pm_card_visa", "pay").await;
        self.is(&order, "paid").await;
        let webhooks = self.stall.database(Service::Payment).collection::<Document>("webhooks");
        let known = doc! { "_id": format!("sandbox:{}", notice::name(id)) };
        eventually("it was tried again", SOON, async || {
            let known = webhooks.find_one(known.clone()).await.unwrap()?;
            let time = |field| known.get_str(field).ok()?.parse::<Timestamp>().ok();
            (time("retry_at")?.since(time("since")?).as_millis() > 1_100).then_some(())
        })
        .await;
        order
    }

    async fn paid_late(&self) -> String {
        self.fills(&self.guest, 2).await;
        let order = self.checks_out(&self.guest, 2, "checkout").await.expect("there is enough");
        let known = self.stall.until(&self.guest, &order, &["reserved", "expired"]).await;
        if known["status"] == "reserved" {
            self.tries_to_pay(&self.guest, &order, "pm_sandbox_slow_success").await;
        }
        order
    }

    /// Pays, or hears that it is too late.
    pub(super) async fn tries_to_pay(&self, who: &Shopper, order: &str, method: &str) {
        let payment = json!({ "order_id": order, "method": method });
        decided(&who.client.post("/api/payments").json(&payment).key("pay")).await;
    }

    async fn expired(&self) -> String {
        self.fills(&self.guest, 2).await;
        let order = self.checks_out(&self.guest, 2, "checkout").await.expect("there is enough");
        self.is(&order, "expired").await;
        order
    }

    async fn cancels(&self, order: &str) {
        done(&self.guest.client.post(format!("/api/orders/{order}/cancel")).key("cancel")).await;
        self.is(order, "cancelled").await;
    }

    async fn cancelled_unpaid(&self) -> String {
        let order = self.reserved(&self.guest, 2, "checkout").await;
        self.cancels(&order).await;
        order
    }

    async fn cancelled_paid(&self) -> String {
        let order = self.bought("pm_card_visa").await;
        self.cancels(&order).await;
        order
    }

    /// Of two who want three of five pieces one gets them.
    async fn out_of_stock(&self) -> Vec<Placed> {
        let both = [&self.guest, &self.rival];
        for who in both {
            self.fills(who, 3).await;
        }
        let mut placed = Vec::new();
        for who in both {
            let order = self.checks_out(who, 3, "checkout").await;
            placed.extend(order.map(|id| Placed { id, of: who.clone() }));
        }
        for Placed { id, of } in &placed {
            let order = self.stall.until(of, id, &["reserved", "cancelled"]).await;
            if order["status"] == "reserved" {
                self.pays(of, id, "pm_card_visa", "pay").await;
                self.stall.until(of, id, &["paid"]).await;
            }
        }
        placed
    }

    fn pieces(&self, pieces: i64) -> Value {
        json!([{ "sku": self.sku, "quantity": pieces }])
    }

    async fn partly_refunded(&self) -> String {
        let order = self.bought("pm_card_visa").await;
        let back = json!({ "lines": self.pieces(1), "restock": true, "reason": "One broke" });
        let staff = &self.staff;
        done(&staff.post(format!("/api/orders/{order}/refunds")).json(&back).key(&order)).await;
        order
    }

    async fn delivered(&self) -> String {
        let order = self.bought("pm_card_visa").await;
        let staff = &self.staff;
        let parcel = json!({ "carrier": "Hermes", "tracking": "H-1" });
        let ship = staff.post(format!("/api/orders/{order}/ship")).json(&parcel);
        done(&ship.key(&format!("ship-{order}"))).await;
        self.is(&order, "shipped").await;
        let arrived = staff.post(format!("/api/orders/{order}/deliver"));
        done(&arrived.key(&format!("deliver-{order}"))).await;
        order
    }

    async fn returned(&self, restock: bool) -> String {
        let order = self.delivered().await;
        let staff = &self.staff;
        let path = format!("/api/orders/{order}/returns");
        let sent = json!({ "lines": self.pieces(2), "reason": "Too small" });
        let asked = done(&self.guest.client.post(path.clone()).json(&sent).key("return")).await;
        let id = asked["id"].as_str().unwrap().to_owned();
        for (act, body) in [("approve", json!(null)), ("receive", json!({ "restock": restock }))] {
            let seen = staff.post(format!("{path}/{id}/{act}")).key(&format!("{act}-{id}"));
            done(&if body.is_null() { seen } else { seen.json(&body) }).await;
        }
        order
    }

    /// What the guest had, the account has.
    async fn merged(&self) -> Vec<Placed> {
        let paid = self.reserved(&self.guest, 1, "first").await;
        self.pays(&self.guest, &paid, "pm_card_visa", "pay-first").await;
        self.is(&paid, "paid").await;
        let open = self.reserved(&self.guest, 1, "second").await;
        let account = self.signs_up().await;
        self.pays(&account, &open, "pm_card_visa", "pay").await;
        [paid, open].map(|id| Placed { id, of: account.clone() }).into()
    }

    /// Whoever does not hear that it worked signs in.
    async fn signs_up(&self) -> Shopper {
        let person = json!({ "email": format!("{}@example.com", self.guest.id),
            "password": "a fine long password" });
        let register = self.guest.client.post("/api/auth/register").json(&person);
        // Whoever is no guest any more is somebody with an account, or nobody yet.
        let sign_ins = [&self.guest.client, &self.stall.client]
            .map(|client| client.post("/api/auth/login").json(&person));
        let known = eventually("the account", SOON, async || {
            let registered = register.clone().send().await.ok()?;
            if registered.is_ok() {
                return Some(registered);
            }
            for sign_in in &sign_ins {
                let signed_in = sign_in.clone().send().await.ok()?;
                if signed_in.is_ok() {
                    return Some(signed_in);
                }
            }
            None
        })
        .await;
        Shopper {
            client: self.guest.client.with_token(known.text_of("access_token")),
            id: known["user"]["id"].as_str().unwrap().to_owned(),
            refresh_token: known.text_of("refresh_token"),
        }
    }

    /// Where something is told that nobody can read.
    pub(super) fn unread(&self) -> String {
        format!("order.paid.v1.{}", self.sku)
    }

    /// Each who hears of paid orders makes a dead letter of it, however often somebody dies over it.
    async fn unreadable(&self) -> Vec<Placed> {
        let told = self.stall.jetstream.publish(self.unread(), "?".into());
        told.await.unwrap().await.unwrap();
        eventually("a dead letter", SOON, async || {
            (self.stall.dead_letters().await > self.dead).then_some(())
        })
        .await;
        vec![]
    }

    /// How many dead letters there are more than there were.
    pub(super) async fn dead_letters(&self) -> u64 {
        self.stall.dead_letters().await - self.dead
    }
}
