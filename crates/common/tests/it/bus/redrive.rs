//! Dead letters that are handled anew.

use common::bus::{Bus, DeadLetter, DeadLetters, RedriveError, Subscription, Trouble, Work};

use super::stage::{Ear, SOON, Stage, letter, shipped, tell};

fn saga(ear: &Ear) -> Vec<Subscription> {
    vec![Work::new("saga", ear.clone()).on(Ear::shipped).into()]
}

/// Rejects everything at first.
fn mistaken() -> Ear {
    Ear::answering(|_, times| match times {
        1 => Err(Trouble::Reject("a mistake".to_owned())),
        _ => Ok(()),
    })
}

/// Goes through what is dead.
async fn opened(bus: &Bus, ear: &Ear) -> (DeadLetters, Vec<DeadLetter>) {
    bus.declare(&[], "g1").await.unwrap();
    let mut letters = bus.dead_letters(&saga(ear)).await.unwrap();
    let taken = letters.take().await.unwrap();
    (letters, taken)
}

async fn rests(stage: &Stage, count: u64) {
    let jetstream = stage.jetstream().await;
    testkit::eventually("so many dead letters", SOON, async || {
        let dead = jetstream.get_stream("DEAD").await.ok()?;
        (dead.cached_info().state.messages == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_dead_letter_is_handled_anew_and_rests_no_more() {
    let (stage, ear) = (Stage::start().await, mistaken());
    let cart = stage.replica(stage.config("cart"), "g1", saga(&ear)).await;
    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;
    rests(&stage, 1).await;

    let (mut letters, mut taken) = opened(&cart.bus, &ear).await;
    letters.redrive(taken.remove(0)).await.unwrap();

    assert_eq!(letters.put_back().await.unwrap(), 0);
    rests(&stage, 0).await;
    assert_eq!(ear.heard(), ["a", "a"]);
    assert!(opened(&cart.bus, &ear).await.1.is_empty());
}

#[tokio::test]
async fn a_letter_says_what_died_and_why_but_not_what_it_tells() {
    let (stage, ear) = (Stage::start().await, mistaken());
    let cart = stage.replica(stage.config("cart"), "g1", saga(&ear)).await;
    let bus = stage.bus("order").await;
    let row = tell(&bus, &shipped(1, "tracking"), 1).await;
    rests(&stage, 1).await;
    let mut garbage = letter(&shipped(2, "a"), 1);
    garbage.payload = "{\"secret\": 1}".into();
    bus.publish_fact(&garbage).await.unwrap();
    rests(&stage, 2).await;

    let (_letters, taken) = opened(&cart.bus, &ear).await;

    let lines: Vec<_> = taken.iter().map(ToString::to_string).collect();
    let (event_type, subject) = row.nats_subject.rsplit_once('.').unwrap();
    let first = format!(" cart-saga {event_type} {} {subject}: a mistake", row.id);
    assert!(lines[0].ends_with(&first), "{lines:?}");
    assert!(lines[1].contains(" cart-saga order.shipped.v1 - ord_"), "{lines:?}");
    assert!(!lines.concat().contains("tracking") && !lines.concat().contains("secret"));
}

#[tokio::test]
async fn what_fails_again_stays_dead() {
    let stage = Stage::start().await;
    let ear = Ear::answering(|_, _| Err(Trouble::Reject("broken".to_owned())));
    let cart = stage.replica(stage.config("cart"), "g1", saga(&ear)).await;
    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;
    rests(&stage, 1).await;

    let (mut letters, mut taken) = opened(&cart.bus, &ear).await;
    let failed = letters.redrive(taken.remove(0)).await;
    letters.put_back().await.unwrap();

    assert!(matches!(failed, Err(RedriveError::Trouble(Trouble::Reject(_)))), "{failed:?}");
    assert_eq!(opened(&cart.bus, &ear).await.1.len(), 1);
    assert_eq!(ear.heard().len(), 2);
}

#[tokio::test]
async fn two_who_redrive_at_once_do_not_get_the_same() {
    let (stage, ear) = (Stage::start().await, mistaken());
    let cart = stage.replica(stage.config("cart"), "g1", saga(&ear)).await;
    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;
    rests(&stage, 1).await;

    let (mut one, mut taken) = opened(&cart.bus, &ear).await;
    let (other, nothing) = opened(&cart.bus, &ear).await;

    assert!(nothing.is_empty());
    assert_eq!(other.put_back().await.unwrap(), 1);
    one.keep(taken.remove(0));
    assert_eq!(one.put_back().await.unwrap(), 0);
    assert_eq!(opened(&cart.bus, &ear).await.1.len(), 1);
}

#[tokio::test]
async fn a_service_gets_its_own_letters_only() {
    let (stage, ear) = (Stage::start().await, mistaken());
    let _cart = stage.replica(stage.config("cart"), "g1", saga(&ear)).await;
    let order = stage.bus("order").await;
    tell(&order, &shipped(1, "a"), 1).await;
    rests(&stage, 1).await;

    assert!(opened(&order, &ear).await.1.is_empty());
}
