//! What every replica hears.

use std::time::Duration;

use common::bus::{Broadcast, Trouble};
use testkit::eventually;
use tokio::time::timeout;

use super::stage::{Ear, SOON, Stage, letter, shipped, stock, tell};

#[tokio::test]
async fn every_replica_hears_it() {
    let stage = Stage::start().await;
    let ears = [Ear::new(), Ear::new()];
    let hear = |ear: &Ear| Broadcast::new_only(ear.clone()).on(Ear::shipped);
    let one = stage.cart(hear(&ears[0])).await;
    let two = stage.cart(hear(&ears[1])).await;
    one.consumers.caught_up().await;
    two.consumers.caught_up().await;

    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    for ear in &ears {
        ear.heard_times("a", 1).await;
    }
}

#[tokio::test]
async fn two_of_a_replica_may_listen_to_the_same() {
    let stage = Stage::start().await;
    let ears = [Ear::new(), Ear::new()];
    let hear = ears.iter().map(|ear| Broadcast::new_only(ear.clone()).on(Ear::shipped).into());
    let cart = stage.replica(stage.config("cart"), "g1", hear.collect()).await;
    cart.consumers.caught_up().await;
    let bus = stage.bus("order").await;

    for (tracking, sequence) in [("a", 1), ("b", 2), ("c", 3)] {
        tell(&bus, &shipped(1, tracking), sequence).await;
    }

    for ear in &ears {
        ear.heard_times("c", 1).await;
        assert_eq!(ear.heard(), ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn it_is_caught_up_when_it_heard_the_newest_of_everything() {
    let stage = Stage::start().await;
    let bus = stage.bus("product").await;
    for sequence in 1..=3_u32 {
        for sku in ["MUG", "CUP"] {
            let told = letter(&stock(sku, sequence), sequence.into());
            bus.publish_state(&told).await.unwrap();
        }
    }
    let ear = Ear::new();

    let cart = stage.cart(Broadcast::last_per_subject(ear.clone()).on(Ear::stock)).await;
    timeout(SOON, cart.consumers.caught_up()).await.unwrap();

    assert_eq!(ear.heard(), ["MUG 3", "CUP 3"]);
    assert!(cart.consumers.is_caught_up());
}

#[tokio::test]
async fn it_begins_where_it_is_told_to() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    tell(&bus, &shipped(1, "before"), 1).await;
    let (since, new) = (Ear::new(), Ear::new());

    let ago = Duration::from_hours(1);
    let one = stage.cart(Broadcast::since(ago, since.clone()).on(Ear::shipped)).await;
    let two = stage.cart(Broadcast::new_only(new.clone()).on(Ear::shipped)).await;
    one.consumers.caught_up().await;
    two.consumers.caught_up().await;
    tell(&bus, &shipped(1, "after"), 2).await;

    since.heard_times("after", 1).await;
    new.heard_times("after", 1).await;
    assert_eq!(since.heard(), ["before", "after"]);
    assert_eq!(new.heard(), ["after"]);
}

#[tokio::test]
async fn after_an_outage_it_goes_on_where_it_was() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let ear = Ear::new();
    let cart = stage.cart(Broadcast::new_only(ear.clone()).on(Ear::shipped)).await;
    cart.consumers.caught_up().await;

    let mut told = Vec::new();
    for round in 1..=3_u64 {
        for number in 0..20 {
            let tracking = format!("{round}-{number:02}");
            tell(&bus, &shipped(number, &tracking), round).await;
            told.push(tracking);
        }
        stage.nats.kill().await;
        stage.nats.restart().await.unwrap();
    }

    ear.heard_all(told.last().cloned()).await;
    assert_eq!(ear.heard(), told);
}

#[tokio::test]
async fn on_a_server_that_lost_everything_it_begins_anew() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let bus = stage.bus("product").await;
    for sequence in 1..=9_u32 {
        let told = letter(&stock("MUG", sequence), sequence.into());
        bus.publish_state(&told).await.unwrap();
    }
    let cart = stage.cart(Broadcast::last_per_subject(ear.clone()).on(Ear::stock)).await;
    cart.consumers.caught_up().await;

    stage.nats.wipe().await.unwrap();
    let told = letter(&stock("MUG", 10), 10);
    eventually("told", SOON, async || bus.publish_state(&told).await.ok()).await;

    ear.heard_times("MUG 10", 1).await;
}

#[tokio::test]
async fn what_cannot_be_heard_holds_up_nothing() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let ear = Ear::answering(|what, _| match what {
        "bad" => Err(Trouble::Retry("broken".to_owned())),
        _ => Ok(()),
    });
    let cart = stage.cart(Broadcast::new_only(ear.clone()).on(Ear::shipped)).await;
    cart.consumers.caught_up().await;

    tell(&bus, &shipped(1, "bad"), 1).await;
    tell(&bus, &shipped(1, "good"), 2).await;

    ear.heard_times("good", 1).await;
    assert_eq!(ear.heard(), ["bad", "good"]);
    cart.stop().ended().await;
}
