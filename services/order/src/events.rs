//! The saga of an order: what it does when the others have spoken, and when its time is up.
//!
//! Read in order it is the way of an order from the cart to the doorstep, and then what can come in
//! between. What each step comes to is the order's own to say: see [`Order`](crate::domain::Order).

use common::bus::{Broadcast, Copies, Fact, Handled, Trouble, Work};
use common::store::{Cause, MayBeAway as _, Receipt, StoreError, UpdateError};
use contracts::{Event, OrderId, Timestamp, auth, cart, order, payment, product};
use futures_util::StreamExt as _;
use tracing::warn;

use crate::domain::{Back, Merged, NotBack, Order, Outcome, Promise, Refusal};
use crate::store::Orders;

/// How many orders whose time is up are seen to at once.
const AT_ONCE: usize = 64;

/// Hears what the others did, and takes each order further.
pub(crate) fn saga(orders: Orders) -> Work<Orders> {
    Work::new("saga", orders)
        .on(cart_checked_out)
        .on(goods_reserved)
        .on(attempt_started)
        .on(money_captured)
        .on(goods_refused)
        .on(commit_refused)
        .on(money_refunded)
        .on(reservation_overdue)
        .on(money_promised)
        .on(promise_broken)
        .on(refund_failed)
}

// From cart to doorstep

async fn cart_checked_out(orders: Orders, fact: Fact<cart::CheckedOut>) -> Handled {
    let receipt = fact.receipt();
    orders.begin(fact.event, receipt).await.map_err(trouble)
}

async fn goods_reserved(orders: Orders, fact: Fact<product::Reserved>) -> Handled {
    let (round, terms) = (fact.event.round, orders.terms);
    let reserve = move |order: Order, now| Ok(order.reserve(round, now, &terms));
    orders.step(fact.event.order_id, fact.receipt(), reserve).await.map_err(trouble)
}

async fn attempt_started(orders: Orders, fact: Fact<payment::AttemptStarted>) -> Handled {
    let terms = orders.terms;
    let wait = move |order: Order, now| Ok(order.await_attempt(now, &terms));
    orders.step(fact.event.order_id, fact.receipt(), wait).await.map_err(trouble)
}

async fn money_captured(orders: Orders, fact: Fact<payment::Captured>) -> Handled {
    let (by, amount) = (fact.event.attempt_id, fact.event.amount);
    let capture = move |order: Order, now| order.capture(by, amount, now);
    orders.step(fact.event.order_id, fact.receipt(), capture).await.map_err(trouble)
}

async fn money_promised(orders: Orders, fact: Fact<payment::Authorized>) -> Handled {
    let payment::Authorized { attempt_id: by, amount, capture_by, .. } = fact.event;
    let promise = Promise { amount, capture_by };
    let authorize = move |order: Order, now| order.authorize(by, promise, now);
    orders.step(fact.event.order_id, fact.receipt(), authorize).await.map_err(trouble)
}

/// The days of return have passed.
pub(crate) async fn complete_kept(orders: Orders) -> Result<(), StoreError> {
    let terms = orders.terms;
    let kept = orders.kept().await?;
    each(&orders, kept, "returns", move |order, now| Ok(order.complete(now, &terms))).await;
    Ok(())
}

// What can come in between

async fn goods_refused(orders: Orders, fact: Fact<product::Refused>) -> Handled {
    let round = fact.event.round;
    let refuse = move |order: Order, now| Ok(order.refuse(round, now));
    orders.step(fact.event.order_id, fact.receipt(), refuse).await.map_err(trouble)
}

/// Nobody said whether the goods are there.
pub(crate) async fn ask_again(orders: Orders) -> Result<(), StoreError> {
    let terms = orders.terms;
    let unanswered = orders.unanswered().await?;
    each(&orders, unanswered, "goods", move |order, now| Ok(order.ask_again(now, &terms))).await;
    Ok(())
}

/// Nobody paid in time.
pub(crate) async fn expire_unpaid(orders: Orders) -> Result<(), StoreError> {
    let unpaid = orders.unpaid().await?;
    each(&orders, unpaid, "pay_by", |order, now| Ok(order.expire(now))).await;
    Ok(())
}

async fn commit_refused(orders: Orders, fact: Fact<product::CommitRefused>) -> Handled {
    let refuse = |order: Order, now| Ok(order.refuse_commit(now));
    orders.step(fact.event.order_id, fact.receipt(), refuse).await.map_err(trouble)
}

async fn money_refunded(orders: Orders, fact: Fact<payment::Refunded>) -> Handled {
    let payment::Refunded { refund_id: by, amount, remaining, cause, .. } = fact.event;
    let back = Back { amount, remaining, cause };
    let refunded = move |order: Order, now| order.refunded(by, back, now);
    orders.step(fact.event.order_id, fact.receipt(), refunded).await.map_err(trouble)
}

async fn promise_broken(orders: Orders, fact: Fact<payment::CaptureFailed>) -> Handled {
    let by = fact.event.attempt_id;
    let fail = move |order: Order, now| Ok(order.fail_capture(by, now));
    orders.step(fact.event.order_id, fact.receipt(), fail).await.map_err(trouble)
}

async fn refund_failed(orders: Orders, fact: Fact<payment::RefundFailed>) -> Handled {
    let payment::RefundFailed { refund_id: by, amount, failure, cause, .. } = fact.event;
    let not_back = NotBack { amount, failure, cause };
    let fail = move |order: Order, now| Ok(order.refund_failed(by, not_back, now));
    orders.step(fact.event.order_id, fact.receipt(), fail).await.map_err(trouble)
}

async fn reservation_overdue(orders: Orders, fact: Fact<product::ReservationOverdue>) -> Handled {
    let answer = |order: Order, now| Ok(order.answer_overdue(now));
    orders.step(fact.event.order_id, fact.receipt(), answer).await.map_err(trouble)
}

// Beside the saga

/// Keeps what order has to know of the others: who a guest turned out to be.
pub(crate) fn copies(orders: Orders) -> Copies<Orders> {
    Copies::new(orders).on(guest_merged)
}

async fn guest_merged(orders: Orders, fact: Fact<auth::GuestMerged>) -> Handled {
    let auth::GuestMerged { guest_id, user_id } = fact.event;
    let merged = Merged { guest: guest_id, account: user_id, followed: false };
    orders.merge(&merged, fact.sequence()).await.map_err(trouble)
}

/// Moves the orders of merged guests to their accounts, where that did not happen on the event.
pub(crate) async fn follow_guests(orders: Orders) -> Result<(), StoreError> {
    for guest in orders.unfollowed().await? {
        if let Err(error) = orders.follow_guest(guest).await {
            warn!(user.id = %guest, %error, "the orders of a merged guest were not moved");
            orders.resting.failed(&guest, orders.clock().now());
        }
    }
    Ok(())
}

/// Wakes those who wait for an order, whichever replica changed it.
pub(crate) fn wakeups(orders: Orders) -> Broadcast<Orders> {
    Broadcast::new_only(orders)
        .on(wake::<order::Placed>)
        .on(wake::<order::PaymentDue>)
        .on(wake::<order::PayByExtended>)
        .on(wake::<order::Paid>)
        .on(wake::<order::Shipped>)
        .on(wake::<order::TrackingCorrected>)
        .on(wake::<order::Delivered>)
        .on(wake::<order::Completed>)
        .on(wake::<order::Cancelled>)
        .on(wake::<order::Expired>)
        .on(wake::<order::RefundDue>)
        .on(wake::<order::Refunded>)
        .on(wake::<order::CaptureDue>)
        .on(wake::<order::RestockDue>)
        .on(wake::<order::ReturnRequested>)
        .on(wake::<order::ReturnApproved>)
        .on(wake::<order::ReturnRejected>)
        .on(wake::<order::ReturnReceived>)
        .on(wake::<order::AddressChanged>)
}

async fn wake<E: Event>(orders: Orders, fact: Fact<E>) -> Handled {
    orders.wake(&fact.event.subject());
    Ok(())
}

/// Takes each of these orders a step further, for which it is time. One that fails rests for a while.
async fn each(
    orders: &Orders,
    due: Vec<OrderId>,
    what: &str,
    step: impl Fn(Order, Timestamp) -> Outcome + Clone + Send + 'static,
) {
    let step = async |id| {
        let receipt = Receipt::none(Cause::own(what, orders.clock()));
        match orders.step(id, receipt, step.clone()).await {
            Ok(()) => orders.resting.succeeded(&id),
            Err(error) => {
                warn!(order.id = %id, %error, what, "an order whose time is up stays as it is");
                if !error.is_away() {
                    orders.resting.failed(&id, orders.clock().now());
                }
            }
        }
    };
    futures_util::stream::iter(due).for_each_concurrent(AT_ONCE, step).await;
}

/// What came before what it builds on comes again; what contradicts is for a person to judge.
fn trouble(error: UpdateError<Refusal>) -> Trouble {
    match error {
        UpdateError::Refused(
            early @ (Refusal::Unknown | Refusal::NotYetKnown | Refusal::NotCaptured),
        ) => Trouble::Wait(early.to_string()),
        other => other.into(),
    }
}
