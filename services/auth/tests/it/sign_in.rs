//! Coming, registering, signing in and out.

use std::num::NonZeroUsize;
use std::time::Duration;

use auth::Config;
use common::config::ServiceConfig;
use contracts::auth::{Registered, Role};
use futures_util::future::join_all;
use mongodb::bson::doc;
use serde_json::json;
use testkit::Answer;

use crate::house::{ALICE, House, PASSWORD, person, session_of};

/// [`PASSWORD`], hashed with less memory and fewer rounds than today.
const WEAKER: &str = "$argon2id$v=19$m=8192,t=1,p=1$4kWP1Oq7MIuKx++QDJ0b/g$\
    3XuVnQ8gXnoiwHchs/ZZk+Y4+8r67l5bjv7W9Tfj44s";

#[tokio::test]
async fn a_guest_is_somebody() {
    let (_house, replica) = House::with_a_door().await;

    let guest = replica.door().post("/api/auth/guest").await.status(201);

    assert_eq!(guest.header("cache-control"), Some("no-store"));
    assert_eq!((&guest["token_type"], &guest["expires_in"]), (&json!("Bearer"), &json!(300)));
    let me = replica.me(&guest).await.status(200);
    assert_eq!(me.body, json!({ "id": guest["user"]["id"], "role": "guest" }));
    assert_eq!(me.body, guest["user"]);
}

#[tokio::test]
async fn who_registers_has_an_account_and_everybody_hears_of_it() {
    let (house, replica) = House::with_a_door().await;

    let form = json!({ "email": " Alice@Example.com ", "password": PASSWORD, "name": "Alice" });
    let alice = replica.door().post("/api/auth/register").json(&form).await.status(201);

    let id = alice["user"]["id"].as_str().unwrap();
    let me = replica.me(&alice).await.status(200);
    let expected = json!({ "id": id, "role": "shopper", "email": ALICE, "name": "Alice" });
    assert_eq!(me.body, expected);
    assert!(me.etag().starts_with("\"1-"), "{}", me.etag());
    let told = house.peer.hears::<Registered>(id).await;
    assert_eq!((told.user_id.to_string().as_str(), told.role), (id, Role::Shopper));
    let again = replica.signs_in("ALICE@example.com", PASSWORD).await.status(200);
    assert_eq!(again["user"], alice["user"]);
    assert_ne!(session_of(&again), session_of(&alice));
}

#[tokio::test]
async fn an_address_has_one_account() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;

    let form = person(ALICE, PASSWORD);
    let register = |replica: &crate::house::Replica| {
        let request = replica.door().post("/api/auth/register").json(&form);
        async move { request.await.status }
    };
    let (a, b, c, d) =
        tokio::join!(register(&one), register(&other), register(&one), register(&other));

    let mut statuses = [a, b, c, d];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    let late = one.door().post("/api/auth/register").json(&form).await.status(409);
    assert_eq!(late["type"], "urn:souk:problem:email-taken");
    assert_eq!(house.stored("users").await.len(), 1);
    assert_eq!(house.stored("sessions").await.len(), 1);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let (_house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;

    let wrong = replica.signs_in(ALICE, "incorrect horse").await.status(401);
    let short = replica.signs_in(ALICE, "x").await.status(401);
    let unknown = replica.signs_in("nobody@example.com", PASSWORD).await.status(401);

    for other in [&short, &unknown] {
        for field in ["type", "title", "status", "detail", "errors"] {
            assert_eq!(wrong[field], other[field], "{field}");
        }
        for header in ["content-type", "www-authenticate", "cache-control"] {
            assert_eq!(wrong.header(header), other.header(header), "{header}");
        }
    }
}

/// Hashes one password at a time, and waits for it however slow the machine is.
fn with_one_patient_hasher(house: &House) -> Config {
    let config = house.config();
    let service = ServiceConfig { request_timeout: Duration::from_mins(5), ..config.service };
    Config { service, hashing_threads: NonZeroUsize::new(1), ..config }
}

#[tokio::test]
async fn those_beyond_the_bound_come_back_later_and_the_others_are_served() {
    let house = House::build().await;
    let replica = house.opens(with_one_patient_hasher(&house)).await;
    let alice = replica.registers(ALICE).await;
    // Of one person alone too many would try at once.
    let people: Vec<_> = (0..20).map(|number| format!("{number}@example.com")).collect();
    for person in &people {
        replica.registers(person).await;
    }

    let all = people.iter().cycle().take(300).map(|person| replica.signs_in(person, PASSWORD));
    let (answers, me) = tokio::join!(join_all(all), replica.me(&alice));

    let (served, busy): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert!(served.len() >= 193 && !busy.is_empty(), "{} {}", served.len(), busy.len());
    let seconds = |it: &Answer| it.header("retry-after").and_then(|it| it.parse::<u64>().ok());
    let later = |it: &Answer| seconds(it).is_some_and(|it| (2..=5).contains(&it));
    assert!(busy.iter().all(|it| it.status == 503 && later(it)), "{busy:?}");
    let _ = me.status(200);
}

#[tokio::test]
async fn a_password_that_anybody_would_guess_is_refused() {
    let (_house, replica) = House::with_a_door().await;

    for password in ["password", "Iloveyou", "alice2026!", "ALICE@example.com", "12souk34"] {
        let form = person(ALICE, password);
        let refused = replica.door().post("/api/auth/register").json(&form).await.status(422);

        assert_eq!(refused["errors"][0]["pointer"], "/password", "{password}");
    }
}

#[tokio::test]
async fn a_password_is_the_same_on_every_keyboard() {
    let (_house, replica) = House::with_a_door().await;
    let form = person(ALICE, "cafe\u{301} au lait");
    let _ = replica.door().post("/api/auth/register").json(&form).await.status(201);

    let _ = replica.signs_in(ALICE, "caf\u{e9} au lait").await.status(200);
}

#[tokio::test]
async fn who_signs_in_has_an_outdated_hash_renewed() {
    let (house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;
    let weaker = doc! { "$set": { "password_hash": WEAKER } };
    house.changes("users", doc! {}, weaker).await;

    let _ = replica.signs_in(ALICE, PASSWORD).await.status(200);

    let kept = house.stored("users").await[0].get_str("password_hash").unwrap().to_owned();
    assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
    let _ = replica.signs_in(ALICE, PASSWORD).await.status(200);
    let again = house.stored("users").await[0].get_str("password_hash").unwrap().to_owned();
    assert_eq!(kept, again);
}

#[tokio::test]
async fn who_signs_out_is_out_everywhere() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let alice = one.registers(ALICE).await;
    let elsewhere = other.signs_in(ALICE, PASSWORD).await.status(200);
    let _ = other.me(&alice).await.status(200);

    let _ = one.door_with(&alice).post("/api/auth/logout").await.status(204);

    let _ = one.me(&alice).await.status(401);
    other.refuses(&alice).await;
    let told = house.hears_the_end_of(&session_of(&alice)).await;
    assert_eq!(told.user_id.to_string(), alice["user"]["id"]);
    for replica in [&one, &other] {
        let _ = replica.door_with(&alice).post("/api/auth/logout").await.status(204);
        let _ = replica.refreshes(&alice).await.status(401);
        let _ = replica.me(&elsewhere).await.status(200);
    }
    assert_eq!(
        house.peer.told::<contracts::auth::SessionRevoked>(session_of(&alice)).await.len(),
        1
    );
}

#[tokio::test]
async fn a_token_is_good_for_five_minutes() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;

    house.clock.advance(Duration::from_secs(299));
    let _ = replica.me(&alice).await.status(200);
    house.clock.advance(Duration::from_secs(10));

    let _ = replica.me(&alice).await.status(401);
    let next = replica.refreshes(&alice).await.status(200);
    let _ = replica.me(&next).await.status(200);
}

#[tokio::test]
async fn the_life_of_tokens_can_be_shorter() {
    let house = House::build().await;
    let access_token_life = Duration::from_secs(30);
    let replica = house.opens(auth::Config { access_token_life, ..house.config() }).await;

    let guest = replica.door().post("/api/auth/guest").await.status(201);

    assert_eq!(guest["expires_in"], 30);
    house.clock.advance(Duration::from_secs(40));
    let _ = replica.me(&guest).await.status(401);
}

#[tokio::test]
async fn only_what_is_needed_is_stored() {
    let (house, replica) = House::with_a_door().await;
    let alice = replica.registers(ALICE).await;
    let next = replica.refreshes(&alice).await.status(200);

    let kept = ["users", "sessions", "email_claims", "outbox", "receipts", "keys"];
    for collection in kept.into_iter().chain(["mails", "tickets"]) {
        let stored = format!("{:?}", house.stored(collection).await);

        for secret in [&alice.text_of("refresh_token"), &next.text_of("refresh_token")] {
            let (_, secret) = secret.split_once('.').unwrap();
            assert!(!stored.contains(secret), "{collection}");
            // Neither half of it: what the family shares, and what is the token's own.
            assert!(!stored.contains(&secret[..20]) && !stored.contains(&secret[24..]));
        }
        assert!(!stored.contains(PASSWORD), "{collection}");
        assert!(!stored.contains(&next.text_of("access_token")), "{collection}");
        assert_eq!(stored.contains(ALICE), collection == "users", "{collection}");
    }
}
