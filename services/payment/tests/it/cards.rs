//! Numbers of cards are refused everywhere, and neither stored nor logged.

use std::path::Path;

use contracts::auth::Role;
use contracts::{OrderId, PaymentId, UserId};
use serde_json::{Value, json};
use testkit::process::{Process, Spec};
use testkit::{Client, Peer, World, eventually, ports};

use crate::shop::{SOON, Shop, fresh_order, pay};

const CARDS: [&str; 6] = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242.4242.4242.4242",
    "4242\u{a0}4242\u{2011}4242 4242",
    "3782 822463 10005",
];

/// What would be left of one of them; ids have digits, too, but not so many in a row.
const TRACES: [&str; 6] =
    ["42424242", "4242 4242", "4242-4242", "4242.4242", "4242\u{a0}4242", "822463 10005"];

/// Every way in which a card's number may stand in a body.
fn bodies(order: OrderId, card: &str) -> Vec<Value> {
    vec![
        json!({ "order_id": order, "method": card }),
        json!({ "order_id": order, "method": "pm_card_visa", "card": { "number": card } }),
        json!({ "order_id": order, "method": "pm_card_visa", "list": [[{ "deep": [card] }]] }),
        json!({ "order_id": order, "method": "pm_card_visa", card: null }),
        json!({ "reason": format!("to {card}, please") }),
        json!({ "amount": card, "reason": "broken" }),
    ]
}

fn paths(order: OrderId) -> [String; 2] {
    ["/api/payments".into(), format!("/api/payments/{}/refunds", PaymentId::of(order))]
}

async fn refused(client: &Client, order: OrderId) {
    for card in CARDS {
        for body in bodies(order, card) {
            for path in paths(order) {
                let answer = client.post(&path).json(&body).key("k").await.status(422);
                assert_eq!(answer["type"], "urn:souk:problem:card-number", "{body}");
                assert!(TRACES.iter().all(|trace| !answer.text.contains(trace)), "{}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn every_post_refuses_a_cards_number() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_visa", "paid").await.status(201);

    refused(&shop.staff(), order).await;

    let number = json!({ "order_id": order, "method": 4_242_424_242_424_242_u64 });
    let _ = shop.alice().post("/api/payments").json(&number).key("k").await.status(422);
    assert_eq!(shop.attempts(order).await.len(), 1);
}

#[tokio::test]
async fn a_webhook_is_trusted_by_its_signature_alone() {
    let shop = Shop::open().await;
    let body = json!({ "type": "card.updated", "card": CARDS[0] });

    let _ = shop.webhook(&body).await.status(200);

    let stored = shop.count("webhooks", mongodb::bson::doc! {}).await;
    assert_eq!(stored, 0, "what is not understood is not kept");
}

/// The real program, which logs all it can, and a member of staff who asks it.
async fn talkative(world: &World, log: &Path) -> (Process, Client) {
    let (http, ops) = (ports::free(), ports::free());
    let spec = Spec::new(env!("CARGO_BIN_EXE_payment"))
        .env("MONGODB_URI", world.mongo_uri())
        .env("NATS_URL", world.nats().url())
        .env("SOUK_DATABASE", world.database("payment"))
        .env("SOUK_HTTP", format!("127.0.0.1:{http}"))
        .env("SOUK_OPS", format!("127.0.0.1:{ops}"))
        .env("SOUK_LOG", "trace")
        .env("SOUK_ALLOW_SANDBOX", "true")
        .log(log);
    let (process, peer) = (Process::start(&spec).unwrap(), Peer::join(world).await);
    peer.tell_keys().await;
    let ready = Client::at(format!("http://127.0.0.1:{ops}"));
    eventually("it is ready", SOON, async || {
        ready.get("/ready").send().await.ok().filter(testkit::Answer::is_ok)
    })
    .await;
    let staff = UserId::from_uuid(common::Clock::system().uuid());
    let token = peer.token(staff, Role::Staff);
    (process, Client::at(format!("http://127.0.0.1:{http}")).with_token(token))
}

#[tokio::test]
async fn no_cards_number_is_logged() {
    let world = World::start().await;
    let log = world.dir().join("payment.log");
    let (process, door) = talkative(&world, &log).await;

    refused(&door, fresh_order()).await;
    let raw = door.post("/api/payments").header("content-type", "application/json").key("k");
    let _ = raw.body(format!("{{\"method\": {}", CARDS[0])).await.status(400);
    let forged = door.post("/api/payments/webhooks/sandbox").body(CARDS[0]);
    let _ = forged.await.status(400);
    assert_eq!(process.stop().await, 0);

    let said = std::fs::read_to_string(log).unwrap();
    assert!(said.contains("request answered"), "{said}");
    for line in said.lines() {
        assert!(TRACES.iter().all(|trace| !line.contains(trace)), "{line}");
    }
}
