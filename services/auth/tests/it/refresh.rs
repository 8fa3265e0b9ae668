//! How one token follows another.

use std::collections::HashSet;
use std::time::Duration;

use contracts::auth::SessionRevoked;
use futures_util::future::join_all;
use serde_json::json;

use crate::house::{ALICE, House, session_of};

#[tokio::test]
async fn a_token_is_exchanged_for_the_next() {
    let (house, replica) = House::with_a_door().await;
    let mut held = replica.registers(ALICE).await;
    let (first, user) = (session_of(&held), held["user"].clone());

    for _ in 0..3 {
        let next = replica.refreshes(&held).await.status(200);
        assert_ne!(next["refresh_token"], held["refresh_token"]);
        assert_eq!((session_of(&next), &next["user"]), (first.clone(), &user));
        assert_eq!(next.header("cache-control"), Some("no-store"));
        let _ = replica.me(&next).await.status(200);
        held = next;
    }

    assert!(house.peer.told::<SessionRevoked>(&first).await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let held = one.registers(ALICE).await;
    let lost = one.refreshes(&held).await.status(200);

    house.clock.advance(Duration::from_secs(29));
    let again = other.refreshes(&held).await.status(200);

    assert_eq!(again["refresh_token"], lost["refresh_token"]);
    let _ = other.me(&again).await.status(200);
    let next = one.refreshes(&again).await.status(200);
    assert_ne!(next["refresh_token"], again["refresh_token"]);
}

#[tokio::test]
async fn many_who_ask_at_once_get_the_same() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let held = one.registers(ALICE).await;

    let asked = (0..16).map(|turn| [&one, &other][turn % 2].refreshes(&held));
    let answers = join_all(asked).await;

    let given: HashSet<_> = answers.iter().map(|answer| answer.text_of("refresh_token")).collect();
    assert_eq!(given.len(), 1);
    let _ = one.refreshes(&answers[0]).await.status(200);
}

#[tokio::test]
async fn a_token_that_is_used_again_later_ends_the_sign_in() {
    let (house, one) = House::with_a_door().await;
    let other = house.opens(house.config()).await;
    let held = one.registers(ALICE).await;
    let next = one.refreshes(&held).await.status(200);

    house.clock.advance(Duration::from_secs(31));
    let stolen = one.refreshes(&held).await.status(401);

    assert_eq!(stolen["type"], "urn:souk:problem:unauthorized");
    let told = house.hears_the_end_of(&session_of(&held)).await;
    assert_eq!(told.revoked_at, house.clock.now());
    let _ = one.me(&next).await.status(401);
    let _ = one.refreshes(&next).await.status(401);
    other.refuses(&next).await;
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_the_sign_in() {
    let (house, replica) = House::with_a_door().await;
    let first = replica.registers(ALICE).await;
    let second = replica.refreshes(&first).await.status(200);
    let third = replica.refreshes(&second).await.status(200);

    let _ = replica.refreshes(&first).await.status(401);

    house.hears_the_end_of(&session_of(&first)).await;
    let _ = replica.refreshes(&third).await.status(401);
    let _ = replica.me(&third).await.status(401);
}

#[tokio::test]
async fn what_somebody_made_up_ends_nothing() {
    let (house, replica) = House::with_a_door().await;
    let held = replica.registers(ALICE).await;
    let (session, other) = (session_of(&held), replica.registers("bob@example.com").await);
    let (_, others_secret) = other["refresh_token"].as_str().unwrap().split_once('.').unwrap();

    for forged in [
        format!("{session}.{}", "A".repeat(64)),
        format!("{session}.{others_secret}"),
        format!("{session}."),
        session.clone(),
        "ses_00000000000000000000000000000000.".to_owned() + others_secret,
        String::new(),
        "x".repeat(10_000),
    ] {
        let token = json!({ "refresh_token": forged });
        let _ = replica.door().post("/api/auth/refresh").json(&token).await.status(401);
    }

    let _ = replica.refreshes(&held).await.status(200);
    assert!(house.peer.told::<SessionRevoked>(&session).await.is_empty());
}

#[tokio::test]
async fn a_sign_in_lasts_thirty_days() {
    let (house, replica) = House::with_a_door().await;
    let held = replica.registers(ALICE).await;

    house.clock.advance(Duration::from_hours(24 * 30 - 1));
    let last = replica.refreshes(&held).await.status(200);
    house.clock.advance(Duration::from_hours(1));

    let _ = replica.refreshes(&last).await.status(401);
}
