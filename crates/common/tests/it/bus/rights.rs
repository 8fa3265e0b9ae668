//! What rights at the server a service needs, and that it needs no more.

use std::fmt::Write as _;

use common::Clock;
use common::bus::{Broadcast, Bus, BusConfig, Copies, Published, Subscription, Trouble, Work};
use testkit::eventually;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stage::{Ear, SOON, Stage, letter, shipped, stock, tell};

/// What every service may do, whatever it hears.
fn rights_of(service: &str) -> Vec<String> {
    let stream = service.to_uppercase();
    [
        format!("{service}.>"),
        format!("dead.{service}.>"),
        format!("ops_log.{service}.>"),
        "$JS.API.STREAM.INFO.*".to_owned(),
        format!("$JS.API.STREAM.MSG.GET.{stream}_STATE"),
    ]
    .into_iter()
    .chain(durable("DEAD", &format!("{service}-redrive")))
    .collect()
}

/// What it takes to hear by a durable.
fn durable(stream: &str, name: &str) -> Vec<String> {
    [
        format!("$JS.API.CONSUMER.INFO.{stream}.{name}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
        format!("$JS.ACK.{stream}.{name}.>"),
    ]
    .into()
}

/// What it takes to hear a broadcast.
fn broadcast(stream: &str, name: &str, filter: &str) -> Vec<String> {
    [
        format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.{filter}"),
        format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
    ]
    .into()
}

fn users(rights: &[(&str, Vec<String>)]) -> String {
    let mut users = "authorization { users: [ { user: root, password: secret }".to_owned();
    for (service, rights) in rights {
        let rights = rights.join("\", \"");
        let inbox = format!("_INBOX_{service}.>");
        let publish = format!("publish: {{ allow: [\"{rights}\"] }}");
        let permissions = format!("{publish}, subscribe: {{ allow: [\"{inbox}\"] }}");
        let user = format!("user: {service}, password: secret");
        let _ = write!(users, ", {{ {user}, permissions: {{ {permissions} }} }}");
    }
    users + " ] }"
}

impl Stage {
    async fn bus_as(&self, user: &str, service: &str) -> Bus {
        let config = BusConfig {
            user: Some(user.to_owned()),
            password: Some("secret".into()),
            instance: "r1".to_owned(),
            declare: user == "root",
            ..self.config(service)
        };
        Bus::connect(config, Clock::system()).await.expect("a client")
    }
}

fn subscriptions(ear: &Ear, keys: &Ear) -> Vec<Subscription> {
    vec![
        Work::new("saga", ear.clone()).on(Ear::shipped).on(Ear::delivered).into(),
        Copies::new(ear.clone()).on(Ear::stock).into(),
        Broadcast::last_per_subject(keys.clone()).on(Ear::stock).into(),
    ]
}

fn all_rights() -> String {
    let hearing = [
        durable("ORDER", "cart-saga"),
        durable("PRODUCT_STATE", "cart-copies-g1"),
        broadcast("PRODUCT_STATE", "cart-product-stock-v1-r1", "product.stock.v1.*"),
    ];
    let cart = [rights_of("cart"), hearing.concat()].concat();
    users(&[("cart", cart), ("product", rights_of("product"))])
}

/// Tells two states as two replicas, the second of which has to ask what was told last.
async fn tell_stock(stage: &Stage) {
    for (available, sequence) in [(9, 1), (8, 2)] {
        let product = stage.bus_as("product", "product").await;
        product.connected().await;
        let told = product.publish_state(&letter(&stock("MUG", available), sequence)).await;
        assert_eq!(told, Ok(Published::Told));
    }
}

#[tokio::test]
async fn a_service_needs_no_more_rights_than_these() {
    let stage = Stage::start_with(&all_rights()).await;
    let ear = Ear::answering(|what, times| match what {
        "bad" if times == 1 => Err(Trouble::Reject("bad".to_owned())),
        _ => Ok(()),
    });
    let (keys, root) = (Ear::new(), stage.bus_as("root", "cart").await);
    root.declare(&subscriptions(&ear, &keys), "g1").await.unwrap();
    let cart = stage.bus_as("cart", "cart").await;
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());

    let consumers = cart.consume(subscriptions(&ear, &keys), "g1", &tracker, &stop);
    timeout(SOON, consumers.caught_up()).await.unwrap();
    tell(&root, &shipped(1, "good"), 1).await;
    tell(&root, &shipped(1, "bad"), 2).await;
    tell_stock(&stage).await;
    cart.record("test", "{}".into()).await.unwrap();

    ear.heard_all(["good", "bad", "MUG 8"].map(ToOwned::to_owned)).await;
    keys.heard_times("MUG 8", 1).await;
    eventually("a dead letter", SOON, async || {
        let dead = root.last_sequence("DEAD", "dead.cart.cart-saga.order-shipped-v1").await;
        dead.ok().flatten()
    })
    .await;
    let mut letters = cart.dead_letters(&subscriptions(&ear, &keys)).await.unwrap();
    for letter in letters.take().await.unwrap() {
        letters.redrive(letter).await.unwrap();
    }
    letters.put_back().await.unwrap();
    ear.heard_times("bad", 2).await;
    stop.cancel();
    tracker.close();
    timeout(SOON, tracker.wait()).await.unwrap();
}
