//! The others speak, and the order goes its way.

use std::time::Duration;

use contracts::order::{
    CancelReason, Cancelled, Completed, Delivered, Expired, Paid, PayByExtended, PaymentDue,
    Placed, RefundDue, Shipped,
};
use contracts::payment::AttemptStarted;
use contracts::product::{CommitRefused, Refused, ReservationOverdue};
use contracts::{Event as _, OrderId, PaymentId};
use mongodb::bson::doc;
use testkit::eventually;

use crate::shop::{SOON, Shop, eur};

const PAY_BY: Duration = Duration::from_mins(15);
const RETURNS: Duration = Duration::from_hours(24 * 14);

fn refused(order_id: OrderId, round: u32) -> Refused {
    Refused { order_id, round, ..Refused::sample() }
}

#[tokio::test]
async fn an_order_goes_from_cart_to_doorstep() {
    let shop = Shop::open().await;
    let bought = shop.cart();
    let order = bought.order_id;

    shop.peer.tell(&bought).await;
    let placed = shop.peer.hears::<Placed>(order).await;
    assert_eq!((placed.round, placed.lines.len()), (1, 1));
    shop.reserved(order, 1).await;
    let due = shop.peer.hears::<PaymentDue>(order).await;
    assert_eq!((due.customer, due.amount), (bought.customer, eur(2500)));
    assert_eq!(due.pay_by, shop.clock.now().plus(PAY_BY));
    shop.peer.tell(&shop.capture(order)).await;
    assert_eq!(shop.peer.hears::<Paid>(order).await.payment_id, PaymentId::of(order));
    shop.ships(order, "k").await.ok();
    assert_eq!(shop.peer.hears::<Shipped>(order).await.tracking, "H-123456");
    shop.staff().post(format!("/api/orders/{order}/deliver")).await.ok();
    shop.peer.hears::<Delivered>(order).await;
    shop.clock.advance(RETURNS);
    shop.peer.hears::<Completed>(order).await;

    let shown = shop.until(order, "completed").await;
    assert_eq!(shown["carrier"], "Hermes");
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn what_is_told_twice_happens_once() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let order = cart.order_id;
    let checked_out = shop.peer.tell(&cart).await;
    shop.peer.hears::<Placed>(order).await;
    shop.reserved(order, 1).await;
    shop.peer.hears::<PaymentDue>(order).await;
    let capture = shop.capture(order);
    let captured = shop.peer.tell(&capture).await;
    shop.peer.hears::<Paid>(order).await;

    // The same letters again, and the same facts in other letters.
    shop.peer.tell_again::<contracts::cart::CheckedOut>(&checked_out).await;
    shop.peer.tell_again::<contracts::payment::Captured>(&captured).await;
    shop.peer.tell(&cart).await;
    shop.reserved(order, 1).await;
    shop.peer.tell(&capture).await;
    shop.has_heard_all().await;

    assert_eq!(shop.peer.told::<Placed>(order).await.len(), 1);
    assert_eq!(shop.peer.told::<PaymentDue>(order).await.len(), 1);
    assert_eq!(shop.peer.told::<Paid>(order).await.len(), 1);
    assert!(shop.peer.told::<RefundDue>(order).await.is_empty());
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn what_comes_too_early_waits_for_its_order() {
    let shop = Shop::open().await;
    let cart = shop.cart();
    let order = cart.order_id;

    shop.peer.tell(&shop.refund(order, 500)).await;
    shop.peer.tell(&shop.capture(order)).await;
    shop.reserved(order, 1).await;
    shop.peer.tell(&cart).await;

    shop.peer.hears::<Paid>(order).await;
    shop.has_heard_all().await;
    let shown = shop.until(order, "paid").await;
    assert_eq!(shown["refunded"]["amount"], 500);
    assert_eq!(shop.peer.told::<Paid>(order).await.len(), 1);
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn a_cart_that_does_not_add_up_becomes_no_order() {
    let shop = Shop::open().await;
    let mut cart = shop.cart();
    cart.total = eur(1);

    shop.peer.tell(&cart).await;

    eventually("it is a dead letter", SOON, async || {
        (shop.peer.dead_letters().await == 1).then_some(())
    })
    .await;
    let _ = shop.staff().get(format!("/api/orders/{}", cart.order_id)).await.status(404);
}

#[tokio::test]
async fn goods_that_are_not_there_cancel_the_order() {
    let shop = Shop::open().await;
    let order = shop.buys().await.order;

    shop.peer.tell(&refused(order, 1)).await;

    assert_eq!(shop.peer.hears::<Cancelled>(order).await.reason, CancelReason::OutOfStock);
    let shown = shop.until(order, "cancelled").await;
    assert_eq!(shown["cancel_reason"], "out_of_stock");
}

#[tokio::test]
async fn who_is_paying_gets_more_time_once() {
    let shop = Shop::open().await;
    let order = shop.buys_what_is_there().await.order;
    let started = AttemptStarted {
        payment_id: PaymentId::of(order),
        order_id: order,
        ..AttemptStarted::sample()
    };

    shop.clock.advance(Duration::from_mins(14));
    shop.peer.tell(&started).await;
    let extended = shop.peer.hears::<PayByExtended>(order).await;
    shop.peer.tell(&started).await;
    shop.has_heard_all().await;
    shop.clock.advance(Duration::from_mins(5));

    assert_eq!(extended.pay_by, shop.clock.now());
    shop.peer.hears::<Expired>(order).await;
    assert_eq!(shop.peer.told::<PayByExtended>(order).await.len(), 1);
}

#[tokio::test]
async fn late_money_finds_its_goods_again() {
    let shop = Shop::open().await;
    let order = shop.buys_what_is_there().await.order;
    shop.clock.advance(PAY_BY);
    assert_eq!(shop.peer.hears::<Expired>(order).await.round, 1);

    shop.peer.tell(&shop.capture(order)).await;
    eventually("the goods are asked for again", SOON, async || {
        shop.peer.told::<Placed>(order).await.into_iter().find(|placed| placed.round == 2)
    })
    .await;
    shop.reserved(order, 2).await;

    shop.peer.hears::<Paid>(order).await;
    shop.until(order, "paid").await.status(200);
}

#[tokio::test]
async fn late_money_goes_back_when_the_goods_are_gone() {
    let shop = Shop::open().await;
    let order = shop.buys_what_is_there().await.order;
    shop.clock.advance(PAY_BY);
    shop.peer.hears::<Expired>(order).await;

    shop.peer.tell(&shop.capture(order)).await;
    shop.until(order, "placed").await.status(200);
    shop.peer.tell(&refused(order, 2)).await;

    let due = shop.peer.hears::<RefundDue>(order).await;
    assert_eq!((due.payment_id, due.amount), (PaymentId::of(order), eur(2500)));
    shop.peer.tell(&shop.refund(order, 2500)).await;
    shop.has_heard_all().await;
    let shown = shop.until(order, "expired").await;
    assert_eq!(shown["refunded"]["amount"], 2500);
    assert_eq!(shop.peer.told::<RefundDue>(order).await.len(), 1);
}

#[tokio::test]
async fn a_sale_that_product_cannot_keep_is_undone() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;

    shop.peer.tell(&CommitRefused { order_id: order, ..CommitRefused::sample() }).await;

    assert_eq!(shop.peer.hears::<Cancelled>(order).await.reason, CancelReason::OutOfStock);
    assert_eq!(shop.peer.hears::<RefundDue>(order).await.amount, eur(2500));
}

#[tokio::test]
async fn an_order_whose_money_staff_gave_back_is_not_sent() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;

    shop.peer.tell(&shop.refund(order, 2500)).await;

    assert_eq!(shop.peer.hears::<Cancelled>(order).await.reason, CancelReason::Refunded);
    let unfit = shop.ships(order, "k").await.status(409);
    assert_eq!(unfit["order_status"], "cancelled");
}

#[tokio::test]
async fn product_is_told_again_where_the_order_stands() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;

    shop.peer.tell(&ReservationOverdue { order_id: order, ..ReservationOverdue::sample() }).await;

    eventually("it is told again", SOON, async || {
        (shop.peer.told::<Paid>(order).await.len() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn unreadable_orders_do_not_stop_expiry() {
    let shop = Shop::open().await;
    let order = shop.buys_what_is_there().await.order;
    let unreadable = (0..1_100).map(|number| {
        let status = doc! { "state": "reserved", "pay_by": "2020-01-01T00:00:00.000Z" };
        doc! { "_id": format!("ord_{number:032x}"), "status": status, "version": 1_i64 }
    });
    shop.stored("orders").insert_many(unreadable).await.unwrap();

    shop.clock.advance(Duration::from_mins(16));

    shop.peer.hears::<Expired>(order).await;
}
