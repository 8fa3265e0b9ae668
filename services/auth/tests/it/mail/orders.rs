//! Who bought is told what becomes of it: once, and only where somebody reads it.

use std::time::Duration;

use common::Clock;
use contracts::order::{Paid, Placed, RefundReason, Refunded, Shipped, TrackingCorrected};
use contracts::{Money, OrderId, PaymentId, RefundId, UserId};
use serde_json::json;
use testkit::{Answer, eventually};

use super::{is, mail, mailing, mails, nth, shows, stored, token, with_mail};
use crate::house::{ALICE, House, PASSWORD, SOON, person};

fn customer(who: &Answer) -> UserId {
    who["user"]["id"].as_str().unwrap().parse().unwrap()
}

fn placed(order_id: OrderId, who: &Answer) -> Placed {
    Placed { order_id, round: 1, lines: vec![], customer: Some(customer(who)) }
}

fn paid(order_id: OrderId, clock: &Clock) -> Paid {
    Paid { order_id, payment_id: PaymentId::from_uuid(clock.uuid()), lines: vec![] }
}

fn parcel(order_id: OrderId, parcel: u32, more_to_come: bool) -> Shipped {
    let (carrier, tracking) = ("Hermes <b>".into(), format!("H-{parcel}"));
    Shipped { order_id, carrier, tracking, parcel, lines: vec![], more_to_come }
}

/// Waits until this order was heard of, so that what is told after it is told later.
async fn is_known(house: &House, order: OrderId) {
    eventually("the order is known", SOON, async || {
        let buyers = house.stored("buyers").await;
        buyers
            .iter()
            .any(|it| it.get_str("_id").is_ok_and(|id| id == order.to_string()))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_bought_is_told_what_becomes_of_it() {
    let (house, server, one) = with_mail().await;
    let _other = house.opens(mailing(&house, &server)).await;
    let alice = one.registers(ALICE).await;
    let order = OrderId::from_uuid(house.clock.uuid());
    let amount = Money { amount: 1_999, currency: "EUR".parse().unwrap() };
    let refund_id = RefundId::from_uuid(house.clock.uuid());
    let reason = RefundReason::Returned;

    // What came first is heard last.
    let refunded = Refunded { order_id: order, refund_id, amount, reason };
    let heard_early = [
        house.peer.tell(&paid(order, &house.clock)).await,
        house.peer.tell(&parcel(order, 1, true)).await,
    ];
    house.peer.tell(&parcel(order, 2, false)).await;
    house.peer.tell(&refunded).await;
    let received = house.peer.tell(&placed(order, &alice)).await;
    house.peer.tell_again::<Placed>(&received).await;
    house.peer.tell_again::<Paid>(&heard_early[0]).await;
    house.peer.tell_again::<Shipped>(&heard_early[1]).await;
    house.peer.tell(&Placed { round: 2, ..placed(order, &alice) }).await;

    is_known(&house, order).await;
    house.clock.advance(std::time::Duration::from_mins(5));
    mail(&server, ALICE, "We received your order").await;
    mail(&server, ALICE, "is paid").await;
    let first = mail(&server, ALICE, "Parcel 1").await;
    let second = mail(&server, ALICE, "Parcel 2").await;
    let refund = mail(&server, ALICE, "refund").await;
    assert!(first.text.contains("carried by Hermes <b>; its tracking number is H-1."));
    assert!(first.html.contains("Hermes &lt;b&gt;") && first.text.contains("The rest follows"));
    assert!(second.text.contains("H-2") && !second.text.contains("The rest follows"));
    assert!(
        refund.text.contains("19.99 EUR back to you, for what you returned"),
        "{}",
        refund.text
    );
    assert!(refund.text.contains(&format!("https://shop.example.com/orders/{order}")));
    stored(&house, "all are sent", |mail| is(mail, "sent")).await;
    assert_eq!(server.mails().len(), 6, "one asked for the address");
}

#[tokio::test]
async fn corrected_tracking_is_mailed_each_time() {
    let (house, server, one) = with_mail().await;
    let _other = house.opens(mailing(&house, &server)).await;
    let alice = one.registers(ALICE).await;
    let order = OrderId::from_uuid(house.clock.uuid());
    let corrected = |carrier: &str, tracking: &str| TrackingCorrected {
        order_id: order,
        parcel: 1,
        carrier: carrier.into(),
        tracking: tracking.into(),
    };
    house.peer.tell(&placed(order, &alice)).await;
    is_known(&house, order).await;
    let letter =
        Shipped { carrier: String::new(), tracking: String::new(), ..parcel(order, 1, false) };
    house.peer.tell(&letter).await;

    let first = house.peer.tell(&corrected("Hermes", "H-1")).await;
    house.peer.tell_again::<TrackingCorrected>(&first).await;
    house.peer.tell(&corrected("", "H-2")).await;

    let sent = mail(&server, ALICE, "is on its way").await;
    assert!(!sent.text.contains("carried") && !sent.text.contains("tracking"), "{}", sent.text);
    nth(&server, 2, ALICE, "New tracking").await;
    stored(&house, "all are sent", |mail| is(mail, "sent")).await;
    let mails = mails(&server, ALICE, "New tracking");
    let says = |words: &str| mails.iter().filter(|mail| mail.text.contains(words)).count();
    assert_eq!(mails.len(), 2);
    assert_eq!(says("carried by Hermes; its tracking number is H-1."), 1);
    assert_eq!(says("Its tracking number is H-2."), 1);
}

#[tokio::test]
async fn two_replicas_send_each_mail_once() {
    let (house, server, one) = with_mail().await;
    let _other = house.opens(mailing(&house, &server)).await;
    let alice = one.registers(ALICE).await;
    let asked = mail(&server, ALICE, "Is this your address?").await;
    let _ = shows(&one, "verify", &token(&asked)).await.status(204);

    let orders: Vec<_> = (0..25).map(|_| OrderId::from_uuid(house.clock.uuid())).collect();
    for order in &orders {
        let told = house.peer.tell(&placed(*order, &alice)).await;
        house.peer.tell_again::<Placed>(&told).await;
    }

    for order in &orders {
        mail(&server, ALICE, &order.to_string()).await;
    }
    stored(&house, "all are sent", |mail| is(mail, "sent")).await;
    assert_eq!(server.mails().len(), 26);
}

#[tokio::test]
async fn an_address_that_may_be_a_strangers_gets_few_mails_about_orders() {
    let (house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let asked = mail(&server, ALICE, "Is this your address?").await;
    let orders = async |many: usize, all: usize| {
        for _ in 0..many {
            let order = OrderId::from_uuid(house.clock.uuid());
            house.peer.tell(&placed(order, &alice)).await;
        }
        eventually("all were heard of, and none waits", SOON, async || {
            let heard = house.stored("buyers").await.len();
            let mails = house.stored("mails").await;
            (heard == all && mails.iter().all(|mail| is(mail, "sent"))).then_some(())
        })
        .await;
        mails(&server, ALICE, "We received your order").len()
    };

    assert_eq!(orders(9, 9).await, 6);

    let metrics = replica.operations().get("/metrics").await.status(200).text;
    let withheld = |line: &&str| line.starts_with("souk_mails_total") && line.contains("withheld");
    let withheld = metrics.lines().find(withheld).unwrap();
    assert!(withheld.ends_with(" 3"), "{withheld}");
    house.clock.advance(Duration::from_hours(24));
    assert_eq!(orders(1, 10).await, 7);
    let _ = shows(&replica, "verify", &token(&asked)).await.status(204);
    assert_eq!(orders(9, 19).await, 16);
}

#[tokio::test]
async fn a_guest_gets_no_mail_until_they_have_an_address() {
    let (house, server, replica) = with_mail().await;
    let guest = replica.door().post("/api/auth/guest").await.status(201);
    let order = OrderId::from_uuid(house.clock.uuid());
    house.peer.tell(&placed(order, &guest)).await;
    is_known(&house, order).await;
    house.peer.tell(&paid(order, &house.clock)).await;
    let later = OrderId::from_uuid(house.clock.uuid());
    house.peer.tell(&placed(later, &guest)).await;
    is_known(&house, later).await;
    assert_eq!(house.stored("mails").await.len(), 0);

    let register = replica.door_with(&guest).post("/api/auth/register");
    let alice = register.json(&person(ALICE, PASSWORD)).await.status(201);
    assert_eq!(alice["merged_from"], json!(customer(&guest)));
    house.peer.tell(&parcel(order, 1, false)).await;

    let shipped = mail(&server, ALICE, &format!("Your order {order} is on its way")).await;
    assert!(shipped.text.contains("H-1"));
    stored(&house, "all are sent", |mail| is(mail, "sent")).await;
    assert_eq!(mails(&server, ALICE, &later.to_string()).len(), 0);
}

#[tokio::test]
async fn what_happened_long_ago_is_no_news() {
    let (house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    mail(&server, ALICE, "Is this your address?").await;
    house.clock.advance(Duration::from_hours(24 * 365));

    let order = OrderId::from_uuid(house.clock.uuid());
    house.peer.tell(&placed(order, &alice)).await;

    is_known(&house, order).await;
    house.peer.tell(&placed(OrderId::from_uuid(house.clock.uuid()), &alice)).await;
    eventually("the next is known, too", SOON, async || {
        (house.stored("buyers").await.len() == 2).then_some(())
    })
    .await;
    assert_eq!(house.stored("mails").await.len(), 1);
}
