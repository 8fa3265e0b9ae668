//! A violation of each kind is found, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::Config;
use auditor::{Bounds, Error, Rule, Source, Sources, Violation, audit};
use mongodb::bson::{Document, doc};
use testkit::fleet::Service;
use testkit::{Shopper, World};

use crate::heard::{begun, contents, copies, lost_by_the_bus, told};
use crate::plant::Edit;
use crate::shop::Shop;

pub(crate) type Place = (Service, &'static str);

const ORDERS: Place = (Service::Order, "orders");
pub(crate) const TIMELINES: Place = (Service::Order, "timelines");
const PAYMENTS: Place = (Service::Payment, "payments");
const LEDGER: Place = (Service::Payment, "ledger");
pub(crate) const RESERVATIONS: Place = (Service::Product, "reservations");
pub(crate) const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";
pub(crate) const FAR_OFF: &str = "2999-01-01T00:00:00.000Z";
pub(crate) const NOBODYS: &str = "0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

/// What is planted, which rules are broken by that, what is named, and in which words.
pub(crate) struct Case {
    broken: Vec<Rule>,
    names: String,
    says: &'static str,
    edits: Vec<Edit>,
}

pub(crate) fn case(broken: &[Rule], names: &str, edits: Vec<Edit>) -> Case {
    Case { broken: broken.to_vec(), names: names.to_owned(), says: "", edits }
}

impl Case {
    /// It is just this of what the first rule may find.
    pub(crate) fn saying(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    /// Plants it, looks, and takes it out again.
    async fn plays(self, shop: &Shop) {
        let mut planted = Vec::new();
        for edit in self.edits {
            planted.push(edit.plant(shop).await);
        }
        found(shop, &self.broken, &self.names, self.says).await;
        for edit in planted.into_iter().rev() {
            edit.undo(shop).await;
        }
    }
}

#[tokio::test]
async fn each_planted_violation_is_found_and_named_and_nothing_else() {
    let shop = Shop::lived_in().await;
    shop.close().await;

    let mut cases = goods(&shop);
    cases.extend(sold(&shop).await);
    cases.extend(counted());
    cases.extend(attempts(&shop).await);
    cases.extend(waiting(&shop).await);
    cases.extend(money(&shop).await);
    cases.extend(ledger(&shop).await);
    cases.extend(told(&shop).await);
    cases.extend(copies(&shop).await);
    cases.extend(contents(&shop).await);
    cases.extend(begun());

    let mut planted: BTreeSet<_> = cases.iter().flat_map(|case| case.broken.clone()).collect();
    for case in cases {
        case.plays(&shop).await;
    }
    on_the_bus(&shop).await;
    assert_eq!(shop.audit().await.violations(), []);
    lost_by_the_bus(&shop).await;
    planted.extend([Rule::DeadLetter, Rule::ConsumerLag, Rule::CheckoutLost, Rule::MessageLost]);
    let never: Vec<_> = Rule::ALL.into_iter().filter(|rule| !planted.contains(rule)).collect();
    assert_eq!(never, [], "rules that nothing was planted for");
}

#[tokio::test]
async fn while_people_buy_only_what_stays_wrong_is_found() {
    let shop = Shop::lived_in().await;
    let bounds = Bounds { pause: Duration::from_secs(1), ..Bounds::default() };
    let busy = async {
        let guest = Shopper::guest(&shop.fleet.client()).await;
        loop {
            guest.buys("MUG", 1, "pm_card_visa").await;
        }
    };
    let looked = async {
        let content = audit(&shop.sources, bounds).await.unwrap();
        assert_eq!(content.violations(), []);
        let unrefunded = doc! { "$set": { "payment.unrefunded": [format!("ref_{NOBODYS}")] } };
        Edit::change(ORDERS, &shop.refunded, unrefunded).plant(&shop).await;
        audit(&shop.sources, bounds).await.unwrap()
    };

    let report = tokio::select! {
        report = looked => report,
        () = busy => unreachable!("people buy for ever"),
    };

    let rules: Vec<_> = report.violations().iter().map(|it| it.rule).collect();
    assert_eq!(rules, [Rule::MoneyDiffers], "{report}");
}

#[tokio::test]
async fn a_database_out_of_reach_is_no_verdict() {
    let world = World::start().await;
    let away = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200&replicaSet=rs0";
    let mut sources = Sources::on(world.mongo_uri(), &world.nats().url(), str::to_owned);
    sources.cart = Source { uri: away.into(), ..sources.cart };

    let looked = audit(&sources, Bounds::quiet()).await;

    assert!(matches!(looked, Err(Error::Database { database, .. }) if database == "cart"));
}

pub(crate) async fn found(shop: &Shop, broken: &[Rule], names: &str, says: &str) {
    let report = shop.audit().await;
    let rules: BTreeSet<_> = report.violations().iter().map(|it| it.rule).collect();
    let expected: BTreeSet<_> = broken.iter().copied().collect();
    assert_eq!(rules, expected, "{report}");
    let is_it = |it: &Violation| {
        let is_about = it.ids.iter().any(|id| id.contains(names));
        it.rule == broken[0] && is_about && it.says.contains(says)
    };
    assert!(
        report.violations().iter().any(is_it),
        "{} of {names}, {says:?}, is not in {report}",
        broken[0]
    );
}

fn goods(shop: &Shop) -> Vec<Case> {
    let Shop { paid, reserved, cancelled, .. } = shop;
    let held = doc! {
        "lines": {}, "state": { "is": "held", "since": FAR_OFF, "quiet_since": FAR_OFF },
    };
    let unknown = format!("ord_{NOBODYS}");
    vec![
        case(
            &[Rule::StockLedger],
            "MUG",
            vec![Edit::change(
                (Service::Product, "stock_ledger"),
                "MUG:000000000001",
                doc! { "$inc": { "on_hand": 1 } },
            )],
        ),
        case(
            &[Rule::StockReserved, Rule::StockOfOrder],
            "TRAY",
            vec![set(RESERVATIONS, reserved, doc! { "lines.TRAY": 2 })],
        ),
        case(
            &[Rule::StockOfOrder],
            paid,
            vec![set(RESERVATIONS, paid, doc! { "restocked.MUG": 1 })],
        ),
        case(
            &[Rule::SoldOnce],
            paid,
            vec![set(RESERVATIONS, paid, doc! { "state": { "is": "given_up" } })],
        ),
        case(&[Rule::LiveReservation], cancelled, vec![set(RESERVATIONS, cancelled, held)]),
        case(
            &[Rule::GoodsMissing, Rule::StockReserved],
            reserved,
            vec![set(RESERVATIONS, reserved, doc! { "state": { "is": "released" } })],
        ),
        case(
            &[Rule::UnknownOrder],
            &unknown,
            vec![Edit::insert(
                RESERVATIONS,
                &unknown,
                doc! {
                    "lines": {}, "state": { "is": "released" }, "told": 0_i64,
                },
            )],
        ),
    ]
}

async fn sold(shop: &Shop) -> Vec<Case> {
    let Shop { paid, refunded, .. } = shop;
    let ledger = (Service::Product, "stock_ledger");
    let row = async |kind: &str| {
        let of_paid = doc! { "order_id": paid, "kind": kind };
        let row = shop.collection(ledger.0, ledger.1).find_one(of_paid).await.unwrap().unwrap();
        row.get_str("_id").unwrap().to_owned()
    };
    let (sale, allocation) = (row("sale").await, row("allocation").await);
    vec![
        case(&[Rule::SoldOnce], paid, vec![set(ledger, &allocation, doc! { "kind": "sale" })])
            .saying("sold once"),
        case(&[Rule::SoldOnce], paid, vec![set(ledger, &sale, doc! { "kind": "release" })])
            .saying("sold once"),
        case(&[Rule::SoldOnce], paid, vec![set(ORDERS, paid, doc! { "lines.0.quantity": 3 })])
            .saying("other goods"),
        case(
            &[Rule::SoldOnce],
            refunded,
            vec![set(RESERVATIONS, refunded, doc! { "state.is": "sold" })],
        )
        .saying("still sold to it"),
    ]
}

fn counted() -> Vec<Case> {
    let stock = (Service::Product, "stock");
    let broken = [Rule::StockReserved, Rule::StockLedger, Rule::CopyDiffers];
    vec![
        case(&broken, "TRAY", vec![set(stock, "TRAY", doc! { "on_hand": 0_i64 })])
            .saying("0 are on hand, and 1 of them reserved"),
        case(&broken, "MUG-XL", vec![set(stock, "MUG-XL", doc! { "reserved": -1_i64 })])
            .saying("4 are on hand, and -1 of them reserved"),
    ]
}

fn eur(amount: i64) -> Document {
    doc! { "amount": amount, "currency": "EUR" }
}

fn set(place: Place, id: &str, set: Document) -> Edit {
    Edit::change(place, id, doc! { "$set": set })
}

async fn attempts(shop: &Shop) -> Vec<Case> {
    let Shop { paid, reserved, cancelled, .. } = shop;
    let (due, of_paid) = (shop.payment(reserved).await, shop.payment(paid).await);
    let of_cancelled = shop.payment(cancelled).await;
    let tried = |state: &str| {
        doc! { "id": format!("att_{NOBODYS}"), "amount": eur(2500), "state": state }
    };
    let began = doc! {
        "$push": { "attempts": tried("processing") }, "$set": { "look_at": FAR_OFF },
    };
    let twice = doc! { "$push": { "attempts": tried("captured") } };
    let forgotten = doc! { "look_at": LONG_AGO };
    vec![
        case(&[Rule::OpenAttempt], cancelled, vec![Edit::change(PAYMENTS, &of_cancelled, began)]),
        case(
            &[Rule::PaidTwice, Rule::LedgerDiffers, Rule::MoneyDiffers],
            paid,
            vec![Edit::change(PAYMENTS, &of_paid, twice)],
        ),
        case(&[Rule::Hanging], &due, vec![set(PAYMENTS, &due, forgotten)]),
        case(
            &[Rule::Hanging],
            reserved,
            vec![
                set(ORDERS, reserved, doc! { "status.pay_by": LONG_AGO }),
                set(PAYMENTS, &due, doc! { "pay_by": LONG_AGO }),
            ],
        ),
        case(&[Rule::CopyDiffers], reserved, vec![set(PAYMENTS, &due, doc! { "pay_by": FAR_OFF })]),
    ]
}

async fn waiting(shop: &Shop) -> Vec<Case> {
    let Shop { reserved, cancelled, .. } = shop;
    let (due, of_cancelled) = (shop.payment(reserved).await, shop.payment(cancelled).await);
    let tried = |state: &str| {
        doc! { "id": format!("att_{NOBODYS}"), "amount": eur(8000), "state": state }
    };
    let unasked = doc! {
        "$push": { "attempts": tried("processing") }, "$set": { "look_at": null },
    };
    let unheard = doc! { "status.state": "placed", "asked_at": LONG_AGO };
    let mut odd = tried("mismatched");
    odd.insert("came", eur(2400));
    let entered = |account: &str, amount: i64| {
        let entry = doc! {
            "payment_id": &of_cancelled, "account": account, "amount": eur(amount), "at": LONG_AGO,
        };
        Edit::insert(LEDGER, &format!("made_up:1:{account}"), entry)
    };
    let came = vec![
        Edit::change(PAYMENTS, &of_cancelled, doc! { "$push": { "attempts": odd } }),
        entered("provider_clearing", 2400),
        entered("customer_funds", -2400),
    ];
    vec![
        case(&[Rule::Hanging], reserved, vec![set(ORDERS, reserved, unheard)]).saying("asked for"),
        case(&[Rule::Hanging], &due, vec![Edit::change(PAYMENTS, &due, unasked)])
            .saying("nobody will ask"),
        case(&[Rule::MoneyKept], cancelled, came).saying("another amount"),
        case(&[Rule::CopyMissing], reserved, vec![Edit::delete(PAYMENTS, &due)])
            .saying("never heard"),
    ]
}

async fn money(shop: &Shop) -> Vec<Case> {
    let Shop { paid, refunded, .. } = shop;
    let (of_paid, of_refunded) = (shop.payment(paid).await, shop.payment(refunded).await);
    let attempt = attempt_of(shop, &of_paid).await;
    let refund = format!("ref_{NOBODYS}");
    let back = doc! {
        "id": &refund, "attempt": &attempt, "amount": eur(2501), "state": "started",
    };
    let too_much = doc! { "$push": { "refunds": back }, "$set": { "look_at": FAR_OFF } };
    let captured = format!("payment.captured.{attempt}.amount");
    let dearer = [
        set(ORDERS, paid, doc! { "sums.total": eur(2600) }),
        set(PAYMENTS, &of_paid, doc! { "due.amount": eur(2600) }),
    ];
    let kept = set(PAYMENTS, &of_refunded, doc! { "refunds": [] });
    let stuck = set(ORDERS, paid, doc! { "payment.unrefunded": [refund] });
    let less = set(ORDERS, paid, doc! { captured: 2499_i64 });
    let too_much = Edit::change(PAYMENTS, &of_paid, too_much);
    vec![
        case(&[Rule::Unpaid], paid, dearer.to_vec()),
        case(&[Rule::RefundedTooMuch], &of_paid, vec![too_much]),
        case(&[Rule::MoneyKept, Rule::LedgerDiffers, Rule::MoneyDiffers], refunded, vec![kept]),
        case(&[Rule::MoneyDiffers], paid, vec![stuck]),
        case(&[Rule::MoneyInSum, Rule::MoneyDiffers], "EUR", vec![less]),
    ]
}

async fn ledger(shop: &Shop) -> Vec<Case> {
    let payment = shop.payment(&shop.paid).await;
    let half = |name: &str, account: &str, amount: i64| {
        let amount = doc! { "amount": amount, "currency": "EUR" };
        let entry = doc! {
            "payment_id": &payment, "account": account, "amount": amount, "at": LONG_AGO,
        };
        Edit::insert(LEDGER, &format!("{name}:{account}"), entry)
    };
    vec![
        case(
            &[Rule::LedgerBalance, Rule::LedgerDiffers],
            &payment,
            vec![half("made_up:1", "losses", 1)],
        ),
        case(
            &[Rule::LedgerDiffers],
            &payment,
            vec![half("made_up:1", "losses", 1), half("made_up:1", "disputed", -1)],
        ),
    ]
}

async fn on_the_bus(shop: &Shop) {
    let bus = async_nats::connect(shop.world.nats().url()).await.unwrap();
    let bus = jetstream::new(bus);

    let letter = bus.publish("dead.order.order-saga.probe", "{}".into()).await.unwrap();
    letter.await.unwrap();
    found(shop, &[Rule::DeadLetter], "DEAD/1", "gave up").await;
    bus.get_stream("DEAD").await.unwrap().purge().await.unwrap();

    let orders = bus.get_stream("ORDER").await.unwrap();
    let deaf = Config { durable_name: Some("mail-probe".to_owned()), ..Config::default() };
    orders.create_consumer(deaf).await.unwrap();
    found(shop, &[Rule::ConsumerLag], "ORDER/mail-probe", "unheard").await;
    orders.delete_consumer("mail-probe").await.unwrap();

    // The same event once more, with another order in it.
    let carts = bus.get_stream("CART").await.unwrap();
    let first = carts.get_raw_message(1).await.unwrap();
    let mut event: serde_json::Value = serde_json::from_slice(&first.payload).unwrap();
    event["data"]["order_id"] = format!("ord_{NOBODYS}").into();
    let lost = bus.publish(first.subject.clone(), event.to_string().into()).await.unwrap();
    let place = lost.await.unwrap().sequence;
    // Those who hear carts are gone, so they have not heard it.
    found(shop, &[Rule::CheckoutLost, Rule::ConsumerLag], NOBODYS, "no such order").await;
    carts.delete_message(place).await.unwrap();
}

/// The attempt that a payment was paid by.
async fn attempt_of(shop: &Shop, payment: &str) -> String {
    let payments = shop.collection(Service::Payment, "payments");
    let payment = payments.find_one(doc! { "_id": payment }).await.unwrap().unwrap();
    let attempts = payment.get_array("attempts").unwrap();
    attempts[0].as_document().unwrap().get_str("id").unwrap().to_owned()
}
