//! Following an order by events.

use contracts::auth::Role;
use contracts::cart::CheckedOut;
use contracts::payment::{ActionRequired, Failed};
use contracts::{Event as _, OrderId, PaymentId, UserId, order};
use futures_util::future::join_all;
use serde_json::Value;
use testkit::{Client, Events, Request, Sent};
use uuid::Uuid;

use crate::shop::{Purchase, Shop, signed};
use crate::timeline::House;

fn ask(client: &Client, order: OrderId) -> Request {
    client.get(format!("/api/orders/{order}/events"))
}

async fn follow(client: &Client, order: OrderId) -> Events {
    ask(client, order).events().await
}

fn tells(what: &str) -> impl FnMut(&Sent) -> bool {
    move |sent| sent.event == "timeline" && sent.data["what"] == what
}

fn stands(status: &str) -> impl FnMut(&Sent) -> bool {
    move |sent| sent.event == "order" && sent.data["status"] == status
}

fn failed(order_id: OrderId) -> Failed {
    Failed { order_id, payment_id: PaymentId::of(order_id), ..Failed::sample() }
}

/// The events of the timeline among these, by their ids.
fn entries(sent: &[Sent]) -> Vec<Value> {
    let entries = sent.iter().filter(|sent| sent.event == "timeline");
    entries.map(|sent| sent.data["event_id"].clone()).collect()
}

#[tokio::test]
async fn an_order_is_followed_whichever_replica_changes_it() {
    let shop = Shop::with_replicas(2).await;
    let Purchase { customer, order } = shop.buys().await;
    let [here, there] = [0, 1].map(|replica| shop.shopper_at(replica, customer));

    let mut events = follow(&here, order).await;
    let first = events.next().await.unwrap();
    assert_eq!((first.event.as_str(), &first.data["status"]), ("order", &"placed".into()));
    assert_eq!(first.data, here.get(format!("/api/orders/{order}")).await.ok().body);

    shop.reserved(order, 1).await;
    events.until(stands("reserved")).await;
    there.post(format!("/api/orders/{order}/cancel")).await.status(200);
    events.until(stands("cancelled")).await;
    shop.peer.tell(&failed(order)).await;
    let seen = events.until(tells("failed")).await;
    assert_eq!(seen.last().unwrap().data["text"], "Your card was declined.");
    let for_staff = ["placed", "released"];
    assert!(seen.iter().all(|sent| for_staff.iter().all(|what| sent.data["what"] != *what)));
}

#[tokio::test]
async fn who_comes_back_hears_just_what_was_missed() {
    let shop = Shop::with_replicas(2).await;
    let Purchase { order, .. } = shop.buys().await;
    let staff = shop.staff();

    let mut events = follow(&staff, order).await;
    let mut heard = events.until(tells("placed")).await;
    drop(events);
    let last = heard.last().unwrap().id.clone();
    shop.reserved(order, 1).await;
    shop.peer.hears::<order::PaymentDue>(order).await;
    shop.peer.tell(&failed(order)).await;
    shop.until(order, "reserved").await;

    let back = shop.staff_at(1);
    let mut events = ask(&back, order).header("last-event-id", &last).events().await;
    let missed = events.until(tells("failed")).await;
    drop(events);

    assert_eq!(missed[0].event, "order", "it has changed");
    assert_eq!(missed[0].data["status"], "reserved");
    heard.extend(missed);
    // Whatever came at last, no entry was sent twice, and none is missing.
    let shown = staff.get(format!("/api/orders/{order}/timeline")).await.ok();
    let newest = heard.last().unwrap().id.clone();
    let mut events = ask(&staff, order).header("last-event-id", &newest).events().await;
    let all = shown["items"].as_array().unwrap().len();
    while entries(&heard).len() < all {
        heard.push(events.next().await.unwrap());
    }
    let mut told: Vec<String> = entries(&heard).iter().map(ToString::to_string).collect();
    let items = shown["items"].as_array().unwrap().iter();
    let mut known: Vec<String> = items.map(|item| item["event_id"].to_string()).collect();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
}

#[tokio::test]
async fn who_has_heard_all_hears_nothing_again() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.buys().await;
    let alice = shop.shopper(customer);
    let mut events = follow(&alice, order).await;
    let last = events.until(tells("checked_out")).await.last().unwrap().id.clone();
    drop(events);

    let mut events = ask(&alice, order).header("last-event-id", &last).events().await;
    let action = ActionRequired { order_id: order, ..ActionRequired::sample() };
    shop.peer.tell(&action).await;

    let next = events.next().await.unwrap();
    assert_eq!(next.data["what"], "action_required");
}

#[tokio::test]
async fn an_id_that_does_not_read_is_none() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.buys().await;
    let alice = shop.shopper(customer);
    follow(&alice, order).await.until(tells("checked_out")).await;

    for id in ["", "yesterday", "1", "-1.-1", "1.1.1", "9e9.1", "99999999999999999999.1"] {
        let mut events = ask(&alice, order).header("last-event-id", id).events().await;
        let all = events.until(tells("checked_out")).await;
        assert_eq!(all[0].event, "order", "{id}");
    }
    // What is not known yet was told by a timeline that is gone: all is told anew.
    let mut events = ask(&alice, order).header("last-event-id", "77.77").events().await;
    assert_eq!(events.until(tells("checked_out")).await[0].event, "order");
}

#[tokio::test]
async fn an_order_of_somebody_else_cannot_be_followed() {
    let shop = Shop::open().await;
    let Purchase { order, .. } = shop.buys().await;
    let bob = shop.shopper(shop.person());

    let others = ask(&bob, order).await.status(404);

    assert_eq!(others.header("retry-after"), Some("1"));
    ask(&bob, shop.cart().order_id).await.status(404);
    ask(&shop.anyone(), order).await.status(401);
    assert_eq!(bob.get("/api/orders/ord_1/events").await.status, 400);
}

#[tokio::test]
async fn nobody_follows_more_than_five_things_at_once() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.buys().await;
    let alice = shop.shopper(customer);
    let followed = join_all((0..5).map(|_| follow(&alice, order))).await;

    let sixth = follow(&alice, order).await.rest().await;
    assert_eq!(sixth[0].event, "order", "it is answered at once, and ends");

    drop(followed);
    let others = shop.buys().await;
    let mut bob = follow(&shop.shopper(others.customer), others.order).await;
    bob.until(tells("checked_out")).await;
}

#[tokio::test]
async fn it_ends_with_the_token() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.buys().await;
    let claims = shop.claims(customer, Role::Shopper);
    let short = common::identity::Claims { exp: claims.iat + 1, ..claims };

    let events = follow(&shop.anyone().with_token(signed(&short)), order).await;

    assert_eq!(events.rest().await[0].event, "order");
}

#[tokio::test]
async fn it_ends_when_the_service_stops() {
    let house = House::build().await;
    let replica = house.opens().await;
    let customer = UserId::from_uuid(Uuid::from_u128(42));
    let cart = CheckedOut { customer, ..CheckedOut::sample() };
    house.peer.tell(&cart).await;
    house.peer.hears::<order::Placed>(cart.order_id).await;
    let client = house.client(&replica, customer);
    let mut events = follow(&client, cart.order_id).await;
    events.until(tells("checked_out")).await;

    let (stopped, rest) = tokio::join!(replica.stop(), events.rest());

    assert!(stopped.is_ok(), "{stopped:?}");
    assert_eq!(rest, []);
}
