//! What can be wrong with what was told, copied and begun.

use async_nats::jetstream;
use auditor::Rule;
use mongodb::bson::{Bson, DateTime, Document, doc};
use testkit::fleet::Service;

use crate::plant::Edit;
use crate::planted::{Case, FAR_OFF, LONG_AGO, NOBODYS, RESERVATIONS, TIMELINES, case, found};
use crate::shop::Shop;

pub(crate) async fn told(shop: &Shop) -> Vec<Case> {
    let outbox = (Service::Product, "outbox");
    let row = |sequence: i64, state: bool, told: bool| {
        doc! {
            "aggregate": &shop.paid, "sequence": sequence, "state": state, "told": told,
            "nats_subject": "product.probe", "at": LONG_AGO,
        }
    };
    let products = shop.collection(Service::Product, "products");
    let product = products.find_one(doc! {}).await.unwrap().unwrap();
    let product = product.get_str("_id").unwrap().to_owned();
    let (event, counted) = (format!("evt_{NOBODYS}"), |by: i64| doc! { "$inc": { "told": by } });
    let later = doc! { "$inc": { "version": 1 } };
    vec![
        case(
            &[Rule::SequenceGap],
            &shop.paid,
            vec![Edit::change(RESERVATIONS, &shop.paid, counted(1))],
        ),
        case(
            &[Rule::SequenceBeyond],
            &shop.paid,
            vec![Edit::change(RESERVATIONS, &shop.paid, counted(-1))],
        ),
        case(
            &[Rule::SequenceTwice],
            &shop.paid,
            vec![Edit::insert(outbox, &event, row(1, false, true))],
        ),
        case(&[Rule::OutboxLate], &event, vec![Edit::insert(outbox, &event, row(1, true, false))]),
        case(
            &[Rule::StateStale],
            &product,
            vec![
                Edit::change((Service::Product, "products"), &product, counted(1)),
                Edit::change((Service::Cart, "catalogue"), &product, later),
            ],
        ),
    ]
}

pub(crate) async fn copies(shop: &Shop) -> Vec<Case> {
    let guests = shop.collection(Service::Order, "merged_guests");
    let guest = guests.find_one(doc! {}).await.unwrap().unwrap();
    let guest = guest.get_str("_id").unwrap().to_owned();
    let sessions = shop.collection(Service::Cart, "revoked_sessions");
    let session = sessions.find_one(doc! {}).await.unwrap().unwrap();
    let session = session.get_str("_id").unwrap().to_owned();
    let keys = |service| (service, "identity_keys");
    let one_more = doc! { "$inc": { "available": 1 } };
    let other = doc! { "$set": { "account": format!("usr_{NOBODYS}") } };
    let forget = doc! { "$pop": { "entries": 1 } };
    vec![
        case(
            &[Rule::CopyDiffers],
            "MUG",
            vec![Edit::change((Service::Cart, "stock"), "MUG", one_more)],
        ),
        case(&[Rule::CopyMissing], "TRAY", vec![Edit::delete((Service::Cart, "stock"), "TRAY")]),
        case(
            &[Rule::CopyMissing],
            "current",
            vec![Edit::delete(keys(Service::Payment), "current")],
        ),
        case(
            &[Rule::CopyMissing],
            &session,
            vec![Edit::delete((Service::Cart, "revoked_sessions"), &session)],
        ),
        case(
            &[Rule::CopyDiffers],
            &guest,
            vec![Edit::change((Service::Order, "merged_guests"), &guest, other.clone())],
        ),
        case(
            &[Rule::CopyDiffers],
            &guest,
            vec![Edit::change((Service::Payment, "merged_guests"), &guest, other)],
        ),
        case(
            &[Rule::CopyMissing],
            &shop.reserved,
            vec![Edit::change(TIMELINES, &shop.reserved, forget)],
        ),
    ]
}

pub(crate) async fn contents(shop: &Shop) -> Vec<Case> {
    let products = shop.collection(Service::Product, "products");
    let product = products.find_one(doc! {}).await.unwrap().unwrap();
    let product = product.get_str("_id").unwrap().to_owned();
    let carts = (Service::Cart, "carts");
    let moved = shop.collection(carts.0, carts.1);
    let moved = moved.find_one(doc! { "moved_to": { "$exists": true } }).await.unwrap().unwrap();
    let [cart, guest] = ["_id", "owner"].map(|it| moved.get_str(it).unwrap().to_owned());
    let buyers = (Service::Auth, "buyers");
    let set = |place, id: &str, set: Document| Edit::change(place, id, doc! { "$set": set });
    let nobody = format!("usr_{NOBODYS}");
    let differs = |names: &str, edit| case(&[Rule::CopyDiffers], names, vec![edit]);
    vec![
        differs(&product, set((Service::Cart, "catalogue"), &product, doc! { "title": "Else" }))
            .saying("something else"),
        differs("current", set((Service::Order, "identity_keys"), "current", doc! { "keys": [] }))
            .saying("something else"),
        differs(&guest, set(carts, &cart, doc! { "moved_to": &nobody })).saying("something else"),
        differs(&guest, Edit::change(carts, &cart, doc! { "$unset": { "moved_to": 1 } }))
            .saying("an old copy"),
        differs(&shop.paid, set(buyers, &shop.paid, doc! { "user_id": &nobody }))
            .saying("something else"),
        case(&[Rule::CopyMissing], &shop.paid, vec![Edit::delete(buyers, &shop.paid)])
            .saying("no copy of the buyer"),
    ]
}

pub(crate) fn begun() -> Vec<Case> {
    let day =
        Bson::DateTime(DateTime::from_millis(DateTime::now().timestamp_millis() + 86_400_000));
    let started = doc! { "state": "started", "attempt": "att_1", "expires_at": day };
    let mails = (Service::Auth, "mails");
    vec![
        case(
            &[Rule::ReceiptStarted],
            "att_1",
            vec![Edit::insert((Service::Payment, "receipts"), "http:usr:secret", started)],
        ),
        case(
            &[Rule::WebhookPutAside],
            "sandbox:1",
            vec![Edit::insert(
                (Service::Payment, "webhooks"),
                "sandbox:1",
                doc! { "state": "put_aside" },
            )],
        ),
        case(
            &[Rule::MailStuck],
            "paid-1",
            vec![Edit::insert(mails, "paid-1", doc! { "state": "dead", "at": FAR_OFF })],
        ),
        case(
            &[Rule::MailStuck],
            "paid-1",
            vec![Edit::insert(mails, "paid-1", doc! { "state": "waiting", "at": LONG_AGO })],
        ),
    ]
}

/// What was told is gone from the bus: one message first, then all of a stream.
pub(crate) async fn lost_by_the_bus(shop: &Shop) {
    let bus = async_nats::connect(shop.world.nats().url()).await.unwrap();
    let bus = jetstream::new(bus);
    let orders = bus.get_stream("ORDER").await.unwrap();

    let subject = format!("order.placed.v1.{}", shop.refunded);
    let placed = orders.get_last_raw_message_by_subject(&subject).await.unwrap();
    orders.delete_message(placed.sequence).await.unwrap();
    found(shop, &[Rule::MessageLost], &shop.refunded, "event 1 was told").await;

    let config = orders.cached_info().config.clone();
    bus.delete_stream("ORDER").await.unwrap();
    found(shop, &[Rule::MessageLost], "ORDER", "there is no stream now").await;
    bus.create_stream(config).await.unwrap();
    found(shop, &[Rule::MessageLost], "ORDER", "`order replay --since 72h`").await;
}
