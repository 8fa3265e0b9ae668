//! Guests who buy, from the first click to the paid order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use contracts::{OrderId, order, payment};
use serde_json::json;
use testkit::{Answer, Client, Request};
use tokio::time::{Instant, sleep, timeout};

use super::Measurement;
use crate::bench::Length;
use crate::bench::load::arrive;
use crate::bench::machine::Busy;
use crate::bench::page::{Findings, Table};
use crate::bench::record::{Record, milliseconds};
use crate::bench::stage::{Stage, sku, text};

/// So many begin to buy each second.
const RATE: u32 = 20;
/// From the accepted payment to the paid order, 99 of 100.
const TARGET: Duration = Duration::from_millis(100);
/// Nobody waits longer for one step.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a shopper waits before the payment is asked for again that is not due yet.
const AGAIN: Duration = Duration::from_millis(10);

const STEPS: [(&str, &str); 9] = [
    ("guest", "due … signed in as a guest"),
    ("add", "asked … the piece is in the cart"),
    ("cart", "asked … the cart is shown"),
    ("checkout", "asked … the order has its name"),
    ("reserved", "checked out … the order is seen to be reserved"),
    ("pay", "the order is reserved … the payment is accepted"),
    (ACCEPTED_TO_PAID, "the payment is accepted … the order is seen to be paid"),
    ("purchase", "due … the order is seen to be paid"),
    ("late", "due … the bench had begun (what it adds to `guest` itself)"),
];
const ACCEPTED_TO_PAID: &str = "paid";

const STAGES: [(&str, &str); 5] = [
    ("captured", "payment decides … the broker has `captured`"),
    ("heard", "the broker has `captured` … order decides that it is paid"),
    ("told", "order decides … the broker has `paid`"),
    ("seen", "order decides … the shopper sees it"),
    (DECIDED_TO_DECIDED, "payment decides … order decides"),
];
const DECIDED_TO_DECIDED: &str = "commit to commit";

const ABOUT: &str = "\
20 guests a second begin to buy, each when it is their time, however slow the answers are. Each \
signs in as a guest, puts one of 20 things into the cart, looks at the cart, checks out, waits by \
long poll until the order is reserved, pays with a card that succeeds at once, and waits by long \
poll until the order is paid. All of it goes through the local ingress. *Accepted* is the 2xx of \
`POST /api/payments`; *paid* is the order's own status, as the one who waits for it sees it.

The first step and the whole purchase count from the moment at which the guest was due to come, \
whether or not the bench was in time; every other step counts from the end of the one before. A \
payment that is asked for before payment has heard of the order (404) is asked for again after \
10 ms, which counts to `pay`. The stages in between come from the services' own clocks and the \
broker's, which are one and the same here; a decision is taken right before its commit, so from \
one decision to another is from commit to commit.

What limits these numbers: everything shares the processors and the one disk below: the shoppers, \
the ingress, five services with one replica each, one mongod (a replica set of one, journaled \
majority writes) and one nats-server (on disk before it acknowledges). There is no network in \
between, and no second member to wait for. The provider is the built-in sandbox, which answers at \
once.";

pub(crate) const PURCHASES: Measurement = Measurement {
    name: "purchases",
    title: "From payment accepted to order paid, at 20 purchases a second",
    about: ABOUT,
    run: |stage, length| Box::pin(run(stage, length)),
};

/// A purchase that came to its end; times since 1970.
#[derive(Clone, Copy, Debug)]
struct Bought {
    order: OrderId,
    seen: Duration,
}

/// What all purchases share.
#[derive(Clone, Debug)]
struct Purchases {
    client: Client,
    record: Arc<Record>,
    bought: Arc<Mutex<Vec<Bought>>>,
}

async fn run(stage: &Stage, length: Length) -> anyhow::Result<Findings> {
    let warm_up = Purchases::at(stage);
    arrive(RATE, length.warm_up, |number, due| warm_up.clone().buy(number, due)).await?;
    let purchases = Purchases::at(stage);
    let busy = Busy::from_now();
    arrive(RATE, length.measured, |number, due| purchases.clone().buy(number, due)).await?;
    let busy = busy.percent();
    purchases.findings(stage, length, busy).await
}

impl Purchases {
    fn at(stage: &Stage) -> Self {
        Self { client: stage.client.clone(), record: Arc::default(), bought: Arc::default() }
    }

    async fn buy(self, number: u32, due: Instant) {
        self.record.took("late", due.elapsed());
        match self.bring_to_paid(number, due).await {
            Ok(bought) => self.bought.lock().unwrap_or_else(PoisonError::into_inner).push(bought),
            Err(error) => self.record.trouble(format!("{error:#}")),
        }
    }

    async fn bring_to_paid(&self, number: u32, due: Instant) -> anyhow::Result<Bought> {
        let signed_in = self.step("guest", due, self.client.post("/api/auth/guest")).await?;
        let guest = self.client.with_token(text(&signed_in, "access_token")?);
        let order = self.check_out(&guest, number).await?;
        let (reserved, tag) = self.until(&guest, &order, "reserved", None).await?;
        self.pay(&guest, &order, reserved).await?;
        self.until(&guest, &order, "paid", Some(tag)).await?;
        self.record.took("purchase", due.elapsed());
        let seen = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        Ok(Bought { order: order.parse()?, seen })
    }

    /// Puts something into the cart and checks out; gives the order's id.
    async fn check_out(&self, guest: &Client, number: u32) -> anyhow::Result<String> {
        let line = json!({ "quantity": 1 });
        let add = guest.put(format!("/api/cart/items/{}", sku(number))).json(&line);
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

    /// Waits by long poll until the order has this status; gives the moment, and what the order
    /// was then.
    async fn until(
        &self,
        guest: &Client,
        order: &str,
        status: &'static str,
        mut known: Option<String>,
    ) -> anyhow::Result<(Instant, String)> {
        let since = Instant::now();
        loop {
            let mut poll = guest.get(format!("/api/orders/{order}?wait=5s"));
            if let Some(tag) = &known {
                poll = poll.header("if-none-match", tag);
            }
            let answer = sent(poll).await?;
            if answer["status"] == status {
                self.record.took(status, since.elapsed());
                let tag = answer.header("etag").context("an order has a tag")?;
                return Ok((Instant::now(), tag.to_owned()));
            }
            ensure!(since.elapsed() < PATIENCE, "an order was never seen to be {status}");
            if answer.status != 404 && answer.status != 304 {
                good(&answer)?;
                known = answer.header("etag").map(ToOwned::to_owned);
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

    async fn findings(&self, stage: &Stage, length: Length, busy: u64) -> anyhow::Result<Findings> {
        let stages = self.stages(stage).await?;
        let bought = self.bought.lock().unwrap_or_else(PoisonError::into_inner).len();
        let seconds = length.measured.as_secs();
        let asked = u64::from(RATE) * seconds;
        let paid = self.record.quantiles(ACCEPTED_TO_PAID);
        let met = if paid.p99 < TARGET { "met" } else { "missed" };
        let [p50, p99, max] = [paid.p50, paid.p99, paid.max].map(milliseconds);
        let sentences = vec![
            format!("**{p50} ms** for half, **{p99} ms** for 99 of 100, {max} ms at most."),
            format!("The target, under {} ms for 99 of 100, is {met}.", TARGET.as_millis()),
            format!(
                "{bought} of {asked} purchases in {seconds} s ended paid; {} did not.",
                self.record.troubles()
            ),
            format!("Meanwhile the processors were {busy} % busy."),
        ];
        let tables =
            vec![self.record.table("Steps", &STEPS), stages, self.record.table_of_troubles()];
        Ok(Findings { sentences, tables })
    }

    /// Where the time goes between the two services.
    async fn stages(&self, stage: &Stage) -> anyhow::Result<Table> {
        let captured = stage.trail.of_each(|it: &payment::Captured| it.order_id).await?;
        let paid = stage.trail.of_each(|it: &order::Paid| it.order_id).await?;
        let bought = self.bought.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = Record::default();
        for Bought { order, seen } in bought.iter() {
            let (Some(captured), Some(paid)) = (captured.get(order), paid.get(order)) else {
                continue;
            };
            stages.took("captured", captured.kept.saturating_sub(captured.decided));
            stages.took("heard", paid.decided.saturating_sub(captured.kept));
            stages.took("told", paid.kept.saturating_sub(paid.decided));
            stages.took("seen", seen.saturating_sub(paid.decided));
            stages.took(DECIDED_TO_DECIDED, paid.decided.saturating_sub(captured.decided));
        }
        Ok(stages.table("Between the services", &STAGES))
    }
}

async fn sent(request: Request) -> anyhow::Result<Answer> {
    let answer = timeout(PATIENCE, request.send()).await.context("no answer in time")?;
    answer.map_err(|error| anyhow::anyhow!("no answer: {}", error.without_url()))
}

fn good(answer: &Answer) -> anyhow::Result<()> {
    let problem = answer["type"].as_str().unwrap_or_default();
    ensure!(answer.is_ok(), "{} {problem}", answer.status);
    Ok(())
}
