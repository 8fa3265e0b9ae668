//! The first administrator.

use auth::Config;
use serde_json::json;

use crate::house::{ALICE, House, PASSWORD};

fn appointing(house: &House, password: &str) -> Config {
    Config {
        admin_email: " Alice@example.com".into(),
        admin_password: password.into(),
        ..house.config()
    }
}

#[tokio::test]
async fn two_replicas_appoint_one_administrator() {
    let house = House::build().await;

    let config = || appointing(&house, PASSWORD);
    let (one, other) = tokio::join!(house.opens(config()), house.opens(config()));

    let signed_in = one.signs_in(ALICE, PASSWORD).await.status(200);
    assert_eq!(signed_in["user"]["role"], "admin");
    let _ = other.me(&signed_in).await.status(200);
    assert_eq!(house.stored("users").await.len(), 1);
}

#[tokio::test]
async fn an_administrator_who_is_there_is_left_alone() {
    let house = House::build().await;
    house.opens(appointing(&house, PASSWORD)).await.stops().await;
    let before = house.stored("users").await;

    let replica = house.opens(appointing(&house, "another password")).await;

    let _ = replica.signs_in(ALICE, PASSWORD).await.status(200);
    let _ = replica.signs_in(ALICE, "another password").await.status(401);
    assert_eq!(house.stored("users").await, before);
}

#[tokio::test]
async fn a_shopper_does_not_become_administrator() {
    let (house, replica) = House::with_a_door().await;
    replica.registers(ALICE).await;
    replica.stops().await;

    let replica = house.opens(appointing(&house, "another password")).await;

    let signed_in = replica.signs_in(ALICE, PASSWORD).await.status(200);
    assert_eq!(signed_in["user"]["role"], json!("shopper"));
}
