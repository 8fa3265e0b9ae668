//! After the faults: everything comes to rest, and is looked at.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use testkit::Answer;
use tokio::time::{Instant, sleep};

use super::house::House;
use super::ledger::Told;
use super::person::{Ask, Person, Street};
use super::shelves::{PIECES, SCARCE};
use crate::up::say;

/// Longer than anything in the shop may take once nothing keeps it.
const BOUND: Duration = Duration::from_mins(5);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// So often in a row nothing has to be under way.
const TWICE: u32 = 2;
const SIDE_BY_SIDE: usize = 8;

/// Waits until nothing is under way any more.
pub(crate) async fn comes(house: &House, staff: &Person) -> anyhow::Result<()> {
    house.until_ready().await?;
    let (began, mut calm) = (Instant::now(), 0);
    loop {
        let busy = busy(house, staff).await?;
        calm = if busy.is_empty() { calm + 1 } else { 0 };
        if calm == TWICE {
            say(format_args!("quiet after {:.1} s", began.elapsed().as_secs_f64()));
            return Ok(());
        }
        if began.elapsed() > BOUND {
            house.violated(format!("not quiet within {BOUND:?}: {}", busy.join(", ")));
            return Ok(());
        }
        sleep(LOOK).await;
    }
}

/// What is still under way.
async fn busy(house: &House, staff: &Person) -> anyhow::Result<Vec<String>> {
    let mut busy = vec![];
    for replica in house.wanted() {
        let name = format!("{} {}", replica.service, replica.number);
        match replica.ops().get("/health").send().await {
            Ok(health) => busy.extend(unwell(&health).map(|what| format!("{name}: {what}"))),
            Err(_) => busy.push(format!("{name} does not answer")),
        }
    }
    for status in ["placed", "reserved"] {
        let path = format!("/api/orders?all=true&limit=1&status={status}");
        let open = staff.done(&Ask::get("orders", path)).await?;
        let open = open["items"].as_array().into_iter().flatten();
        busy.extend(open.map(|order| format!("order {} is {status}", order["id"])));
    }
    Ok(busy)
}

/// Why a replica is not at rest.
fn unwell(health: &Answer) -> impl Iterator<Item = String> {
    let mut why = vec![];
    if !health.is_ok() || !health["outbox"]["oldest"].is_null() {
        why.push(health.text.clone());
    }
    for consumer in health["consumers"].as_array().into_iter().flatten() {
        let left = ["pending", "unsettled"].iter().filter_map(|it| consumer[*it].as_u64());
        if left.sum::<u64>() > 0 {
            why.push(format!("{} has events left", consumer["durable"]));
        }
    }
    why.into_iter()
}

/// Looks whether the shop keeps to everything that was told; gives it the time that its last waits
/// take.
pub(crate) async fn is_kept(street: &Arc<Street>, staff: &Person) -> anyhow::Result<()> {
    let began = Instant::now();
    let (shown, broken) = loop {
        let shown = every_order(street, staff).await?;
        let broken: Vec<_> = shown.iter().flat_map(Shown::broken).collect();
        if broken.is_empty() || began.elapsed() > BOUND / 2 {
            break (shown, broken);
        }
        sleep(5 * LOOK).await;
    };
    let paid = shown.iter().filter(|shown| shown.told.paid).count();
    let scarce = shown.iter().map(|shown| shown.kept(SCARCE)).sum::<i64>();
    say(format_args!("told: {} orders were accepted, {paid} of them paid", shown.len()));
    say(format_args!("{scarce} of {PIECES} pieces of {SCARCE} were sold"));
    for what in broken.into_iter().chain(street.record.lacks(paid)) {
        street.house.violated(what);
    }
    if scarce > PIECES {
        street.house.violated(format!("{scarce} pieces of {SCARCE} were sold of {PIECES}"));
    }
    Ok(())
}

/// An order as it was told, and as it is shown in the end.
#[derive(Debug)]
struct Shown {
    id: String,
    told: Told,
    /// Nothing when it is not there.
    order: Option<Value>,
    payments: Vec<Value>,
}

impl Shown {
    fn broken(&self) -> Vec<String> {
        let broken = match &self.order {
            Some(order) => self.told.broken(order, &self.payments),
            None => vec!["was accepted and is not there".to_owned()],
        };
        broken.into_iter().map(|what| format!("order {} {what}", self.id)).collect()
    }

    /// How many pieces of this were sold with it.
    fn kept(&self, sku: &str) -> i64 {
        let kept = |order: &&Value| order["status"] != "cancelled" && order["status"] != "expired";
        let order = self.order.iter().find(kept);
        let lines = order.into_iter().filter_map(|order| order["lines"].as_array()).flatten();
        lines.filter(|line| line["sku"] == sku).filter_map(|line| line["quantity"].as_i64()).sum()
    }
}

async fn every_order(street: &Arc<Street>, staff: &Person) -> anyhow::Result<Vec<Shown>> {
    let looked = stream::iter(street.ledger.orders())
        .map(|(id, told)| one_order(staff, id, told))
        .buffer_unordered(SIDE_BY_SIDE);
    looked.try_collect().await
}

async fn one_order(staff: &Person, id: String, told: Told) -> anyhow::Result<Shown> {
    let order = staff.ask(&Ask::get("check", format!("/api/orders/{id}"))).await?;
    let path = format!("/api/payments?order_id={id}");
    let payments = staff.done(&Ask::get("check", path)).await?;
    let payments = payments["items"].as_array().cloned().unwrap_or_default();
    let order = order.is_ok().then_some(order.body);
    Ok(Shown { id, told, order, payments })
}
