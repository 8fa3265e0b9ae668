//! Who bought is told what becomes of it: once, and only where somebody reads it.

use std::time::Duration;

use common::Clock;
use contracts::order::{Paid, Placed, RefundReason, Refunded, Shipped, TrackingCorrected};
use contracts::{
    Envelope, Event, EventId, Money, OrderId, PaymentId, RefundId, UserId, sequence_text,
};
use mongodb::bson::Document;
use serde_json::json;
use testkit::{Answer, MailServer, eventually};

use super::{is, mail, mailing, mails, nth, shows, stored, token, tries, with_mail};
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
    mail(&server, ALICE, "is confirmed").await;
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

/// This event as another of the same order, where it stands among them.
fn nth_event<E: Event>(other: &Envelope, event: &E, sequence: u64, clock: &Clock) -> Envelope {
    Envelope {
        id: EventId::from_uuid(clock.uuid()),
        event_type: E::TYPE.type_name(),
        subject: event.subject(),
        sequence: sequence_text(sequence),
        data: serde_json::value::to_raw_value(event).unwrap(),
        ..other.clone()
    }
}

/// Waits until so many mails are written, whatever became of them.
async fn are_written(house: &House, many: usize) {
    eventually("all mails are written", SOON, async || {
        (house.stored("mails").await.len() == many).then_some(())
    })
    .await;
}

#[tokio::test]
async fn mails_of_one_order_go_in_order() {
    let (house, replica) = House::with_a_door().await;
    let (order, clock) = (OrderId::from_uuid(house.clock.uuid()), &house.clock);
    let alice = replica.registers(ALICE).await;
    let first = house.peer.tell(&placed(order, &alice)).await;
    is_known(&house, order).await;
    for number in (1..=12_u32).rev() {
        let sent = nth_event(&first, &parcel(order, number, true), u64::from(number) + 10, clock);
        house.peer.tell_again::<Shipped>(&sent).await;
        are_written(&house, usize::try_from(15 - number).unwrap()).await;
    }
    let paid = nth_event(&first, &paid(order, clock), 9, clock);
    house.peer.tell_again::<Paid>(&paid).await;
    are_written(&house, 15).await;
    replica.stops().await;

    let server = MailServer::start(house.world.dir()).await.unwrap();
    let _replica = house.opens(mailing(&house, &server)).await;

    stored(&house, "all are sent", |mail| is(mail, "sent")).await;
    let mails = mails(&server, ALICE, &order.to_string());
    let subjects: Vec<&str> = mails.iter().map(|mail| &*mail.headers["subject"]).collect();
    // Few go to an address that is not confirmed: these are the first.
    let expected = [
        format!("We received your order {order}"),
        format!("Your order {order} is confirmed"),
        format!("Parcel 1 of your order {order} is on its way"),
        format!("Parcel 2 of your order {order} is on its way"),
    ];
    assert_eq!(subjects[..4], expected);
    assert!(subjects.len() >= 6, "{subjects:?}");
}

#[tokio::test]
async fn mails_wait_for_an_earlier_one_of_their_order() {
    let (house, _server, replica) = with_mail().await;
    let later = replica.registers("later@example.com").await;
    let order = OrderId::from_uuid(house.clock.uuid());
    house.peer.tell(&placed(order, &later)).await;
    is_known(&house, order).await;
    let waits = async |kind: &str, tried: i64| {
        eventually("it waits", SOON, async || {
            let mails = house.stored("mails").await;
            let of_kind = |mail: &Document| {
                mail.get_document("about")
                    .is_ok_and(|about| about.get_str("kind").is_ok_and(|it| it == kind))
            };
            let mail = mails.into_iter().find(of_kind)?;
            let at = mail.get_str("at").ok()?.to_owned();
            let has_waited = at.as_str() > "2026-01-31T08:00:00.000Z";
            (tries(&mail) == tried && has_waited).then_some(at)
        })
        .await
    };
    let received = waits("received", 1).await;

    house.peer.tell(&paid(order, &house.clock)).await;

    assert_eq!(waits("paid", 0).await, received);
    house.clock.advance(Duration::from_mins(1));
    let received = waits("received", 2).await;
    eventually("it waits on", SOON, async || (waits("paid", 0).await == received).then_some(()))
        .await;
}

#[tokio::test]
async fn parcel_is_not_mailed_after_its_correction() {
    let (house, server, replica) = with_mail().await;
    let alice = replica.registers(ALICE).await;
    let order = OrderId::from_uuid(house.clock.uuid());
    let first = house.peer.tell(&placed(order, &alice)).await;
    is_known(&house, order).await;
    let corrected = |tracking: &str| TrackingCorrected {
        order_id: order,
        parcel: 1,
        carrier: "Hermes".into(),
        tracking: tracking.into(),
    };
    let last = nth_event(&first, &corrected("H-9"), 12, &house.clock);
    house.peer.tell_again::<TrackingCorrected>(&last).await;
    mail(&server, ALICE, "New tracking").await;
    stored(&house, "it is sent", |mail| is(mail, "sent")).await;

    let early = nth_event(&first, &corrected("H-8"), 11, &house.clock);
    house.peer.tell_again::<TrackingCorrected>(&early).await;
    let shipped = nth_event(&first, &parcel(order, 1, false), 10, &house.clock);
    house.peer.tell_again::<Shipped>(&shipped).await;
    let next = nth_event(&first, &parcel(order, 2, false), 13, &house.clock);
    house.peer.tell_again::<Shipped>(&next).await;

    mail(&server, ALICE, "Parcel 2").await;
    eventually("what is old news is withdrawn", SOON, async || {
        let mails = house.stored("mails").await;
        (mails.len() == 4 && mails.iter().all(|mail| is(mail, "sent"))).then_some(())
    })
    .await;
    assert_eq!(mails(&server, ALICE, "New tracking").len(), 1);
    assert_eq!(mails(&server, ALICE, "on its way").len(), 1);
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
    let orders = async |many: usize, all: usize, sent: usize| {
        for _ in 0..many {
            let order = OrderId::from_uuid(house.clock.uuid());
            house.peer.tell(&placed(order, &alice)).await;
        }
        eventually("all were heard of, and none waits", SOON, async || {
            let heard = house.stored("buyers").await.len();
            let mails = house.stored("mails").await;
            let all_sent = mails.iter().all(|mail| is(mail, "sent"));
            let received = super::mails(&server, ALICE, "We received your order").len();
            (heard == all && all_sent && received == sent).then_some(())
        })
        .await;
    };

    orders(9, 9, 6).await;

    let metrics = replica.operations().get("/metrics").await.status(200).text;
    let withheld = |line: &&str| line.starts_with("souk_mails_total") && line.contains("withheld");
    let withheld = metrics.lines().find(withheld).unwrap();
    assert!(withheld.ends_with(" 3"), "{withheld}");
    house.clock.advance(Duration::from_hours(24));
    orders(1, 10, 7).await;
    let _ = shows(&replica, "verify", &token(&asked)).await.status(204);
    orders(9, 19, 16).await;
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
