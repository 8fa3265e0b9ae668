//! Work and copies: every event is handled, by one replica, in the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::bus::{Copies, Fact, Handled, Trouble, Work};
use contracts::order;
use testkit::eventually;
use tokio::sync::Semaphore;

use super::stage::{Ear, SOON, Stage, delivered, order as order_id, shipped, stock, tell};

#[tokio::test]
async fn a_fact_is_handled_once_and_settled() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;

    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 1).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(ear.heard(), ["a"]);
}

#[tokio::test]
async fn facts_of_an_order_are_handled_in_their_order() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    for round in 0..20 {
        for number in 0..5 {
            tell(&bus, &shipped(number, &format!("{number}-{round:02}")), round + 1).await;
        }
    }
    let ear = Ear::new();

    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;

    eventually("all heard", SOON, async || (ear.heard().len() == 100).then_some(())).await;
    for number in 0..5 {
        let of_one = format!("{number}-");
        let heard = ear.heard();
        let rounds: Vec<_> = heard.iter().filter(|what| what.starts_with(&of_one)).collect();
        assert!(rounds.is_sorted(), "{rounds:?}");
    }
}

/// Lets an order pass only when it is asked to.
#[derive(Clone)]
struct Gate {
    ear: Ear,
    open: Arc<Semaphore>,
}

impl Gate {
    fn new() -> Self {
        Self { ear: Ear::new(), open: Arc::new(Semaphore::new(0)) }
    }

    /// Holds up what is told of order 1.
    async fn shipped(self, fact: Fact<order::Shipped>) -> Handled {
        if fact.event.order_id == order_id(1) {
            Ear::shipped(self.ear.clone(), fact.clone()).await?;
            self.open.acquire().await.expect("never closed").forget();
        }
        Ear::shipped(self.ear, fact).await
    }
}

#[tokio::test]
async fn an_order_that_takes_long_holds_up_no_other() {
    let stage = Stage::start().await;
    let gate = Gate::new();
    let _cart = stage.cart(Work::new("saga", gate.clone()).on(Gate::shipped)).await;
    let bus = stage.bus("order").await;

    tell(&bus, &shipped(1, "slow"), 1).await;
    tell(&bus, &shipped(1, "after slow"), 2).await;
    tell(&bus, &shipped(2, "quick"), 1).await;

    gate.ear.heard_times("quick", 1).await;
    assert_eq!(gate.ear.heard(), ["slow", "quick"]);
    gate.open.add_permits(2);
    gate.ear.heard_times("after slow", 2).await;
    stage.settled("ORDER", "cart-saga").await;
}

#[tokio::test]
async fn a_stop_finishes_what_is_begun_and_hands_back_the_rest() {
    let stage = Stage::start().await;
    let gate = Gate::new();
    let cart = stage.cart(Work::new("saga", gate.clone()).on(Gate::shipped)).await;
    let bus = stage.bus("order").await;
    tell(&bus, &shipped(1, "begun"), 1).await;
    tell(&bus, &shipped(1, "waiting"), 2).await;
    gate.ear.heard_times("begun", 1).await;

    let stopping = cart.stop();
    let (other, open) = (Gate::new(), 9);
    other.open.add_permits(open);
    let _other = stage.cart(Work::new("saga", other.clone()).on(Gate::shipped)).await;
    other.ear.heard_times("waiting", 2).await;
    assert!(!stopping.has_ended());
    gate.open.add_permits(1);
    stopping.ended().await;

    assert_eq!(gate.ear.heard(), ["begun", "begun"]);
    assert_eq!(other.ear.heard(), ["waiting", "waiting"]);
    stage.settled("ORDER", "cart-saga").await;
}

#[tokio::test]
async fn what_failed_comes_again() {
    let stage = Stage::start().await;
    let ear = Ear::answering(|_, times| match times {
        1 | 2 => Err(Trouble::Retry("not yet".to_owned())),
        _ => Ok(()),
    });
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;

    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 3).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(ear.heard().len(), 3);
}

/// Takes longer than the server waits for a word.
async fn ponder(ear: Ear, fact: Fact<order::Shipped>) -> Handled {
    let word = Duration::from_secs(2);
    tokio::time::sleep(word + word / 2).await;
    Ear::shipped(ear, fact).await
}

#[tokio::test]
async fn what_takes_long_is_not_given_to_another() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _one = stage.cart(Work::new("saga", ear.clone()).on(ponder)).await;
    let _two = stage.cart(Work::new("saga", ear.clone()).on(ponder)).await;

    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 1).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(ear.heard(), ["a"]);
}

#[tokio::test]
async fn two_replicas_share_the_work() {
    let stage = Stage::start().await;
    let gates = [Gate::new(), Gate::new()];
    let _one = stage.cart(Work::new("saga", gates[0].clone()).on(Gate::shipped)).await;
    let _two = stage.cart(Work::new("saga", gates[1].clone()).on(Gate::shipped)).await;
    let bus = stage.bus("order").await;
    stage.settled("ORDER", "cart-saga").await;

    // Each replica takes what it can hold of what cannot be finished yet.
    let mut told = BTreeSet::new();
    for round in 1..=200 {
        let tracking = format!("{round}");
        tell(&bus, &shipped(1, &tracking), round).await;
        told.insert(tracking);
    }
    eventually("both at it", SOON, async || {
        gates.iter().all(|gate| gate.ear.heard().len() == 1).then_some(())
    })
    .await;
    for gate in &gates {
        gate.open.add_permits(1_000);
    }

    stage.settled("ORDER", "cart-saga").await;
    let heard: Vec<_> = gates.iter().flat_map(|gate| gate.ear.heard()).collect();
    assert_eq!(heard.len(), 400, "each begun and ended once");
    assert_eq!(heard.into_iter().collect::<BTreeSet<_>>(), told);
}

#[tokio::test]
async fn a_newly_handled_type_is_heard_from_the_beginning() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let (old, new) = (Ear::new(), Ear::new());
    let before = stage.cart(Work::new("saga", old.clone()).on(Ear::shipped)).await;
    tell(&bus, &delivered(1), 1).await;
    tell(&bus, &shipped(2, "a"), 1).await;
    old.heard_times("a", 1).await;
    stage.settled("ORDER", "cart-saga").await;
    before.stop().ended().await;

    let work = Work::new("saga", new.clone()).on(Ear::shipped).on(Ear::delivered);
    let _cart = stage.cart(work).await;
    tell(&bus, &shipped(2, "b"), 2).await;

    new.heard_times("b", 1).await;
    new.heard_times(&format!("delivered {}", order_id(1)), 1).await;
    stage.settled("ORDER", "cart-saga").await;
    stage.settled("ORDER", "cart-saga-order-delivered-v1").await;
    assert_eq!(new.heard().len(), 2, "{:?}", new.heard());
}

#[tokio::test]
async fn work_of_one_name_may_be_declared_in_parts() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let ear = Ear::new();
    let parts = vec![
        Work::new("saga", ear.clone()).on(Ear::shipped).into(),
        Work::new("saga", ear.clone()).on(Ear::delivered).into(),
    ];
    let cart = stage.replica(stage.config("cart"), "g1", parts).await;

    tell(&bus, &shipped(1, "a"), 1).await;
    tell(&bus, &delivered(1), 2).await;

    ear.heard_all(["a".to_owned(), format!("delivered {}", order_id(1))]).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(cart.consumers.health().len(), 1);
}

#[tokio::test]
async fn a_type_that_a_replica_does_not_know_is_left_to_one_that_does() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    let (old, new) = (Ear::new(), Ear::new());
    let newer = || Work::new("saga", new.clone()).on(Ear::shipped).on(Ear::delivered);
    stage.settled_after(newer()).await;
    let _old = stage.cart(Work::new("saga", old.clone()).on(Ear::shipped)).await;

    tell(&bus, &delivered(1), 1).await;
    tell(&bus, &shipped(1, "a"), 2).await;
    old.heard_times("a", 1).await;
    eventually("refused by the old one", SOON, async || {
        let durable = stage.durable("ORDER", "cart-saga").await?;
        (durable.cached_info().num_redelivered > 0).then_some(())
    })
    .await;
    let _new = stage.cart(newer()).await;

    new.heard_times(&format!("delivered {}", order_id(1)), 1).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(old.heard(), ["a"]);
}

impl Stage {
    /// Lets a replica declare what it takes, and stop again.
    async fn settled_after(&self, work: Work<Ear>) {
        let replica = self.cart(work).await;
        self.settled("ORDER", "cart-saga").await;
        replica.stop().ended().await;
    }
}

#[tokio::test]
async fn copies_begin_at_the_newest_and_each_generation_anew() {
    let stage = Stage::start().await;
    let bus = stage.bus("product").await;
    for (available, sequence) in [(9, 1), (8, 2), (7, 3)] {
        bus.publish_state(&super::stage::letter(&stock("MUG", available), sequence)).await.unwrap();
    }
    let (first, second) = (Ear::new(), Ear::new());

    let copies = Copies::new(first.clone()).on(Ear::stock);
    let _first = stage.replica(stage.config("cart"), "g1", vec![copies.into()]).await;
    first.heard_times("MUG 7", 1).await;
    let copies = Copies::new(second.clone()).on(Ear::stock);
    let _second = stage.replica(stage.config("cart"), "g2", vec![copies.into()]).await;

    second.heard_times("MUG 7", 1).await;
    stage.settled("PRODUCT_STATE", "cart-copies-g1").await;
    stage.settled("PRODUCT_STATE", "cart-copies-g2").await;
    assert_eq!((first.heard().len(), second.heard().len()), (1, 1));
}

#[tokio::test]
async fn it_is_known_how_far_a_consumer_is() {
    let stage = Stage::start().await;
    let gate = Gate::new();
    let cart = stage.cart(Work::new("saga", gate.clone()).on(Gate::shipped)).await;
    let row = tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;
    gate.ear.heard_times("a", 1).await;

    let health = cart.consumers.health();

    assert_eq!(health.len(), 1);
    assert_eq!((health[0].durable.as_str(), health[0].stream.as_str()), ("cart-saga", "ORDER"));
    assert!(health[0].connected);
    assert!(health[0].oldest.is_some(), "{row:?} is not handled");
    gate.open.add_permits(1);
    stage.settled("ORDER", "cart-saga").await;
    eventually("nothing open", SOON, async || {
        cart.consumers.health()[0].oldest.is_none().then_some(())
    })
    .await;
}
