//! Telling facts and state.

use common::bus::{PublishError, Published};
use futures_util::future::join_all;

use super::stage::{Stage, letter, shipped, stock};

const STATE: &str = "PRODUCT_STATE";
const MUG: &str = "product.stock.v1.MUG";

#[tokio::test]
async fn a_fact_told_twice_is_one() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let row = letter(&shipped(1, "a"), 1);

    bus.publish_fact(&row).await.unwrap();
    bus.publish_fact(&row).await.unwrap();

    assert_eq!(stage.messages("ORDER", 1).await.len(), 1);
    assert_eq!(bus.last_sequence("ORDER", &row.nats_subject).await, Ok(Some(1)));
}

#[tokio::test]
async fn many_facts_are_on_their_way_at_once() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let rows: Vec<_> = (0..256).map(|number| letter(&shipped(number, "a"), 1)).collect();

    let told = join_all(rows.iter().map(|row| bus.publish_fact(row))).await;

    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(stage.messages("ORDER", 256).await.len(), 256);
}

#[tokio::test]
async fn an_old_state_never_takes_the_place_of_a_newer_one() {
    let stage = Stage::start().await;
    let (one, two) = (stage.bus("product").await, stage.bus("product").await);
    let old = letter(&stock("MUG", 9), 1);

    assert_eq!(one.publish_state(&old).await, Ok(Published::Told));
    assert_eq!(two.publish_state(&letter(&stock("MUG", 7), 3)).await, Ok(Published::Told));
    // By one that remembers the old, by one that remembers the new, and by one that is new.
    assert_eq!(one.publish_state(&letter(&stock("MUG", 8), 2)).await, Ok(Published::Older));
    assert_eq!(two.publish_state(&letter(&stock("MUG", 8), 2)).await, Ok(Published::Older));
    assert_eq!(two.publish_state(&old).await, Ok(Published::Older));
    assert_eq!(stage.bus("product").await.publish_state(&old).await, Ok(Published::Older));
    assert_eq!(one.publish_state(&letter(&stock("MUG", 6), 4)).await, Ok(Published::Told));

    assert_eq!(two.last_sequence(STATE, MUG).await, Ok(Some(4)));
    assert_eq!(stage.messages(STATE, 1).await.len(), 1);
}

#[tokio::test]
async fn a_state_told_twice_is_told() {
    let stage = Stage::start().await;
    let row = letter(&stock("MUG", 9), 1);

    for _ in 0..2 {
        let bus = stage.bus("product").await;
        assert_eq!(bus.publish_state(&row).await, Ok(Published::Told));
        assert_eq!(bus.publish_state(&row).await, Ok(Published::Told));
    }
}

#[tokio::test]
async fn a_state_that_was_lost_is_not_taken_for_told() {
    let stage = Stage::start().await;
    let bus = stage.bus("product").await;
    let row = letter(&stock("MUG", 9), 1);
    bus.publish_state(&row).await.unwrap();
    let stream = stage.jetstream().await.get_stream(STATE).await.unwrap();
    stream.purge().await.unwrap();
    assert_eq!(bus.last_sequence(STATE, MUG).await, Ok(None));

    let told = bus.publish_state(&row).await;

    assert_eq!(told, Ok(Published::Told));
    assert_eq!(bus.last_sequence(STATE, MUG).await, Ok(Some(1)));
}

#[tokio::test]
async fn the_newest_stays_whoever_is_faster() {
    let stage = Stage::start().await;
    let buses = [stage.bus("product").await, stage.bus("product").await];

    for round in 0..20_u32 {
        let [one, two] = [round * 2 + 1, round * 2 + 2]
            .map(|sequence| letter(&stock("MUG", sequence), sequence.into()));
        let (one, two) = tokio::join!(buses[0].publish_state(&one), buses[1].publish_state(&two));
        assert!(one.is_ok() && two == Ok(Published::Told), "{one:?} {two:?}");
    }

    assert_eq!(buses[0].last_sequence(STATE, MUG).await, Ok(Some(40)));
}

#[tokio::test]
async fn without_a_server_nothing_is_told() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    stage.nats.kill().await;
    let row = letter(&shipped(1, "a"), 1);

    let told = bus.publish_fact(&row).await;

    let expected = [
        PublishError::NotConnected { subject: row.nats_subject.clone() },
        PublishError::Timeout { subject: row.nats_subject.clone() },
    ];
    assert!(expected.contains(&told.unwrap_err()));
}
