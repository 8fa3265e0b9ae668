//! A device that somebody signed in with is known, and strangers keep nobody waiting who has one.

use std::time::Duration;

use futures_util::future::join_all;
use mongodb::bson::doc;
use testkit::Answer;

use crate::house::{ALICE, House, PASSWORD, Replica, person};
use crate::throttle::{
    HOME, WRONG, commands, elsewhere, fails, fails_by, halts, two_replicas, waiting,
};

const BOB: &str = "bob@example.com";
const NOBODY: &str = "nobody@example.com";

/// What a browser shows from then on that got this answer.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn signs_in_with(
    replica: &Replica,
    (cookie, from): (&str, &str),
    email: &str,
    password: &str,
) -> Answer {
    let ask = replica.door().post("/api/auth/login").json(&person(email, password));
    ask.header("cookie", cookie).header("x-forwarded-for", from).await
}

#[tokio::test]
async fn who_signs_in_gets_a_cookie_that_no_script_and_no_other_site_sees() {
    let (_house, replica) = House::with_a_door().await;

    let guest = replica.door().post("/api/auth/guest").await.status(201);
    let registered = replica.registers(ALICE).await;
    let wrong = replica.signs_in(ALICE, WRONG).await.status(401);
    let signed_in = replica.signs_in(ALICE, PASSWORD).await.status(200);

    assert_eq!((guest.header("set-cookie"), wrong.header("set-cookie")), (None, None));
    for answer in [&registered, &signed_in] {
        let set = answer.header("set-cookie").unwrap();
        let (pair, attributes) = set.split_once(';').unwrap();
        assert!(
            pair.len() == "souk_device=".len() + 22 && pair.starts_with("souk_device="),
            "{set}"
        );
        let expected = " Path=/api/auth; Max-Age=7776000; HttpOnly; Secure; SameSite=Strict";
        assert_eq!(attributes, expected);
    }
    assert_ne!(cookie(&registered), cookie(&signed_in));
}

#[tokio::test]
async fn a_device_keeps_its_cookie_and_gets_another_for_one_that_is_none() {
    let (_house, replica) = House::with_a_door().await;
    let held = cookie(&replica.registers(ALICE).await);
    let shows = async |shown: &str| {
        let signed_in = signs_in_with(&replica, (shown, HOME), ALICE, PASSWORD).await;
        cookie(&signed_in.status(200))
    };

    assert_eq!(shows(&held).await, held);
    assert_eq!(shows(&format!("theme=dark; souk_device=; {held}; x")).await, held);
    for none in ["souk_device=", "souk_device=AAAA", "souk_device", "other=AAAAAAAAAAAAAAAAAAAAAA"]
    {
        let given = shows(none).await;
        assert!(given.len() == held.len() && given != held, "{none}");
    }
}

#[tokio::test]
async fn whoever_hammers_an_account_does_not_keep_its_owners_device_out() {
    let (_house, one, other) = two_replicas().await;
    let held = cookie(&one.registers(ALICE).await);

    fails(&[&one, &other], ALICE, &elsewhere(1)).await;
    halts(&one, HOME).await;

    let _ = one.signs_in_from(&elsewhere(2), ALICE, PASSWORD).await.status(429);
    for (replica, from) in [(&one, HOME), (&other, &elsewhere(1)), (&one, &elsewhere(3))] {
        let _ = signs_in_with(replica, (&held, from), ALICE, PASSWORD).await.status(200);
    }
}

#[tokio::test]
async fn what_fails_on_a_known_device_counts_by_itself_and_is_told_as_elsewhere() {
    let (_house, one, other) = two_replicas().await;
    let held = cookie(&one.registers(ALICE).await);

    let known = fails_by(async |turn| {
        signs_in_with([&one, &other][turn % 2], (&held, HOME), ALICE, WRONG).await
    });
    let known = known.await;
    let stranger = fails(&[&one, &other], ALICE, HOME).await;

    assert_eq!((known, stranger), ((5, 1), (5, 1)));
    let known = signs_in_with(&one, (&held, HOME), ALICE, PASSWORD).await.status(429);
    let stranger = one.signs_in_from(HOME, ALICE, PASSWORD).await.status(429);
    assert_eq!(waiting(&known), waiting(&stranger));
}

#[tokio::test]
async fn many_at_once_are_as_many_on_a_known_device() {
    let (_house, one, other) = two_replicas().await;
    let held = cookie(&one.registers(ALICE).await);

    let tries =
        (0..24).map(|turn| signs_in_with([&one, &other][turn % 2], (&held, HOME), ALICE, WRONG));
    let statuses: Vec<_> = join_all(tries).await.iter().map(|answer| answer.status).collect();

    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
}

#[tokio::test]
async fn a_device_is_known_to_those_accounts_it_signed_in_to() {
    let (_house, one, _other) = two_replicas().await;
    one.registers(ALICE).await;
    let held = cookie(&one.registers(BOB).await);
    fails(&[&one], ALICE, &elsewhere(1)).await;

    let _ = signs_in_with(&one, (&held, HOME), ALICE, PASSWORD).await.status(429);
    let made_up = "souk_device=AAAAAAAAAAAAAAAAAAAAAA";
    let _ = signs_in_with(&one, (made_up, HOME), ALICE, PASSWORD).await.status(429);
    let _ = signs_in_with(&one, (&held, HOME), BOB, PASSWORD).await.status(200);
}

#[tokio::test]
async fn one_cookie_is_enough_for_all_who_share_a_device() {
    let (house, one, _other) = two_replicas().await;
    let held = cookie(&one.registers(ALICE).await);
    one.registers(BOB).await;
    let both = signs_in_with(&one, (&held, HOME), BOB, PASSWORD).await.status(200);
    assert_eq!(cookie(&both), held);

    for email in [ALICE, BOB] {
        fails(&[&one], email, &elsewhere(1)).await;
        house.clock.advance(Duration::from_millis(1));
        let _ = signs_in_with(&one, (&held, HOME), email, PASSWORD).await.status(200);
    }
}

#[tokio::test]
async fn a_device_is_forgotten_after_ninety_days() {
    let (house, one, _other) = two_replicas().await;
    let held = cookie(&one.registers(ALICE).await);

    house.clock.advance(Duration::from_hours(24 * 90));
    fails(&[&one], ALICE, &elsewhere(1)).await;

    let _ = signs_in_with(&one, (&held, HOME), ALICE, PASSWORD).await.status(429);
}

#[tokio::test]
async fn where_others_wait_too_nobody_learns_who_signed_in_from_there() {
    let (house, one, _other) = two_replicas().await;
    one.registers(ALICE).await;
    let _ = one.signs_in_from(HOME, ALICE, PASSWORD).await.status(200);
    halts(&one, HOME).await;
    let database = house.database().await;
    database.run_command(doc! { "profile": 2 }).await.unwrap();

    let known = one.signs_in_from(HOME, ALICE, WRONG).await.status(429);
    let of_known = commands(&house).await;
    let unknown = one.signs_in_from(HOME, NOBODY, WRONG).await.status(429);
    let of_both = commands(&house).await;

    database.run_command(doc! { "profile": 0 }).await.unwrap();
    assert!(known.header("ratelimit").unwrap().starts_with("\"sign-in-address\""));
    assert_eq!(waiting(&known), waiting(&unknown));
    for field in ["type", "title", "status", "detail", "errors"] {
        assert_eq!(known[field], unknown[field], "{field}");
    }
    let twice = of_known.iter().map(|(what, many)| (what.clone(), many * 2)).collect();
    assert_eq!(of_both, twice);
}

#[tokio::test]
async fn a_count_that_is_lost_keeps_nobody_out_who_is_in() {
    let (house, replica) = House::with_a_door().await;
    let refuses = doc! { "_id": { "$not": { "$regex": "^sign-in-familiar:" } } };
    let refuses = doc! { "collMod": "throttle", "validator": refuses };
    house.database().await.run_command(refuses).await.unwrap();

    let alice = replica.registers(ALICE).await;

    let _ = replica.me(&alice).await.status(200);
    let _ = replica.signs_in(ALICE, PASSWORD).await.status(200);
    assert!(!format!("{:?}", house.stored("throttle").await).contains("sign-in-familiar:"));
}
