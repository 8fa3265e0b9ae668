//! Parcels, and where they go.

use contracts::order::{AddressChanged, Delivered, Shipped, TrackingCorrected};
use contracts::{Envelope, OrderId};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Answer;

use crate::acts::refused;
use crate::shop::{Purchase, Shop};

impl Shop {
    /// Staff, who ask this replica, send so many mugs.
    pub(crate) async fn sends(
        &self,
        replica: usize,
        order: OrderId,
        tracking: &str,
        pieces: Value,
    ) -> Answer {
        let parcel = json!({ "carrier": "Hermes", "tracking": tracking, "lines": pieces });
        let path = format!("/api/orders/{order}/ship");
        self.staff_at(replica).post(path).json(&parcel).key(tracking).await
    }
}

/// So many mugs, which every order here has two of.
pub(crate) fn mugs(pieces: u32) -> Value {
    json!([{ "sku": "MUG-BLUE", "quantity": pieces }])
}

fn address() -> Value {
    json!({ "name": "Ada Lovelace", "street": "Marktstr. 7", "postal_code": "10115",
        "city": "Berlin", "country": "DE" })
}

#[tokio::test]
async fn an_order_goes_in_parcels() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let deliver = format!("/api/orders/{order}/deliver");

    let first = shop.sends(0, order, "H-1", mugs(1)).await.status(200);
    assert_eq!((&first["status"], &first["tracking"]), (&json!("paid"), &json!("H-1")));
    let early = shop.staff().post(format!("/api/orders/{order}/cancel")).await.status(409);
    assert_eq!(
        early["allowed"],
        json!(["ship", "deliver", "refund", "return", "correct_tracking"])
    );
    let second = shop.sends(0, order, "H-2", mugs(1)).await.status(200);
    assert_eq!((&second["status"], &second["tracking"]), (&json!("shipped"), &json!("H-2")));
    let one = shop.staff().post(&deliver).json(&json!({ "parcel": 2 })).await.status(200);
    assert_eq!(one["status"], "shipped");
    let all = shop.staff().post(&deliver).await.status(200);

    assert_eq!(all["status"], "delivered");
    let parcels = all["parcels"].as_array().unwrap();
    assert_eq!(parcels.iter().map(|parcel| &parcel["lines"]).collect::<Vec<_>>(), [&mugs(1); 2]);
    shop.peer.hears::<Delivered>(order).await;
    let told = shop.peer.told::<Shipped>(order).await;
    let told: Vec<_> = told.iter().map(|told| (told.parcel, told.more_to_come)).collect();
    assert_eq!(told, [(1, true), (2, false)]);
}

#[tokio::test]
async fn of_two_who_send_the_same_piece_one_does() {
    let shop = Shop::with_replicas(2).await;
    let order = shop.sells().await.order;

    let answers = join_all((0..8).map(async |number: usize| {
        shop.sends(number % 2, order, &format!("H-{number}"), mugs(2)).await
    }))
    .await;

    let sent = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(sent, 1);
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
    let shown = shop.until(order, "shipped").await;
    assert_eq!(shown["parcels"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let unknown = json!([{ "sku": "CUP", "quantity": 1 }]);

    let many = shop.sends(0, order, "H-1", mugs(3)).await;
    refused(&many, 409, "too-many-pieces");
    assert_eq!((&many["sku"], &many["left"]), (&json!("MUG-BLUE"), &json!(2)));
    assert_eq!(many["order_status"], "paid");
    for (lines, pointer) in [
        (json!([]), "/lines"),
        (unknown, "/lines"),
        (mugs(0), "/lines/0/quantity"),
        (json!([{ "sku": "MUG-BLUE" }]), "/lines/0/quantity"),
        (json!([{ "sku": "MUG-BLUE", "quantity": 1, "gift": true }]), "/lines/0/gift"),
        (json!("MUG-BLUE"), "/lines"),
    ] {
        let answer = shop.sends(0, order, "H-1", lines).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer["errors"][0]["pointer"], pointer);
    }
}

#[tokio::test]
async fn what_cannot_have_arrived_says_why() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let (staff, deliver) = (shop.staff(), format!("/api/orders/{order}/deliver"));

    shop.sends(0, order, "H-1", mugs(1)).await.status(200);

    refused(&staff.post(&deliver).json(&json!({ "parcel": 2 })).await, 409, "no-such-parcel");
    refused(&staff.post(&deliver).json(&json!({ "parcel": -1 })).await, 422, "invalid");
    refused(&staff.post(&deliver).json(&json!({ "day": 1 })).await, 422, "invalid");
    refused(&staff.post(&deliver).body("now").await, 415, "unsupported-media-type");
    let long = json!({ "parcel": 1, "note": "x".repeat(4 << 20) });
    refused(&staff.post(&deliver).json(&long).await, 413, "body-too-large");
}

#[tokio::test]
async fn the_shopper_says_where_the_goods_go() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    let (order, alice) = (purchase.order, shop.shopper(purchase.customer));
    let (path, shown) = (format!("/api/orders/{order}/address"), format!("/api/orders/{order}"));
    let before = alice.get(&shown).await.ok();

    let put = alice.put(&path).json(&address()).if_match(before.etag()).await.status(200);

    let mut kept = address();
    kept["line1"] = kept["street"].clone();
    assert_eq!(put["address"], kept);
    assert_eq!(shop.staff().get(&shown).await["address"], kept);
    let again = alice.put(&path).json(&address()).await.status(200);
    assert_eq!(again["version"], put["version"]);
    let stale = alice.put(&path).json(&address()).if_match(before.etag()).await;
    refused(&stale, 412, "stale");
    let only_new = alice.put(&path).json(&address()).header("if-none-match", "*").await;
    refused(&only_new, 412, "exists-already");
    let bob = shop.shopper(shop.person());
    refused(&bob.put(&path).json(&address()).await, 404, "not-found");
    shop.peer.hears::<AddressChanged>(order).await;
}

#[tokio::test]
async fn an_address_is_kept_with_the_order_only() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let path = format!("/api/orders/{order}/address");
    shop.staff().put(&path).json(&address()).await.status(200);

    let sent = shop.ships(order, "k").await.status(200);

    assert_eq!(sent["address"], Value::Null, "the answer is kept for repeats");
    let mut elsewhere = address();
    elsewhere["city"] = json!("Potsdam");
    refused(&shop.staff().put(&path).json(&elsewhere).await, 409, "order-unfit");
    shop.peer.hears::<Shipped>(order).await;
    let told = shop.peer.envelopes("ORDER").await;
    let shows = |envelope: &Envelope| envelope.data.get().contains("Marktstr");
    assert!(!told.iter().any(shows));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let shop = Shop::open().await;
    let order = shop.buys().await.order;
    let staff = shop.staff();
    let with = |field: &str, value: Value| {
        let mut address = address();
        address[field] = value;
        staff.put(format!("/api/orders/{order}/address")).json(&address)
    };

    for (field, value) in [
        ("country", json!("Germany")),
        ("country", json!("de")),
        ("name", json!("")),
        ("street", json!("a\nb")),
        ("city", json!("x".repeat(101))),
        ("postal_code", json!(10115)),
        ("planet", json!("Earth")),
    ] {
        let answer = with(field, value).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer["errors"][0]["pointer"], format!("/{field}"));
    }
    assert_eq!(
        with("extra", json!("2nd floor")).await.status(200)["address"]["extra"],
        "2nd floor"
    );
}

#[tokio::test]
async fn order_is_sent_without_tracking() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let (staff, path) = (shop.staff(), format!("/api/orders/{order}/ship"));
    let one = json!({ "lines": mugs(1) });

    let first = staff.post(&path).json(&one).key("1").await.status(200);
    let again = staff.post(&path).json(&one).key("1").await.status(200);
    let second = staff.post(&path).json(&one).key("2").await.status(200);

    assert_eq!(again.text, first.text);
    assert_eq!((&first["carrier"], &first["parcels"][0]["tracking"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&second["status"], &second["parcels"][1]["number"]),
        (&json!("shipped"), &json!(2))
    );
    shop.peer.hears::<Shipped>(order).await;
    let told = shop.peer.told::<Shipped>(order).await;
    assert!(told.iter().all(|told| told.tracking.is_empty() && told.carrier.is_empty()));
}

#[tokio::test]
async fn dash_is_no_tracking() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let (staff, path) = (shop.staff(), format!("/api/orders/{order}/ship"));
    let one = json!({ "carrier": " - ", "tracking": "-", "lines": mugs(1) });

    let first = staff.post(&path).json(&one).key("1").await.status(200);
    let again = staff.post(&path).json(&one).key("1").await.status(200);
    let second = staff.post(&path).json(&one).key("2").await.status(200);
    let parcel = format!("/api/orders/{order}/parcels/1");
    let known = staff.patch(&parcel).json(&json!({ "tracking": "T9" })).await.status(200);
    let dash = json!({ "tracking": "-", "carrier": "-" });
    let none = staff.patch(&parcel).json(&dash).await.status(200);

    assert_eq!(again.text, first.text);
    assert_eq!((&first["carrier"], &first["tracking"]), (&Value::Null, &Value::Null));
    assert_eq!(second["parcels"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&known["parcels"][0]["tracking"], &none["parcels"][0]["tracking"]),
        (&json!("T9"), &Value::Null)
    );
    shop.has_heard_all().await;
    let told = shop.peer.told::<Shipped>(order).await;
    assert!(told.iter().all(|told| told.tracking.is_empty() && told.carrier.is_empty()));
    let told = shop.peer.told::<TrackingCorrected>(order).await;
    assert_eq!(told.iter().map(|told| told.tracking.as_str()).collect::<Vec<_>>(), ["T9", ""]);
}

#[tokio::test]
async fn case_makes_no_other_sku_of_an_order() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.sells().await;
    let (staff, at) = (shop.staff(), |act: &str| format!("/api/orders/{order}/{act}"));
    let lower = json!([{ "sku": "mug-blue", "quantity": 1 }]);
    let back = json!({ "lines": lower, "reason": "Too small" });

    let sent = shop.sends(0, order, "H-1", lower.clone()).await.status(200);
    let asked = shop.shopper(customer).post(at("returns")).json(&back).key("r").await.status(201);
    let refund = staff.post(at("refunds")).json(&back).key("f").await.status(201);
    let returned = asked.header("location").unwrap();
    staff.post(format!("{returned}/approve")).await.status(200);
    let came = json!({ "lines": lower });
    let received = staff.post(format!("{returned}/receive")).json(&came).await.status(200);

    assert_eq!(sent["parcels"][0]["lines"], mugs(1));
    assert_eq!(asked["lines"], mugs(1));
    assert_eq!(refund["lines"][0]["sku"], "MUG-BLUE");
    assert_eq!(received["returns"][0]["status"], "received");
}

#[tokio::test]
async fn null_is_no_body() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.sells().await;
    let (staff, alice, null) = (shop.staff(), shop.shopper(customer), Value::Null);
    let cancelled = shop.sells().await.order;
    let cancel = format!("/api/orders/{cancelled}/cancel");

    assert_eq!(staff.post(cancel).json(&null).await.status(200)["status"], "cancelled");
    shop.ships(order, "s").await.status(200);
    let deliver = format!("/api/orders/{order}/deliver");
    assert_eq!(staff.post(deliver).json(&null).await.status(200)["status"], "delivered");
    for (key, last) in [("1", "receive"), ("2", "reject")] {
        let back = json!({ "lines": mugs(1), "reason": "Too small" });
        let returns = format!("/api/orders/{order}/returns");
        let asked = alice.post(returns).json(&back).key(key).await.status(201);
        let returned = asked.header("location").unwrap();
        if last == "receive" {
            staff.post(format!("{returned}/approve")).json(&null).await.status(200);
        }
        staff.post(format!("{returned}/{last}")).json(&null).await.status(200);
    }
}

#[tokio::test]
async fn tracking_number_is_corrected() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    let (order, staff) = (purchase.order, shop.staff());
    let sent = shop.sends(0, order, "H-1", mugs(2)).await.status(200);
    let first = format!("/api/orders/{order}/parcels/1");
    let right = json!({ "tracking": "H-2" });

    let stale = staff.patch(&first).json(&right).if_match("\"1-00000000\"").await;
    refused(&stale, 412, "stale");
    let patch = || staff.patch(&first).json(&right).key("c");
    let corrected = patch().if_match(sent.etag()).await.status(200);
    assert_eq!(patch().if_match(sent.etag()).await.status(200).text, corrected.text);

    assert_eq!((&corrected["tracking"], &corrected["carrier"]), (&json!("H-2"), &json!("Hermes")));
    let told = shop.peer.hears::<TrackingCorrected>(order).await;
    assert_eq!((told.parcel, told.tracking.as_str()), (1, "H-2"));
    assert_eq!(shop.peer.told::<TrackingCorrected>(order).await.len(), 1);
    let none = staff.patch(&first).json(&json!({ "tracking": null })).await.status(200);
    assert_eq!((&none["tracking"], &none["carrier"]), (&Value::Null, &json!("Hermes")));
    let other = format!("/api/orders/{order}/parcels/2");
    refused(&staff.patch(&other).json(&right).await, 404, "not-found");
    refused(&staff.patch(&first).json(&json!({ "number": 2 })).await, 422, "invalid");
    let alice = shop.shopper(purchase.customer);
    refused(&alice.patch(&first).json(&right).await, 403, "forbidden");
}
