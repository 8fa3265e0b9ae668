//! The service is killed at every point between noting a movement of money and answering: there is
//! one movement, and one outcome.

use std::time::Duration;

use common::Clock;
use contracts::auth::Role;
use contracts::order::{RefundDue, RefundReason};
use contracts::payment::{Authorized, CaptureFailed, Captured, Refunded};
use contracts::{OrderId, PaymentId, RefundId, UserId};
use mongodb::bson::doc;
use serde_json::json;
use testkit::Request;

use crate::shipping::{at_shipping, cancelled, capture_due};
use crate::shop::{AMOUNT, Setup, Shop, eur, pay};

/// Where the service is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The movement is noted, and was not sent, or was lost on the way.
    Noted,
    /// The provider did it, and its answer did not come.
    Done,
    /// The outcome is recorded, and whoever asked has no answer.
    Recorded,
}

/// What moves money, or keeps it from moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Charge,
    Capture,
    Void,
    /// A refund that staff asks for.
    Refund,
    /// A refund that the order asks for.
    RefundDue,
}

const POINTS: [Point; 3] = [Point::Noted, Point::Done, Point::Recorded];
/// Whoever is killed waits for the provider as long as that.
const PATIENT: Duration = Duration::from_mins(1);

/// The method whose provider leaves the shop alone at this point.
fn method(effect: Effect, point: Point) -> String {
    let asking = match effect {
        Effect::Charge => "",
        Effect::Capture => "capture_",
        Effect::Void => "void_",
        Effect::Refund | Effect::RefundDue => "refund_",
    };
    match point {
        Point::Noted => format!("pm_sandbox_{asking}timeout_once"),
        Point::Done => format!("pm_sandbox_{asking}timeout_then_success"),
        Point::Recorded => "pm_card_visa".to_owned(),
    }
}

struct Case {
    effect: Effect,
    point: Point,
    shop: Shop,
    order: OrderId,
    staff: UserId,
}

impl Case {
    async fn open(effect: Effect, point: Point) -> Self {
        let setup = match effect {
            Effect::Charge | Effect::Refund | Effect::RefundDue => Setup::default(),
            Effect::Capture | Effect::Void => at_shipping(),
        };
        let shop = Shop::with(Setup { provider_timeout: PATIENT, ..setup }).await;
        let order = shop.order().await;
        let staff = UserId::from_uuid(Clock::system().uuid());
        let case = Self { effect, point, shop, order, staff };
        if effect != Effect::Charge {
            let _ = case.paying().await.status(201);
        }
        case
    }

    fn paying(&self) -> Request {
        pay(&self.shop.alice(), self.order, &method(self.effect, self.point), "k")
    }

    fn refunding(&self) -> Request {
        let path = format!("/api/payments/{}/refunds", PaymentId::of(self.order));
        let staff = self.shop.anyone(self.staff, Role::Staff);
        staff.post(path).json(&json!({ "reason": "broken" })).key("r")
    }

    fn refund_due(&self) -> RefundDue {
        RefundDue {
            order_id: self.order,
            payment_id: PaymentId::of(self.order),
            amount: eur(AMOUNT),
            refund_id: Some(RefundId::from_uuid(self.order.uuid())),
            reason: RefundReason::Cancelled,
        }
    }

    /// Begins it, and comes back when the point is reached.
    async fn begin(&self) {
        let peer = &self.shop.peer;
        match self.effect {
            Effect::Charge => self.ask(self.paying()).await,
            Effect::Refund => self.ask(self.refunding()).await,
            Effect::Capture => {
                peer.tell(&capture_due(self.order)).await;
                self.reached().await;
            }
            Effect::Void => {
                peer.tell(&cancelled(self.order)).await;
                self.reached().await;
            }
            Effect::RefundDue => {
                peer.tell(&self.refund_due()).await;
                self.reached().await;
            }
        }
    }

    async fn ask(&self, request: Request) {
        let asked = request.send();
        tokio::pin!(asked);
        tokio::select! {
            answer = &mut asked => assert_eq!(self.point, Point::Recorded, "{answer:?}"),
            () = self.reached() => {}
        }
    }

    async fn reached(&self) {
        if self.point == Point::Recorded {
            let id = PaymentId::of(self.order).to_string();
            let mut recorded = doc! { "_id": id, "look_at": null };
            recorded.extend(match self.effect {
                Effect::Charge | Effect::Capture => doc! { "attempts.state": "captured" },
                Effect::Void => doc! { "attempts.state": "declined" },
                Effect::Refund | Effect::RefundDue => doc! { "refunds.state": "done" },
            });
            self.shop.holds("payments", recorded).await;
        } else {
            let asking = match self.effect {
                Effect::Charge => "charge",
                Effect::Capture => "capture",
                Effect::Void => "call off",
                Effect::Refund | Effect::RefundDue => "refund",
            };
            let lost = doc! { "_id": { "$regex": format!("^{asking}:") } };
            self.shop.holds("sandbox_lost", lost).await;
        }
    }

    /// Kills the service, starts it anew, and asks again as a patient caller does.
    async fn killed(mut self) -> Self {
        self.begin().await;
        drop(self.shop.replicas.pop());
        self.shop.config.provider_timeout = Duration::from_millis(500);
        self.shop.start_replica().await;
        match self.effect {
            Effect::Charge => {
                let repeat = self.paying().await;
                assert!(matches!(repeat.status, 201 | 202), "{}", repeat.text);
            }
            Effect::Refund => {
                let repeat = self.refunding().await;
                assert!(matches!(repeat.status, 201 | 202), "{}", repeat.text);
            }
            Effect::Capture => drop(self.shop.peer.tell(&capture_due(self.order)).await),
            Effect::Void => drop(self.shop.peer.tell(&cancelled(self.order)).await),
            Effect::RefundDue => drop(self.shop.peer.tell(&self.refund_due()).await),
        }
        self
    }

    /// There was one charge, and it had one outcome.
    async fn ends_once(&self) {
        let (shop, order, id) = (&self.shop, self.order, PaymentId::of(self.order));
        let (status, charges, kept, refunds) = match self.effect {
            Effect::Charge | Effect::Capture => ("captured", 1, AMOUNT, 0),
            Effect::Void => ("declined", 0, 0, 0),
            Effect::Refund | Effect::RefundDue => ("refunded", 1, 0, 1),
        };
        shop.until(order, status).await;
        assert_eq!((shop.charges(order).await, shop.attempts(order).await.len()), (charges, 1));
        assert_eq!(shop.count("sandbox_charges", doc! {}).await, 1);
        assert_eq!(shop.count("sandbox_refunds", doc! {}).await, refunds);
        assert_eq!(shop.entered(order).await, kept);
        if charges == 1 {
            let _: Captured = shop.peer.hears(id).await;
        }
        if refunds == 1 {
            let _: Refunded = shop.peer.hears(id).await;
        }
        let told = |told: usize| u64::try_from(told).unwrap();
        assert_eq!(told(shop.peer.told::<Captured>(id).await.len()), charges);
        assert_eq!(told(shop.peer.told::<Refunded>(id).await.len()), refunds);
        assert!(shop.peer.told::<Authorized>(id).await.len() <= 1);
        assert!(shop.peer.told::<CaptureFailed>(id).await.is_empty());
        assert_eq!(shop.peer.dead_letters().await, 0);
    }
}

async fn at_every_point(effect: Effect) {
    for point in POINTS {
        let case = Case::open(effect, point).await.killed().await;

        case.ends_once().await;
    }
}

#[tokio::test]
async fn a_charge_is_one_wherever_the_service_is_killed() {
    at_every_point(Effect::Charge).await;
}

#[tokio::test]
async fn a_capture_is_one_wherever_the_service_is_killed() {
    at_every_point(Effect::Capture).await;
}

#[tokio::test]
async fn a_void_is_one_wherever_the_service_is_killed() {
    at_every_point(Effect::Void).await;
}

#[tokio::test]
async fn a_refund_of_staff_is_one_wherever_the_service_is_killed() {
    at_every_point(Effect::Refund).await;
}

#[tokio::test]
async fn a_refund_of_the_order_is_one_wherever_the_service_is_killed() {
    at_every_point(Effect::RefundDue).await;
}
