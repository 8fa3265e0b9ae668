//! Who asks too often waits, whichever replica they ask, and nobody else does.

use std::collections::BTreeMap;
use std::time::Duration;

use auth::Config;
use common::config::ServiceConfig;
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;
use testkit::Answer;

use crate::house::{ALICE, House, PASSWORD, Replica, person};

pub(crate) const HOME: &str = "203.0.113.7";
pub(crate) const WRONG: &str = "incorrect horse";

/// Behind one proxy, so that tests can come from wherever they like.
pub(crate) fn behind_a_proxy(house: &House) -> Config {
    let config = house.config();
    Config { service: ServiceConfig { trusted_proxies: 1, ..config.service }, ..config }
}

pub(crate) async fn two_replicas() -> (House, Replica, Replica) {
    let house = House::build().await;
    let one = house.opens(behind_a_proxy(&house)).await;
    let other = house.opens(behind_a_proxy(&house)).await;
    (house, one, other)
}

/// An address that nobody asked from before.
pub(crate) fn elsewhere(number: usize) -> String {
    format!("198.51.{}.{}", number / 250, 1 + number % 250)
}

fn wait(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

/// What an answer says of waiting.
pub(crate) fn waiting(answer: &Answer) -> [Option<String>; 3] {
    ["retry-after", "ratelimit-policy", "ratelimit"]
        .map(|name| answer.header(name).map(str::to_owned))
}

/// Fails until it has to wait, and says how often it failed and how long it is to wait.
pub(crate) async fn fails(replicas: &[&Replica], email: &str, from: &str) -> (usize, u64) {
    let ask =
        async |turn: usize| replicas[turn % replicas.len()].signs_in_from(from, email, WRONG).await;
    fails_by(ask).await
}

/// The same, however it is asked.
pub(crate) async fn fails_by(ask: impl AsyncFn(usize) -> Answer) -> (usize, u64) {
    for failed in 0.. {
        let answer = ask(failed).await;
        match answer.status {
            401 => {}
            429 => return (failed, wait(&answer)),
            other => panic!("{other}: {}", answer.text),
        }
    }
    unreachable!("it waits in the end")
}

/// Whoever asks from there waits, whomever they ask for.
pub(crate) async fn halts(replica: &Replica, from: &str) {
    for number in 0..20 {
        let email = format!("person-{number}@example.com");
        let _ = replica.signs_in_from(from, &email, WRONG).await.status(401);
    }
}

/// The commands that the database was given to sign somebody in, and how many of each.
pub(crate) async fn commands(house: &House) -> BTreeMap<String, usize> {
    let profile = house.database().await.collection::<Document>("system.profile");
    let all: Vec<Document> = profile.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    let served = ["users", "email_claims", "sessions", "throttle", "outbox"];
    let mut counts = BTreeMap::new();
    for entry in all {
        let (op, ns) = (entry.get_str("op").unwrap(), entry.get_str("ns").unwrap());
        let collection = ns.rsplit('.').next().unwrap();
        // What is to be told is looked for all the time.
        let is_own = (op, collection) == ("query", "outbox");
        if served.contains(&collection) && !is_own {
            *counts.entry(format!("{op} {collection}")).or_default() += 1;
        }
    }
    counts
}

#[tokio::test]
async fn two_replicas_throttle_as_one() {
    let (house, one, other) = two_replicas().await;

    assert_eq!(fails(&[&one, &other], ALICE, HOME).await, (5, 1));
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(fails(&[&other, &one], ALICE, HOME).await, (1, 2));
    house.clock.advance(Duration::from_secs(2));
    assert_eq!(fails(&[&one, &other], ALICE, HOME).await, (1, 4));

    let halted = other.signs_in_from(HOME, ALICE, PASSWORD).await.status(429);
    assert_eq!(halted["type"], "urn:souk:problem:too-many-requests");
    assert_eq!(halted.header("ratelimit-policy"), Some("\"sign-in\";q=5;w=4500"));
    assert_eq!(halted.header("ratelimit"), Some("\"sign-in\";r=0;t=4"));
}

#[tokio::test]
async fn many_at_once_are_as_many() {
    let (_house, one, other) = two_replicas().await;

    let tries = (0..24).map(|turn| [&one, &other][turn % 2].signs_in_from(HOME, ALICE, WRONG));
    let mut statuses: Vec<_> = join_all(tries).await.iter().map(|answer| answer.status).collect();

    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn waits_grow_to_a_quarter_of_an_hour_and_no_further() {
    let (house, one, _other) = two_replicas().await;
    let mut waits = vec![];

    for turn in 0..20 {
        let (_, wait) = fails(&[&one], ALICE, &elsewhere(turn)).await;
        waits.push(wait);
        house.clock.advance(Duration::from_secs(wait));
    }

    assert_eq!(waits[..9], [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert!(waits[9..].iter().all(|wait| (256..=900).contains(wait)), "{waits:?}");
    assert_eq!(waits.iter().max(), Some(&900));
}

#[tokio::test]
async fn a_wait_ends_and_the_right_password_ends_the_count() {
    let (house, one, other) = two_replicas().await;
    one.registers(ALICE).await;
    fails(&[&one], ALICE, HOME).await;

    let _ = other.signs_in_from(HOME, ALICE, PASSWORD).await.status(429);
    house.clock.advance(Duration::from_secs(1));
    let _ = other.signs_in_from(HOME, ALICE, PASSWORD).await.status(200);

    // There are five tries again.
    assert_eq!(fails(&[&one], ALICE, &elsewhere(1)).await.0, 5);
}

#[tokio::test]
async fn time_forgives() {
    let (house, one, _other) = two_replicas().await;
    fails(&[&one], ALICE, HOME).await;

    house.clock.advance(Duration::from_hours(2));

    assert_eq!(fails(&[&one], ALICE, HOME).await, (5, 1));
}

#[tokio::test]
async fn one_address_that_tries_many_accounts_waits() {
    let (_house, one, other) = two_replicas().await;
    let person = |number| format!("person-{number}@example.com");
    for number in 0..20 {
        let replica = [&one, &other][number % 2];
        let _ = replica.signs_in_from(HOME, &person(number), WRONG).await.status(401);
    }

    let halted = one.signs_in_from(HOME, &person(20), WRONG).await.status(429);

    assert!(halted.header("ratelimit").unwrap().starts_with("\"sign-in-address\""));
    let _ = one.signs_in_from(&elsewhere(1), &person(20), WRONG).await.status(401);
    // The account did not pay for it.
    assert_eq!(fails(&[&one], &person(20), &elsewhere(2)).await.0, 4);
}

#[tokio::test]
async fn a_made_up_address_is_not_believed() {
    let (_house, one, _other) = two_replicas().await;
    for number in 0..20 {
        let email = format!("person-{number}@example.com");
        let spoofed = format!("{}, {HOME}", elsewhere(number));
        let _ = one.signs_in_from(&spoofed, &email, WRONG).await.status(401);
    }

    let spoofed = format!("{}, {HOME}", elsewhere(100));
    let _ = one.signs_in_from(&spoofed, "person-20@example.com", WRONG).await.status(429);
}

#[tokio::test]
async fn without_proxies_the_header_says_nothing() {
    let house = House::build().await;
    let replica = house.opens(house.config()).await;
    for number in 0..20 {
        let email = format!("person-{number}@example.com");
        let _ = replica.signs_in_from(&elsewhere(number), &email, WRONG).await.status(401);
    }

    let _ =
        replica.signs_in_from(&elsewhere(100), "person-20@example.com", WRONG).await.status(429);
}

#[tokio::test]
async fn waiting_does_not_tell_whether_an_address_is_known() {
    let (_house, one, _other) = two_replicas().await;
    let _ = one.door().post("/api/auth/register").json(&person(ALICE, PASSWORD)).await.status(201);

    let known = fails(&[&one], ALICE, &elsewhere(1)).await;
    let unknown = fails(&[&one], "nobody@example.com", &elsewhere(2)).await;

    assert_eq!(known, unknown);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_the_same_work() {
    let (house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;
    let _ = replica.signs_in("bob@example.com", WRONG).await.status(401);
    let database = house.database().await;
    database.run_command(doc! { "profile": 2 }).await.unwrap();

    let _ = replica.signs_in(ALICE, WRONG).await.status(401);
    let of_known = commands(&house).await;
    let _ = replica.signs_in("nobody@example.com", WRONG).await.status(401);
    let of_both = commands(&house).await;

    database.run_command(doc! { "profile": 0 }).await.unwrap();
    let twice = of_known.iter().map(|(what, many)| (what.clone(), many * 2)).collect();
    assert_eq!(of_both, twice);
    for what in ["query email_claims", "query users", "command throttle"] {
        assert!(of_known.contains_key(what), "{what} in {of_known:?}");
    }
}

#[tokio::test]
async fn whoever_asks_which_addresses_are_taken_waits() {
    let (_house, one, other) = two_replicas().await;
    one.registers(ALICE).await;
    let ask = |number: usize| {
        let register = [&one, &other][number % 2].door().post("/api/auth/register");
        register.json(&person(ALICE, PASSWORD)).header("x-forwarded-for", HOME)
    };

    for number in 0..10 {
        let _ = ask(number).await.status(409);
    }

    let _ = ask(10).await.status(429);
    let elsewhere = ask(11).header("x-forwarded-for", &elsewhere(1));
    let _ = elsewhere.await.status(409);
}

#[tokio::test]
async fn so_many_come_from_one_address_in_a_while_and_no_more() {
    let house = House::build().await;
    let config =
        || Config { guests_per_address: 3, registrations_per_address: 2, ..behind_a_proxy(&house) };
    let (one, other) = (house.opens(config()).await, house.opens(config()).await);
    let guest = |number: usize, from: &str| {
        let ask = [&one, &other][number % 2].door().post("/api/auth/guest");
        ask.header("x-forwarded-for", from)
    };

    for number in 0..3 {
        let _ = guest(number, HOME).await.status(201);
    }
    let halted = guest(3, HOME).await.status(429);
    let _ = guest(4, &elsewhere(1)).await.status(201);
    house.clock.advance(Duration::from_secs(wait(&halted)));
    let _ = guest(5, HOME).await.status(201);

    assert_eq!(halted.header("ratelimit-policy"), Some("\"guest\";q=3;w=600"));
    one.registers(ALICE).await;
    one.registers("bob@example.com").await;
    let third = person("carol@example.com", PASSWORD);
    let _ = other.door().post("/api/auth/register").json(&third).await.status(429);
}

#[tokio::test]
async fn refresh_tokens_are_not_guessed() {
    let (_house, one, other) = two_replicas().await;
    let held = one.registers(ALICE).await;
    let guess = json!({ "refresh_token": "ses_00000000000000000000000000000000.guessed" });
    let ask = |number: usize, from: &str| {
        let ask = [&one, &other][number % 2].door().post("/api/auth/refresh").json(&guess);
        ask.header("x-forwarded-for", from)
    };

    for number in 0..50 {
        let _ = ask(number, HOME).await.status(401);
    }

    let halted = ask(50, HOME).await.status(429);
    assert!(halted.header("ratelimit").unwrap().starts_with("\"refresh\""));
    // Whoever shares the address goes on.
    for replica in [&one, &other] {
        let token = json!({ "refresh_token": held.text_of("refresh_token") });
        let ask = replica.door().post("/api/auth/refresh").json(&token);
        let _ = ask.header("x-forwarded-for", HOME).await.status(200);
    }
    let _ = ask(51, HOME).await.status(429);
}

#[tokio::test]
async fn whoever_comes_back_too_late_keeps_nobody_waiting() {
    let (_house, one, other) = two_replicas().await;
    let held = one.registers(ALICE).await;
    let _ = one.door_with(&held).post("/api/auth/logout").await.status(204);

    for turn in 0..60 {
        let _ = [&one, &other][turn % 2].refreshes(&held).await.status(401);
    }
}

#[tokio::test]
async fn counters_hold_no_address() {
    let (house, one, _other) = two_replicas().await;
    let alice = one.registers(ALICE).await;
    let _ = one.signs_in_from(HOME, ALICE, PASSWORD).await.status(200);
    let _ = one.signs_in_from("198.51.100.9", ALICE, WRONG).await.status(401);

    let kept = format!("{:?}", house.stored("throttle").await);

    let device = alice.header("set-cookie").unwrap().split(['=', ';']).nth(1).unwrap();
    assert!(kept.contains("sign-in-familiar:"), "{kept}");
    for personal in ["alice", "example", HOME, "198.51", device] {
        assert!(!kept.contains(personal), "{personal} in {kept}");
    }
}
