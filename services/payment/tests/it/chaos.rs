//! Real processes that are killed while they move money.

use std::time::{Duration, Instant};

use common::Clock;
use contracts::auth::Role;
use contracts::order::{PaymentDue, RefundDue};
use contracts::payment::{Captured, Refunded};
use contracts::{OrderId, PaymentId, UserId};
use testkit::fleet::{Options, Service};
use testkit::{Answer, Client, Fleet, Peer, World, eventually};
use tokio::time::timeout;

use crate::shop::{AMOUNT, eur, fresh_order, pay};

const ORDERS: usize = 60;
/// An event that a killed replica held comes again after half a minute.
const LONGEST: Duration = Duration::from_mins(2);
/// A replica lives at least about so long.
const TURN: Duration = Duration::from_secs(2);
const METHODS: [&str; 4] = [
    "pm_card_visa",
    "pm_sandbox_timeout_then_success",
    "pm_sandbox_timeout_once",
    "pm_sandbox_slow_success",
];

/// Repeats a request with the same key until it is answered for good, as a patient client does; with
/// another one when nothing came of it.
async fn patiently(client: &Client, order: OrderId, method: &str) -> Answer {
    let (until, mut keys) = (Instant::now() + LONGEST, 1);
    loop {
        let answer = pay(client, order, method, &format!("{order}:{keys}")).send().await;
        let said = match answer {
            Ok(answer) if answer["status"] == "captured" => return answer,
            Ok(answer) if answer["failure"] == "never_arrived" => {
                keys += 1;
                continue;
            }
            Ok(answer) => answer.text,
            Err(error) => error.to_string(),
        };
        assert!(Instant::now() < until, "{order} is not paid by {method}: {said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payment_comes_to_one_end_whoever_is_killed() {
    if !testkit::full() {
        return;
    }
    let world = World::start().await;
    let short = |options: Options| options.env(Service::Payment, "SOUK_PROVIDER_TIMEOUT", "500ms");
    let mut options = short(Options::default().replicas(2));
    options.services = vec![Service::Payment];
    let peer = Peer::join(&world).await;
    let (fleet, ()) = tokio::join!(Fleet::start(&world, options), peer.tell_keys());
    let alice = UserId::from_uuid(Clock::system().uuid());
    let client = fleet.client().with_token(peer.token(alice, Role::Shopper));
    let pay_by = Clock::system().now().plus(Duration::from_mins(15));
    let orders: Vec<OrderId> = (0..ORDERS).map(|_| fresh_order()).collect();
    for order_id in &orders {
        let order_id = *order_id;
        let due = PaymentDue { order_id, customer: alice, amount: eur(AMOUNT), pay_by };
        peer.tell(&due).await;
    }

    let mut paying = tokio::task::JoinSet::new();
    for (order, method) in orders.iter().copied().zip(METHODS.into_iter().cycle()) {
        let client = client.clone();
        paying.spawn(async move { patiently(&client, order, method).await });
    }
    let mut turn = 0;
    while !paying.is_empty() {
        fleet.kill(Service::Payment, turn % 2).await;
        fleet.restart(Service::Payment, turn % 2).await.unwrap();
        turn += 1;
        // Whoever is left gets something done, or has had the time for it.
        if let Ok(Some(paid)) = timeout(TURN, paying.join_next()).await {
            assert_eq!(paid.unwrap()["status"], "captured");
        }
        while let Some(paid) = paying.try_join_next() {
            assert_eq!(paid.unwrap()["status"], "captured");
        }
    }

    for order in &orders {
        let (order_id, payment_id) = (*order, PaymentId::of(*order));
        peer.tell(&RefundDue { order_id, payment_id, amount: eur(AMOUNT) }).await;
    }
    fleet.kill(Service::Payment, 0).await;
    fleet.restart(Service::Payment, 0).await.unwrap();
    for order in &orders {
        let id = PaymentId::of(*order);
        let told = eventually("the refund is told", LONGEST, async || {
            Some(peer.told::<Refunded>(id).await).filter(|told| !told.is_empty())
        });
        assert_eq!(told.await.iter().map(|told| told.remaining).collect::<Vec<_>>(), [eur(0)]);
        assert_eq!(peer.told::<Captured>(id).await.len(), 1);
        let read = client.get(format!("/api/payments/{id}")).await.status(200);
        assert_eq!(read["status"], "refunded");
        assert_eq!(read["refunds"].as_array().map(Vec::len), Some(1));
    }
    assert!(turn > 2, "nobody was killed");
    assert_eq!(peer.dead_letters().await, 0);
}
