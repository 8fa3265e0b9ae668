//! An order that holds all that it may.

use super::*;

/// A hundred articles with the longest SKUs, as many pieces of each as there may be.
fn huge() -> CheckedOut {
    let line = |number: u32| cart::Line {
        sku: sku(number),
        title: "é".repeat(100),
        quantity: Quantity::new(999).unwrap(),
        unit_price: eur(1000),
        line_total: eur(999_000),
        ..bought().lines.remove(0)
    };
    let (nothing, total) = (eur(0), eur(99_900_000));
    CheckedOut {
        lines: (0..100).map(line).collect(),
        subtotal: total,
        discount: nothing,
        shipping: nothing,
        tax: nothing,
        total,
        ..bought()
    }
}

fn sku(number: u32) -> contracts::Sku {
    format!("S{number:039}").parse().unwrap()
}

/// A piece of each.
fn each() -> Goods {
    (0..100).map(|number| (sku(number), 1)).collect()
}

fn long_note() -> Note {
    Note::try_from("😀".repeat(Note::LONGEST)).unwrap()
}

fn long_label(number: u128) -> Label {
    label(&format!("{number:04}{}", "😀".repeat(Label::LONGEST - 4)))
}

fn sends(order: Order, number: u128) -> Outcome {
    let (carrier, tracking) = (Some(long_label(number)), Some(long_label(number)));
    order.ship(Shipment { carrier, tracking, goods: Some(each()) }, noon())
}

fn gives_back(order: Order, number: u128) -> Outcome {
    let back = GivingBack { goods: each(), note: long_note(), ..giving_back(number, [0, 0]) };
    order.refund(&back, noon())
}

fn asks_back(order: Order, number: u128) -> Outcome {
    order.request_return(goods_back(number), &each(), long_note(), noon(), &TERMS)
}

/// Does it again and again until the order is full.
fn until_full(
    mut order: Order,
    step: impl Fn(Order, u128) -> Outcome,
    most: u128,
) -> (Order, u128) {
    for number in 0..most {
        order = match step(order.clone(), number) {
            Ok(change) => change.value,
            Err(Refusal::Crowded { .. }) => return (order, number),
            Err(other) => panic!("{other}"),
        };
    }
    (order, most)
}

fn bytes(order: &Order) -> usize {
    bson::serialize_to_vec(order).unwrap().len()
}

fn sold() -> Order {
    let placed = Order::place(huge(), noon()).unwrap().value;
    captured(placed.reserve(1, noon(), &TERMS).value).value
}

#[test]
fn full_order_stays_below_a_megabyte() {
    let (refunded, refunds) = until_full(sold(), gives_back, 200);
    let (sent, parcels) = until_full(sold(), sends, 200);
    let half = (0..60).fold(sold(), |order, number| sends(order, number).unwrap().value);
    let (mut returned, returns) = until_full(half, asks_back, 100);

    for number in 0..returns {
        let approved = returned.approve_return(goods_back(number), noon()).unwrap().value;
        let received = approved.receive_return(goods_back(number), None, true, noon());
        returned = received.unwrap().value;
    }

    for order in [&refunded, &sent, &returned] {
        assert!(order.is_full(), "{}", bytes(order));
        assert!((500_000..1_000_000).contains(&bytes(order)), "{}", bytes(order));
        assert!(matches!(gives_back(order.clone(), 999), Err(Refusal::Crowded { .. })));
        assert!(matches!(sends(order.clone(), 999), Err(Refusal::Crowded { .. })));
        assert!(!order.may(Act::Refund) && !order.may(Act::Return));
    }
    assert!(20 < refunds && 80 < parcels && 5 < returns, "{refunds} {parcels} {returns}");
    let rest = Shipment { goods: None, ..shipment() };
    assert!(sent.ship(rest, noon()).is_ok(), "the last parcel is sent");
}
