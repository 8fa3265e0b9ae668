//! Several parcels.

use super::*;

#[test]
fn an_order_is_shipped_when_the_last_piece_left() {
    let first = sent(paid_much(), 1, [2, 0]);
    let told = &first.told::<ShippedEvent>()[0];
    assert_eq!((told.parcel, told.more_to_come), (1, true));
    assert_eq!(told.lines, goods([2, 0]).pieces());
    assert_eq!(first.value.status, paid_much().status);

    let second = first.value.ship(in_parcel(2, None), minutes(1)).unwrap();

    let told = &second.told::<ShippedEvent>()[0];
    assert_eq!((told.parcel, told.more_to_come), (2, false));
    assert_eq!(told.lines, goods([1, 1]).pieces());
    assert_eq!(second.value.status, Shipped { at: minutes(1) });
}

#[test]
fn an_order_is_delivered_when_every_parcel_arrived() {
    let first = sent(paid_much(), 1, [3, 0]).value.deliver(Some(1), noon()).unwrap();
    assert!(first.tells_nothing());
    let both = sent(first.value, 2, [0, 1]).value;
    assert_eq!(both.status, Shipped { at: noon() });
    changes_nothing(&both.clone().deliver(Some(1), minutes(1)).unwrap(), &both);

    let change = both.deliver(Some(2), minutes(2)).unwrap();

    assert_eq!(change.told::<DeliveredEvent>().len(), 1);
    assert_eq!(change.value.status, Delivered { at: minutes(2) });
    assert_eq!(change.value.parcels[0].delivered_at, Some(noon()));
}

#[test]
fn all_that_was_sent_arrives_at_once_unless_a_parcel_is_named() {
    let half = sent(paid_much(), 1, [1, 0]).value;
    let half = sent(half, 2, [1, 0]).value;

    let arrived = half.deliver(None, minutes(1)).unwrap().value;

    assert!(arrived.parcels.iter().all(|parcel| parcel.delivered_at == Some(minutes(1))));
    assert_eq!(arrived.status, paid_much().status);
    changes_nothing(&arrived.clone().deliver(None, minutes(2)).unwrap(), &arrived);
    let unknown = arrived.clone().deliver(Some(3), minutes(2)).unwrap_err();
    assert_eq!(unknown, Refusal::NoParcel { number: 3, standing: arrived.standing() });
}

#[test]
fn the_same_parcel_again_comes_to_nothing() {
    let half = sent(paid_much(), 1, [1, 1]).value;
    changes_nothing(&half.clone().ship(in_parcel(1, Some([1, 1])), noon()).unwrap(), &half);

    let all = half.ship(in_parcel(2, None), noon()).unwrap().value;

    changes_nothing(&all.clone().ship(in_parcel(2, None), noon()).unwrap(), &all);
    changes_nothing(&all.clone().ship(in_parcel(2, Some([2, 0])), noon()).unwrap(), &all);
    changes_nothing(&all.clone().ship(in_parcel(1, Some([1, 1])), noon()).unwrap(), &all);
    assert!(all.ship(in_parcel(1, Some([2, 0])), noon()).is_err());
}

#[test]
fn a_second_parcel_like_the_first_is_not_taken_for_it() {
    let first = sent(paid_much(), 1, [1, 0]).value;

    let again = first.clone().ship(in_parcel(1, Some([1, 0])), noon()).unwrap_err();

    assert_eq!(again, Refusal::SentAlready { number: 1, standing: first.standing() });
    let second = sent(first, 2, [1, 0]).value;
    assert_eq!(second.parcels.len(), 2);
}

#[test]
fn the_rest_may_follow_under_the_same_number() {
    let half = sent(paid_much(), 1, [1, 0]).value;

    let change = half.ship(in_parcel(1, None), noon()).unwrap();

    assert_eq!(change.told::<ShippedEvent>()[0].lines, goods([2, 1]).pieces());
}

#[test]
fn no_more_is_sent_than_is_left() {
    let half = sent(paid_much(), 1, [2, 1]).value;
    let standing = half.standing();
    let ships = |goods: Goods| {
        half.clone()
            .ship(Shipment { goods: Some(goods), ..in_parcel(2, None) }, noon())
            .unwrap_err()
    };
    let sku = |text: &str| text.parse::<contracts::Sku>().unwrap();

    let (act, mug) = (Act::Ship, sku("MUG"));
    assert_eq!(ships(goods([2, 0])), Refusal::TooMany { act, sku: mug, left: 1, standing });
    assert!(matches!(ships(goods([0, 1])), Refusal::TooMany { left: 0, .. }));
    assert_eq!(ships(goods([0, 0])), Refusal::NoPieces);
    assert_eq!(ships([(sku("CUP"), 1)].into_iter().collect()), Refusal::NotBought(sku("CUP")));
}

#[test]
fn an_order_of_which_a_parcel_left_is_not_cancelled() {
    let half = sent(paid_much(), 1, [1, 0]).value;

    let refused = half.clone().cancel(CancelReason::Customer, None, noon()).unwrap_err();

    let allowed = vec![Act::Ship, Act::Deliver, Act::Refund, Act::Return, Act::CorrectTracking];
    let standing = Standing { stage: Stage::Paid, allowed, pay_by: None, returns_since: None };
    assert_eq!(refused, Refusal::Unfit { act: Act::Cancel, standing });
}

#[test]
fn goods_that_are_gone_after_a_parcel_left_are_given_back() {
    let half = sent(paid_much(), 1, [3, 0]).value;

    let change = half.refuse_commit(noon());

    assert_eq!(due(&change), [(903, RefundReason::OutOfStock)]);
    assert!(change.told::<RestockDue>().is_empty(), "it was not there");
    assert_eq!(change.value.status, Shipped { at: noon() });
    changes_nothing(&change.value.clone().refuse_commit(noon()), &change.value);
}

#[test]
fn what_payment_gave_back_whole_sends_no_more() {
    let half = sent(paid_much(), 1, [3, 0]).value;

    let change = refunded(half, 1, 3299).unwrap();

    assert!(change.told::<CancelledEvent>().is_empty());
    assert_eq!(change.told::<RestockDue>()[0].lines, goods([0, 1]).pieces());
    assert_eq!(change.value.status, Shipped { at: noon() });
}

#[test]
fn an_order_sent_before_there_were_parcels_still_arrives() {
    let mut stored = bson::serialize_to_document(&sent(paid_much(), 1, [3, 1]).value).unwrap();
    for new in ["parcels", "waiting", "dropped", "returns", "address"] {
        stored.remove(new);
    }
    for new in ["promised", "ended", "unrefunded", "refunds"] {
        stored.get_document_mut("payment").unwrap().remove(new);
    }
    let how = bson::doc! { "carrier": "Hermes", "tracking": "H-1" };
    stored.get_document_mut("status").unwrap().insert("parcel", how);

    let old = as_read(stored);
    assert_eq!((old.parcels.len(), &old.parcels[0].tracking), (1, &Some(label("H-1"))));
    let arrived = old.deliver(Some(1), minutes(1)).unwrap().value;

    assert_eq!(arrived.status, Delivered { at: minutes(1) });
    assert_eq!(arrived.returnable(), goods([3, 1]));
    let again = as_read(bson::serialize_to_document(&arrived).unwrap());
    assert_eq!(again, arrived);
}

#[test]
fn an_order_that_arrived_before_there_were_parcels_can_still_be_sent_back() {
    let arrived = sent(paid_much(), 1, [3, 1]).value.deliver(None, noon()).unwrap().value;
    let mut stored = bson::serialize_to_document(&arrived).unwrap();
    stored.insert("parcels", bson::Array::new());

    let old = as_read(stored);

    assert_eq!(old.returnable(), goods([3, 1]));
    assert_eq!(old.parcels[0].delivered_at, Some(noon()));
    assert!(as_read(bson::serialize_to_document(&paid_much()).unwrap()).parcels.is_empty());
}

fn untracked(pieces: Option<[u32; 2]>) -> Shipment {
    Shipment { carrier: None, tracking: None, goods: pieces.map(goods) }
}

#[test]
fn letters_of_one_content_are_parcels_each() {
    let ship = |order: Order, pieces| order.ship(untracked(pieces), noon()).unwrap();

    let first = ship(paid_much(), Some([1, 0]));
    let second = ship(first.value.clone(), Some([1, 0])).value;
    let rest = ship(second, None).value;

    let told = first.told::<ShippedEvent>();
    assert_eq!((told[0].carrier.as_str(), told[0].tracking.as_str()), ("", ""));
    assert_eq!(rest.parcels.len(), 3);
    assert_eq!(rest.status, Shipped { at: noon() });
    changes_nothing(&ship(rest.clone(), None), &rest);
}

/// So many pieces, named as people may write them.
fn spelled(pieces: &[(&str, u32)]) -> Goods {
    pieces.iter().map(|(sku, pieces)| (sku.parse().unwrap(), *pieces)).collect()
}

#[test]
fn spellings_of_one_sku_count_together() {
    let named = spelled(&[("mug", 1), ("Mug", 1), ("MUG", 1), ("cup", 1)]);

    let unknown = paid_much().ship(Shipment { goods: Some(named), ..shipment() }, noon());
    assert_eq!(unknown.unwrap_err(), Refusal::NotBought("cup".parse().unwrap()));
    let many = Some(spelled(&[("mug", 2), ("MUG", 2)]));
    let many = paid_much().ship(Shipment { goods: many, ..shipment() }, noon()).unwrap_err();
    assert!(matches!(many, Refusal::TooMany { left: 3, .. }), "{many:?}");
    let all = Shipment { goods: Some(spelled(&[("mug", 2), ("MUG", 1)])), ..shipment() };
    let sent = paid_much().ship(all.clone(), noon()).unwrap().value;
    assert_eq!(sent.parcels[0].lines, goods([3, 0]));
    changes_nothing(&sent.clone().ship(all, noon()).unwrap(), &sent);
}

#[test]
fn absent_labels_are_stored_as_dashes() {
    let letter = paid_much().ship(untracked(None), noon()).unwrap().value;

    let stored = bson::serialize_to_document(&letter).unwrap();

    let parcel = stored.get_array("parcels").unwrap()[0].as_document().unwrap();
    for field in ["carrier", "tracking"] {
        assert_eq!(parcel.get_str(field).unwrap(), "-");
    }
    assert_eq!(as_read(stored), letter);
}

#[test]
fn corrected_tracking_is_told_once() {
    let sent = sent(paid_much(), 1, [3, 1]).value;
    let right = TrackingChange { tracking: Some(Some(label("H-2"))), ..TrackingChange::default() };

    let change = sent.clone().correct_tracking(1, &right).unwrap();

    let told = change.told::<TrackingCorrected>();
    assert_eq!((told[0].parcel, told[0].carrier.as_str()), (1, "Hermes"));
    assert_eq!(told[0].tracking, "H-2");
    changes_nothing(&change.value.clone().correct_tracking(1, &right).unwrap(), &change.value);
    let none = TrackingChange { carrier: Some(None), tracking: Some(None) };
    let delivered = change.value.deliver(None, noon()).unwrap().value;
    assert_eq!(delivered.correct_tracking(1, &none).unwrap().value.parcels[0].carrier, None);
    assert_eq!(sent.correct_tracking(2, &right).unwrap_err(), Refusal::UnknownParcel);
}

#[test]
fn waiting_parcel_is_corrected_before_it_leaves() {
    let promise = Promise { amount: eur(3299), capture_by: minutes(60) };
    let reserved = Order::place(bought_much(), noon()).unwrap().value.reserve(1, noon(), &TERMS);
    let promised = reserved.value.authorize(attempt(1), promise, noon()).unwrap().value;
    let waiting = promised.ship(in_parcel(1, None), noon()).unwrap().value;
    let right = TrackingChange { tracking: Some(None), ..TrackingChange::default() };

    let change = waiting.correct_tracking(1, &right).unwrap();

    assert!(change.tells_nothing());
    let sent = captured(change.value);
    assert_eq!(sent.told::<ShippedEvent>()[0].tracking, "");
}

/// The order that this was stored as.
fn as_read(mut stored: bson::Document) -> Order {
    Order::upcast(&mut stored);
    bson::deserialize_from_document(stored).unwrap()
}
