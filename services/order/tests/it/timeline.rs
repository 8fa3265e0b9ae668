//! What happened to an order, in plain words.

use clap::Parser as _;
use common::config::ServiceConfig;
use common::service::Running;
use contracts::auth::Role;
use contracts::cart::CheckedOut;
use contracts::payment::{AttemptStarted, Captured, Failed, Failure, Refunded};
use contracts::product::CommitRefused;
use contracts::{Envelope, Event, EventId, OrderId, PaymentId, Timestamp, UserId, order};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Answer, Client, Peer, World, eventually};
use uuid::Uuid;

use crate::shop::{Purchase, SOON, Shop};

/// A service by itself, whose replicas can be stopped and started.
pub(crate) struct House {
    pub(crate) peer: Peer,
    world: World,
    database: String,
}

impl House {
    pub(crate) async fn build() -> Self {
        let world = World::start().await;
        let peer = Peer::join(&world).await;
        let database = world.database("order");
        Self { peer, world, database }
    }

    pub(crate) async fn opens(&self) -> Running {
        let uri = self.world.mongo_uri();
        let service = ServiceConfig::for_tests(uri, &self.database, &self.world.nats().url());
        let usual = ["order", "--mongodb-uri", uri, "--nats-url", &service.nats_url.clone()];
        let config = ::order::Config { service, ..::order::Config::parse_from(usual) };
        let running = ::order::start(config).await.unwrap().run_in_background().await.unwrap();
        self.peer.tell_keys().await;
        running
    }

    pub(crate) fn client(&self, replica: &Running, person: UserId) -> Client {
        let client = Client::at(format!("http://{}", replica.http));
        client.with_token(self.peer.token(person, Role::Shopper))
    }
}

/// A fact as it was told at this time, caused by another.
fn fact<E: Event>(event: &E, number: u128, at: &str, cause: &str) -> Envelope {
    Envelope {
        specversion: "1.0".into(),
        id: EventId::from_uuid(Uuid::from_u128(number)),
        source: format!("/souk/{}", E::TYPE.publisher),
        event_type: E::TYPE.type_name(),
        subject: event.subject(),
        time: at.parse().unwrap(),
        datacontenttype: "application/json".into(),
        sequence: contracts::sequence_text(1),
        correlationid: "req_1".into(),
        causationid: cause.to_owned(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        data: serde_json::value::to_raw_value(event).unwrap(),
    }
}

fn failed(order_id: OrderId, failure: Failure) -> Failed {
    Failed { order_id, payment_id: PaymentId::of(order_id), failure, ..Failed::sample() }
}

async fn timeline(client: &Client, order: OrderId) -> Answer {
    client.get(format!("/api/orders/{order}/timeline")).await
}

/// The timeline as soon as it tells of this.
async fn until(client: &Client, order: OrderId, what: &str) -> Answer {
    eventually(&format!("{order} tells {what}"), SOON, async || {
        let shown = timeline(client, order).await;
        items(&shown).iter().any(|item| item["what"] == what).then_some(shown)
    })
    .await
}

fn items(shown: &Answer) -> &[Value] {
    shown["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(shown: &Answer) -> Vec<&str> {
    items(shown).iter().filter_map(|item| item["text"].as_str()).collect()
}

#[tokio::test]
async fn a_purchase_is_told_in_plain_words() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.sells().await;
    shop.ships(order, "k").await.status(200);

    let alice = shop.shopper(customer);
    for text in [
        "You ordered 2 × MUG-BLUE for 25.00 EUR.",
        "The goods are set aside for you.",
        "25.00 EUR is to be paid by 08:15 UTC.",
        "You paid 25.00 EUR.",
        "The shop has your order and will send it.",
        "2 × MUG-BLUE left the warehouse with Hermes, tracking H-123456.",
    ] {
        eventually(text, SOON, async || {
            texts(&timeline(&alice, order).await).contains(&text).then_some(())
        })
        .await;
    }
    let shown = timeline(&alice, order).await.ok();
    assert_eq!(shown["shortened"], false);
    for item in items(&shown) {
        let names: Vec<&String> = item.as_object().unwrap().keys().collect();
        assert!(names.iter().all(|name| ["at", "what", "text"].contains(&name.as_str())), "{item}");
    }
}

#[tokio::test]
async fn what_came_of_something_says_so() {
    let shop = Shop::open().await;
    let Purchase { customer, order: order_id } = shop.buys().await;
    let captured = fact(&shop.capture(order_id), 1, "2026-01-31T12:00:00Z", "req_1");
    let gone = CommitRefused { order_id, ..CommitRefused::sample() };
    let gone = fact(&gone, 2, "2026-01-31T12:03:30Z", &captured.id.to_string());
    let refunded =
        fact(&shop.refund(order_id, 1250), 3, "2026-01-31T12:05:00Z", &gone.id.to_string());
    let alice = shop.shopper(customer);

    // What came of it is heard before it.
    shop.peer.tell_again::<Refunded>(&refunded).await;
    until(&alice, order_id, "refunded").await;
    shop.peer.tell_again::<CommitRefused>(&gone).await;
    until(&alice, order_id, "commit_refused").await;
    shop.peer.tell_again::<Captured>(&captured).await;
    let shown = until(&alice, order_id, "captured").await;

    let told = ["captured", "commit_refused", "refunded"];
    let story: Vec<&Value> =
        items(&shown).iter().filter(|item| told.iter().any(|what| item["what"] == *what)).collect();
    let order: Vec<&Value> = story.iter().map(|item| &item["what"]).collect();
    assert_eq!(order, told);
    let text = "12.50 EUR went back to you because the goods were gone at 12:03 UTC.";
    assert_eq!(story[2]["text"], text);
    let because = json!({
        "text": "the goods were gone at 12:03 UTC",
        "what": "commit_refused",
        "at": "2026-01-31T12:03:30.000Z",
    });
    assert_eq!(story[2]["because"], because);
}

#[tokio::test]
async fn staff_see_more_of_it_and_others_nothing() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.buys().await;
    let declined = failed(order, Failure::LostOrStolen);
    let declined = fact(&declined, 7, "2026-01-31T12:00:00Z", "req_7");
    shop.peer.tell_again::<Failed>(&declined).await;

    let alice = until(&shop.shopper(customer), order, "failed").await;
    let staff = until(&shop.staff(), order, "placed").await;

    assert!(texts(&alice).contains(&"Your card was declined."), "{}", alice.text);
    assert!(!alice.text.contains("lost") && !alice.text.contains("evt_"), "{}", alice.text);
    assert!(items(&alice).iter().all(|item| item["what"] != "placed"), "{}", alice.text);
    let seen = items(&staff).iter().find(|item| item["what"] == "failed").unwrap();
    assert_eq!(
        *seen,
        json!({
            "at": "2026-01-31T12:00:00.000Z",
            "what": "failed",
            "text": "Your card was declined.",
            "shown_to_customer": true,
            "source": "/souk/payment",
            "type": "souk.payment.failed.v1",
            "event_id": declined.id,
            "correlation_id": "req_1",
            "causation_id": "req_7",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "details": { "attempt_id": Failed::sample().attempt_id, "failure": "lost_or_stolen" },
        })
    );
    let placed = items(&staff).iter().find(|item| item["what"] == "placed").unwrap();
    assert_eq!(placed["shown_to_customer"], false);

    let others = timeline(&shop.shopper(shop.person()), order).await.status(404);
    assert_eq!(others.header("retry-after"), Some("1"));
    timeline(&shop.staff(), shop.cart().order_id).await.status(404);
    timeline(&shop.anyone(), order).await.status(401);
    let no_order = shop.staff().get("/api/orders/ord_1/timeline").await;
    assert_eq!(no_order.status, 400);
}

#[tokio::test]
async fn a_fact_that_is_heard_before_its_order_is_kept() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let early = failed(cart.order_id, Failure::InsufficientFunds);
    shop.peer.tell(&early).await;
    let alice = shop.shopper(cart.customer);
    timeline(&alice, cart.order_id).await.status(404);

    shop.checks_out(cart.clone()).await;

    let shown = until(&alice, cart.order_id, "failed").await;
    assert!(texts(&shown).contains(&"Your card was declined: not enough money."), "{}", shown.text);
}

#[tokio::test]
async fn what_two_replicas_hear_again_and_again_is_told_once() {
    let shop = Shop::with_replicas(2).await;
    let Purchase { order: order_id, .. } = shop.buys().await;
    let attempts = (0..12_u128).map(|number| {
        let begun = AttemptStarted {
            order_id,
            payment_id: PaymentId::of(order_id),
            ..AttemptStarted::sample()
        };
        fact(&begun, number, &Timestamp::from_millis(0).unwrap().to_string(), "req_1")
    });
    let attempts: Vec<Envelope> = attempts.collect();

    let telling = attempts.iter().flat_map(|attempt| [attempt; 4]).map(async |attempt| {
        shop.peer.tell_again::<AttemptStarted>(attempt).await;
    });
    join_all(telling).await;
    let cancelled = shop.staff().post(format!("/api/orders/{order_id}/cancel")).await;
    cancelled.status(200);

    let begun = eventually("all are told", SOON, async || {
        let shown = until(&shop.staff(), order_id, "cancelled").await;
        let begun = items(&shown).iter().filter(|item| item["what"] == "attempt_started");
        let begun: Vec<Value> = begun.map(|item| item["event_id"].clone()).collect();
        (begun.len() >= attempts.len()).then_some(begun)
    })
    .await;
    let ids: Vec<Value> = attempts.iter().map(|attempt| json!(attempt.id)).collect();
    assert_eq!(begun, ids, "each once, in the order of their ids where the time is the same");
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn a_wiped_database_tells_again_what_the_streams_still_hold() {
    let house = House::build().await;
    let replica = house.opens().await;
    let customer = UserId::from_uuid(Uuid::from_u128(42));
    let cart = CheckedOut { customer, ..CheckedOut::sample() };
    house.peer.tell(&cart).await;
    house.peer.hears::<order::Placed>(cart.order_id).await;
    for failure in [Failure::Declined, Failure::ExpiredCard, Failure::CalledOff] {
        house.peer.tell(&failed(cart.order_id, failure)).await;
    }
    let all = async |replica: &Running| {
        eventually("the timeline is whole", SOON, async || {
            let shown = timeline(&house.client(replica, customer), cart.order_id).await;
            (items(&shown).len() == 4).then(|| shown.body.clone())
        })
        .await
    };
    let before = all(&replica).await;
    replica.stop().await.unwrap();

    let client = mongodb::Client::with_uri_str(house.world.mongo_uri()).await.unwrap();
    let database = client.database(&house.database);
    for name in ["timelines", "frame"] {
        database.collection::<mongodb::bson::Document>(name).drop().await.unwrap();
    }
    let replica = house.opens().await;

    assert_eq!(all(&replica).await, before);
    replica.stop().await.unwrap();
}
