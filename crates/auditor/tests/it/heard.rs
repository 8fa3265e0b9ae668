//! What can be wrong with what was told, copied and begun.

use auditor::Rule;
use mongodb::bson::{Bson, DateTime, doc};
use testkit::fleet::Service;

use crate::plant::Edit;
use crate::planted::{Case, FAR_OFF, LONG_AGO, NOBODYS, RESERVATIONS, TIMELINES, case};
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
