//! Guests who turn out to be the people of accounts, and guests who are gone.

use std::time::Duration;

use contracts::auth::{GuestMerged, Registered};
use contracts::order::Placed;
use contracts::{OrderId, UserId};
use futures_util::future::join_all;
use mongodb::bson::doc;
use serde_json::{Value, json};
use testkit::{Answer, eventually};

use crate::house::{ALICE, House, PASSWORD, Replica, SOON, person, session_of};

const DAY: Duration = Duration::from_hours(24);

async fn guest(replica: &Replica) -> Answer {
    replica.door().post("/api/auth/guest").await.status(201)
}

async fn enters(replica: &Replica, how: &str, guest: &Answer, email: &str) -> Answer {
    let ask = replica.door_with(guest).post(format!("/api/auth/{how}"));
    ask.json(&person(email, PASSWORD)).await
}

fn id(answer: &Answer) -> &Value {
    &answer["user"]["id"]
}

/// What an access token says of a guest that its owner was.
fn merged_from(signed_in: &Answer) -> Value {
    use base64::Engine as _;

    let token = signed_in.text_of("access_token");
    let said = token.split('.').nth(1).unwrap();
    let said = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(said).unwrap();
    serde_json::from_slice::<Value>(&said).unwrap()["merged_from"].clone()
}

#[tokio::test]
async fn who_registers_as_a_guest_keeps_what_the_guest_had() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let guest = guest(&one).await;

    let alice = enters(&one, "register", &guest, ALICE).await.status(201);

    assert_ne!(id(&alice), id(&guest));
    assert_eq!((&alice["merged_from"], &merged_from(&alice)), (id(&guest), id(&guest)));
    let told = house.peer.hears::<GuestMerged>(id(&guest).as_str().unwrap()).await;
    assert_eq!(json!(told), json!({ "guest_id": id(&guest), "user_id": id(&alice) }));
    house.hears_the_end_of(&session_of(&guest)).await;
    let _ = one.me(&guest).await.status(401);
    other.refuses(&guest).await;
    let _ = one.refreshes(&guest).await.status(401);
    // Only the first token says so.
    let next = one.refreshes(&alice).await.status(200);
    assert_eq!((&next["merged_from"], merged_from(&next)), (&Value::Null, Value::Null));
}

#[tokio::test]
async fn who_signs_in_as_a_guest_keeps_what_the_guest_had() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;
    let guest = guest(&replica).await;

    let again = enters(&replica, "login", &guest, ALICE).await.status(200);

    assert_eq!((id(&again), merged_from(&again)), (id(&alice), id(&guest).clone()));
    let told = house.peer.hears::<GuestMerged>(id(&guest).as_str().unwrap()).await;
    assert_eq!(json!(told.user_id), *id(&alice));
}

#[tokio::test]
async fn a_guest_comes_to_one_account_however_many_ask_at_once() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let (alice, bob) = (one.registers(ALICE).await, one.registers("bob@example.com").await);
    let guest = guest(&one).await;

    let all = join_all((0..8).map(|turn| {
        let email = [ALICE, "bob@example.com"][turn % 2];
        enters([&one, &other][turn / 2 % 2], "login", &guest, email)
    }))
    .await;

    assert!(all.iter().all(|answer| answer.status == 200));
    let told = house.peer.hears::<GuestMerged>(id(&guest).as_str().unwrap()).await;
    let merged = all.iter().filter(|answer| merged_from(answer) != Value::Null);
    let owners: Vec<_> = merged.map(|answer| id(answer).clone()).collect();
    assert!(!owners.is_empty() && owners.iter().all(|owner| *owner == json!(told.user_id)));
    assert!([id(&alice), id(&bob)].contains(&&json!(told.user_id)));
    let told = house.peer.told::<GuestMerged>(id(&guest).as_str().unwrap()).await;
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn whatever_token_one_comes_with_one_signs_in() {
    let (house, replica) = House::with_a_door().await;
    let (alice, bob) = (replica.registers(ALICE).await, replica.registers("b@example.com").await);
    let over = guest(&replica).await;
    let _ = replica.door_with(&over).post("/api/auth/logout").await.status(204);
    let old = guest(&replica).await;
    house.clock.advance(Duration::from_mins(6));

    let login = replica.door().post("/api/auth/login").json(&person(ALICE, PASSWORD));
    for held in [&alice, &bob, &over, &old] {
        let signed_in = login.clone().bearer(&held.text_of("access_token")).await.status(200);
        assert_eq!(merged_from(&signed_in), Value::Null);
    }
    for nonsense in ["x", "a.b.c"] {
        let _ = login.clone().bearer(nonsense).await.status(200);
    }
    let _ = replica.me(&replica.refreshes(&bob).await.status(200)).await.status(200);
}

#[tokio::test]
async fn a_merge_that_fails_does_not_keep_anybody_out() {
    let (house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;
    let guest = guest(&replica).await;
    // A guest that cannot be read.
    let broken = doc! { "$set": { "created_at": 7 } };
    house.changes("users", doc! { "_id": id(&guest).as_str().unwrap() }, broken).await;

    let alice = enters(&replica, "login", &guest, ALICE).await.status(200);

    assert_eq!(merged_from(&alice), Value::Null);
    let _ = replica.me(&alice).await.status(200);
}

#[tokio::test]
async fn guests_who_ordered_nothing_are_forgotten_after_sixty_days() {
    let house = House::build().await;
    let replica = house.opens(house.config()).await;
    let (idle, buyer) = (guest(&replica).await, guest(&replica).await);
    let alice = replica.registers(ALICE).await;
    house.peer.hears::<Registered>(id(&alice).as_str().unwrap()).await;
    let customer: UserId = id(&buyer).as_str().unwrap().parse().unwrap();
    let order_id = OrderId::from_uuid(house.clock.uuid());
    house.peer.tell(&Placed { order_id, round: 1, lines: vec![], customer: Some(customer) }).await;
    eventually("the order is heard of", SOON, async || {
        let users = house.stored("users").await;
        users.iter().any(|user| user.get_bool("has_ordered").is_ok()).then_some(())
    })
    .await;
    replica.stops().await;

    house.clock.advance(59 * DAY);
    tidies(&house).await;
    assert_eq!(house.stored("users").await.len(), 3);
    house.clock.advance(2 * DAY);
    tidies(&house).await;

    let left = house.stored("users").await;
    let left: Vec<_> = left.iter().map(|user| json!(user.get_str("_id").unwrap())).collect();
    assert_eq!(left.len(), 2);
    assert!(!left.contains(id(&idle)));
}

/// Lets a replica do the chore that forgets guests, whenever it was done last.
async fn tidies(house: &House) {
    let chore = || doc! { "_id": "chore:guests" };
    house.changes("frame", chore(), doc! { "$unset": { "until": "", "turn": "" } }).await;
    let replica = house.opens(house.config()).await;
    eventually("the chore is done", SOON, async || {
        let frame = house.stored("frame").await;
        let chore =
            frame.iter().find(|kept| kept.get_str("_id").is_ok_and(|id| id == "chore:guests"))?;
        let millis = |field| chore.get_datetime(field).map(|time| time.timestamp_millis()).ok();
        // Its next turn is in an hour.
        (millis("until")? - millis("asked")? > 60_000).then_some(())
    })
    .await;
    replica.stops().await;
}
