//! Real processes that are killed while they move money.

use std::time::{Duration, Instant};

use common::Clock;
use contracts::auth::Role;
use contracts::order::{PaymentDue, RefundDue, RefundReason};
use contracts::payment::{Authorized, CaptureFailed, Captured, Refunded};
use contracts::{OrderId, PaymentId, RefundId, UserId};
use testkit::fleet::{Options, Service};
use testkit::{Answer, Client, Fleet, Peer, World, eventually};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::shipping::{cancelled, capture_due};
use crate::shop::{AMOUNT, eur, fresh_order, pay};

const ORDERS: usize = 60;
/// An event that a killed replica held comes again after half a minute.
const LONGEST: Duration = Duration::from_mins(2);
/// A replica lives at least about so long.
const TURN: Duration = Duration::from_secs(2);
const METHODS: [&str; 6] = [
    "pm_card_visa",
    "pm_sandbox_timeout_then_success",
    "pm_sandbox_timeout_once",
    "pm_sandbox_slow_success",
    "pm_sandbox_refund_timeout_then_success",
    "pm_sandbox_refund_timeout_once",
];
/// What is promised first.
const PROMISED: [&str; 5] = [
    "pm_card_visa",
    "pm_sandbox_capture_timeout_then_success",
    "pm_sandbox_capture_timeout_once",
    "pm_sandbox_void_timeout_then_success",
    "pm_sandbox_void_timeout_once",
];

/// How a payment is answered that is as good as made.
const PAID: [&str; 2] = ["captured", "authorized"];

/// Repeats a request with the same key until it is answered for good, as a patient client does; with
/// another one when nothing came of it.
async fn patiently(client: &Client, order: OrderId, method: &str) -> Answer {
    let (until, mut keys) = (Instant::now() + LONGEST, 1);
    loop {
        let answer = pay(client, order, method, &format!("{order}:{keys}")).send().await;
        let said = match answer {
            Ok(answer) if is_paid(&answer) => return answer,
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

fn is_paid(answer: &Answer) -> bool {
    answer["status"].as_str().is_some_and(|status| PAID.contains(&status))
}

/// The fleet under test: payment alone, and everybody else as a peer.
struct Shop {
    /// Ends with the shop.
    _world: World,
    fleet: Fleet,
    peer: Peer,
    client: Client,
    orders: Vec<OrderId>,
}

impl Shop {
    async fn open(capture: &str) -> Self {
        let world = World::start().await;
        let mut options = Options::default().replicas(2);
        options.services = vec![Service::Payment];
        let options = options.env(Service::Payment, "SOUK_PROVIDER_TIMEOUT", "500ms").env(
            Service::Payment,
            "SOUK_CAPTURE",
            capture,
        );
        let peer = Peer::join(&world).await;
        let (fleet, ()) = tokio::join!(Fleet::start(&world, options), peer.tell_keys());
        let customer = UserId::from_uuid(Clock::system().uuid());
        let client = fleet.client().with_token(peer.token(customer, Role::Shopper));
        let pay_by = Clock::system().now().plus(Duration::from_mins(15));
        let orders: Vec<OrderId> = (0..ORDERS).map(|_| fresh_order()).collect();
        for &order_id in &orders {
            peer.tell(&PaymentDue { order_id, customer, amount: eur(AMOUNT), pay_by }).await;
        }
        Self { _world: world, fleet, peer, client, orders }
    }

    async fn kill(&self, replica: usize) {
        self.fleet.kill(Service::Payment, replica).await;
        self.fleet.restart(Service::Payment, replica).await.unwrap();
    }

    /// All pay while one replica after the other is killed.
    async fn pay(&self, methods: &[&'static str]) {
        let mut paying = JoinSet::new();
        for (order, &method) in self.orders.iter().copied().zip(methods.iter().cycle()) {
            let client = self.client.clone();
            paying.spawn(async move { patiently(&client, order, method).await });
        }
        for replica in [0, 1].into_iter().cycle() {
            self.kill(replica).await;
            // Whoever is left gets something done, or has had the time for it.
            match timeout(TURN, paying.join_next()).await {
                Ok(None) => break,
                Ok(Some(paid)) => assert!(is_paid(&paid.unwrap())),
                Err(_) => {}
            }
            while let Some(paid) = paying.try_join_next() {
                assert!(is_paid(&paid.unwrap()));
            }
        }
    }

    /// What was promised came once, or never.
    async fn is_settled(&self, order: OrderId, status: &str) {
        let id = PaymentId::of(order);
        eventually("the promise ends", LONGEST, async || {
            let read = self.client.get(format!("/api/payments/{id}")).await.status(200);
            (read["status"] == status).then_some(())
        })
        .await;
        assert_eq!(self.peer.told::<Authorized>(id).await.len(), 1);
        assert!(self.peer.told::<CaptureFailed>(id).await.is_empty());
    }

    async fn is_refunded(&self, order: OrderId) {
        let id = PaymentId::of(order);
        let told = eventually("the refund is told", LONGEST, async || {
            Some(self.peer.told::<Refunded>(id).await).filter(|told| !told.is_empty())
        });
        assert_eq!(told.await.iter().map(|told| told.remaining).collect::<Vec<_>>(), [eur(0)]);
        assert_eq!(self.peer.told::<Captured>(id).await.len(), 1);
        let read = self.client.get(format!("/api/payments/{id}")).await.status(200);
        assert_eq!(read["status"], "refunded");
        assert_eq!(read["refunds"].as_array().map(Vec::len), Some(1));
    }
}

fn refund_due(order_id: OrderId) -> RefundDue {
    RefundDue {
        order_id,
        payment_id: PaymentId::of(order_id),
        amount: eur(AMOUNT),
        refund_id: Some(RefundId::from_uuid(order_id.uuid())),
        reason: RefundReason::Cancelled,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_comes_to_one_end_whoever_is_killed() {
    if !testkit::full() {
        return;
    }
    let shop = Shop::open("at_shipping").await;
    let (shipped, given_up) = shop.orders.split_at(ORDERS / 2);

    shop.pay(&PROMISED).await;
    for (&shipped, &given_up) in shipped.iter().zip(given_up) {
        shop.peer.tell(&capture_due(shipped)).await;
        shop.peer.tell(&cancelled(given_up)).await;
    }
    shop.kill(0).await;
    shop.kill(1).await;
    for &order in given_up {
        shop.is_settled(order, "declined").await;
    }
    for &order in shipped {
        shop.is_settled(order, "captured").await;
        shop.peer.tell(&refund_due(order)).await;
    }

    for &order in shipped {
        shop.is_refunded(order).await;
    }
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payment_comes_to_one_end_whoever_is_killed() {
    if !testkit::full() {
        return;
    }
    let shop = Shop::open("at_once").await;

    shop.pay(&METHODS).await;
    for &order in &shop.orders {
        shop.peer.tell(&refund_due(order)).await;
    }
    shop.kill(0).await;

    for &order in &shop.orders {
        shop.is_refunded(order).await;
    }
    assert_eq!(shop.peer.dead_letters().await, 0);
}
