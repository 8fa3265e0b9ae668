//! Guests who buy: from signing in to the paid order, through the ingress.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use contracts::OrderId;
use serde_json::json;
use testkit::{Answer, Client, Request};
use tokio::time::{Instant, sleep, timeout};

use super::record::Record;
use super::stage::text;

/// Nobody waits longer for one step.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a shopper waits before the payment is asked for again that is not due yet.
const AGAIN: Duration = Duration::from_millis(10);

/// The steps of a purchase, and from when to when they are measured.
pub(crate) const STEPS: [(&str, &str); 9] = [
    ("guest", "due … signed in as a guest"),
    ("add", "asked … the piece is in the cart"),
    ("cart", "asked … the cart is shown"),
    ("checkout", "asked … the order has its name"),
    ("reserved", "checked out … the order is seen to be reserved"),
    ("pay", "the order is reserved … the payment is accepted"),
    (ACCEPTED_TO_PAID, "the payment is accepted … the order is seen to be paid"),
    (PURCHASE, "due … the order is seen to be paid"),
    ("late", "due … the bench had begun (what it adds to `guest` itself)"),
];
pub(crate) const ACCEPTED_TO_PAID: &str = "paid";
pub(crate) const PURCHASE: &str = "purchase";

/// A purchase that came to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bought {
    pub(crate) order: OrderId,
    /// When it was seen, since 1970.
    pub(crate) seen: Duration,
}

/// Somebody who bought, and can ask again.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) client: Client,
    pub(crate) order: String,
}

/// All who buy during one measurement. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Buyers {
    client: Client,
    wish: fn(u32) -> String,
    pub(crate) record: Arc<Record>,
    bought: Arc<Mutex<Vec<Bought>>>,
}

impl Buyers {
    /// Buyers of whom each wishes for the SKU that their number says.
    pub(crate) fn new(client: &Client, wish: fn(u32) -> String) -> Self {
        let (record, bought) = (Arc::default(), Arc::default());
        Self { client: client.clone(), wish, record, bought }
    }

    /// What was bought.
    pub(crate) fn bought(&self) -> Vec<Bought> {
        self.bought.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Buys, and takes down how long it took or what went wrong.
    pub(crate) async fn buy(self, number: u32, due: Instant) {
        self.record.took("late", due.elapsed());
        if let Err(error) = self.bring_to_paid(number, due).await {
            self.record.trouble(format!("{error:#}"));
        }
    }

    /// Buys; the order is paid.
    pub(crate) async fn bring_to_paid(
        &self,
        number: u32,
        due: Instant,
    ) -> anyhow::Result<Customer> {
        let guest = self.come(number, due).await?;
        let order = self.check_out(&guest, number).await?;
        let reserved = self.until(&guest, &order, "reserved").await?;
        self.pay(&guest, &order, reserved).await?;
        self.until(&guest, &order, "paid").await?;
        self.record.took(PURCHASE, due.elapsed());
        let seen = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let bought = Bought { order: order.parse()?, seen };
        self.bought.lock().unwrap_or_else(PoisonError::into_inner).push(bought);
        Ok(Customer { client: guest, order })
    }

    /// Comes as a guest, from an address of their own.
    pub(crate) async fn come(&self, number: u32, due: Instant) -> anyhow::Result<Client> {
        let come = self.client.post("/api/auth/guest").header("x-forwarded-for", &home(number));
        let signed_in = self.step("guest", due, come).await?;
        Ok(self.client.with_token(text(&signed_in, "access_token")?))
    }

    /// Puts something into the cart and checks out; gives the order's id.
    pub(crate) async fn check_out(&self, guest: &Client, number: u32) -> anyhow::Result<String> {
        let line = json!({ "quantity": 1 });
        let add = guest.put(format!("/api/cart/items/{}", (self.wish)(number))).json(&line);
        self.step("add", Instant::now(), add).await?;
        let cart = self.step("cart", Instant::now(), guest.get("/api/cart")).await?;
        let accepted = json!({ "expected_total": cart["total"] });
        let checkout = guest.post("/api/cart/checkout").json(&accepted).key("checkout");
        text(&self.step("checkout", Instant::now(), checkout).await?, "order_id")
    }

    /// Pays; asks again as long as payment has not heard of the order.
    async fn pay(&self, guest: &Client, order: &str, since: Instant) -> anyhow::Result<()> {
        let payment = json!({ "order_id": order, "method": "pm_card_visa" });
        let pay = guest.post("/api/payments").json(&payment).key("pay");
        loop {
            let answer = sent(pay.clone()).await?;
            if answer.status != 404 {
                good(&answer)?;
                self.record.took("pay", since.elapsed());
                return Ok(());
            }
            ensure!(since.elapsed() < PATIENCE, "payment never heard of an order");
            sleep(AGAIN).await;
        }
    }

    /// Waits by long poll until the order has this status; gives when it was seen.
    async fn until(
        &self,
        guest: &Client,
        order: &str,
        status: &'static str,
    ) -> anyhow::Result<Instant> {
        let since = Instant::now();
        let poll = guest.get(format!("/api/orders/{order}?wait=5s&until={status}"));
        loop {
            let answer = sent(poll.clone()).await?;
            if answer["status"] == status {
                self.record.took(status, since.elapsed());
                return Ok(Instant::now());
            }
            let ended = answer["status"] == "cancelled";
            ensure!(!ended, "an order was cancelled");
            ensure!(since.elapsed() < PATIENCE, "an order was never seen to be {status}");
            if answer.status != 404 {
                good(&answer)?;
            }
        }
    }

    /// One request that has to succeed.
    async fn step(
        &self,
        step: &'static str,
        since: Instant,
        request: Request,
    ) -> anyhow::Result<Answer> {
        let answer = sent(request).await?;
        good(&answer)?;
        self.record.took(step, since.elapsed());
        Ok(answer)
    }
}

/// Where a shopper of this number asks from: a network that no router knows.
pub(crate) fn home(number: u32) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    format!("10.{a}.{b}.{c}")
}

/// The answer to a request, in time.
pub(crate) async fn sent(request: Request) -> anyhow::Result<Answer> {
    let answer = timeout(PATIENCE, request.send()).await.context("no answer in time")?;
    answer.map_err(|error| anyhow::anyhow!("no answer: {}", error.without_url()))
}

/// Asks, and is content with nothing but a success.
pub(crate) async fn well(request: Request) -> anyhow::Result<Answer> {
    let answer = sent(request).await?;
    good(&answer)?;
    Ok(answer)
}

fn good(answer: &Answer) -> anyhow::Result<()> {
    let problem = answer["type"].as_str().unwrap_or_default();
    ensure!(answer.is_ok(), "{} {problem}", answer.status);
    Ok(())
}
