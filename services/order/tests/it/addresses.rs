//! Where the goods go, and how each country writes it.

use serde_json::{Value, json};
use testkit::Answer;

use crate::acts::refused;
use crate::shop::Shop;

/// An address in a country with these fields besides.
fn address(country: &str, fields: &Value) -> Value {
    let mut address = json!({ "name": "Ada Lovelace", "line1": "Road 7", "country": country });
    let (all, more) = (address.as_object_mut().unwrap(), fields.as_object().unwrap());
    all.extend(more.clone());
    address
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn addresses_fit_their_country() {
    let shop = Shop::open().await;
    let path = format!("/api/orders/{}/address", shop.sells().await.order);
    let staff = shop.staff();
    let put = |country: &str, fields: Value| staff.put(&path).json(&address(country, &fields));

    for (country, fields) in [
        ("HK", json!({ "city": "Hong Kong" })),
        ("HK", json!({ "region": "Kowloon", "city": "Mong Kok" })),
        ("AE", json!({ "region": "Dubai", "postal_code": "" })),
        ("PA", json!({ "city": "Panamá" })),
        ("GH", json!({ "city": "Accra", "postal_code": null })),
        ("SG", json!({ "postal_code": "546080" })),
        ("MC", json!({ "postal_code": "98000" })),
        ("GI", json!({ "postal_code": "GX11 1AA" })),
        ("VA", json!({ "postal_code": "00120" })),
        ("US", json!({ "city": "Cupertino", "region": "CA", "postal_code": "95014" })),
        ("GB", json!({ "city": "London", "postal_code": "SW1A 1AA" })),
        ("DE", json!({ "city": "Berlin", "postal_code": "10115" })),
    ] {
        let stored = put(country, fields.clone()).await.status(200);
        let named = fields.as_object().unwrap().iter();
        for (field, value) in
            named.filter(|(_, value)| value.as_str().is_some_and(|it| !it.is_empty()))
        {
            assert_eq!(&stored["address"][field], value, "{country}");
        }
    }
    for (country, fields, wrong) in [
        ("DE", json!({ "city": "Berlin" }), vec!["/postal_code"]),
        ("DE", json!({ "city": "Berlin", "postal_code": "SW1A 1AA" }), vec!["/postal_code"]),
        ("DE", json!({}), vec!["/postal_code", "/city"]),
        ("HK", json!({ "city": "Hong Kong", "postal_code": "999077" }), vec!["/postal_code"]),
        ("SG", json!({}), vec!["/postal_code"]),
        ("US", json!({ "city": "Cupertino", "postal_code": "95014" }), vec!["/region"]),
        ("DE", json!({ "city": "Berlin", "postal_code": "10115", "line1": "" }), vec!["/line1"]),
    ] {
        let misfit = put(country, fields.clone()).await;
        refused(&misfit, 422, "invalid");
        assert_eq!(pointers(&misfit), wrong, "{country} {fields}");
        assert!(misfit.text.contains(country) || wrong == ["/line1"], "{}", misfit.text);
    }
}

#[tokio::test]
async fn countries_are_those_of_iso_3166() {
    let shop = Shop::open().await;
    let path = format!("/api/orders/{}/address", shop.sells().await.order);

    for country in ["ZZ", "UK", "EU", "XK", "AN", "SU", "de", "DEU", ""] {
        let fields = json!({ "city": "Berlin", "postal_code": "10115" });
        let misfit = shop.staff().put(&path).json(&address(country, &fields)).await;
        refused(&misfit, 422, "invalid");
        assert_eq!(pointers(&misfit), ["/country"], "{country}");
    }
}

#[tokio::test]
async fn lines_and_phone_are_kept() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let path = format!("/api/orders/{order}/address");
    let berlin = |fields: Value| {
        let mut all = json!({ "city": "Berlin", "postal_code": "10115" });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        address("DE", &all)
    };

    let now = berlin(json!({ "line2": "2nd floor", "phone": "0049 171 23456700" }));
    let stored = shop.staff().put(&path).json(&now).await.status(200);

    let address = &stored["address"];
    assert_eq!((&address["line1"], &address["line2"]), (&json!("Road 7"), &json!("2nd floor")));
    assert_eq!((&address["street"], &address["extra"]), (&json!("Road 7"), &json!("2nd floor")));
    assert_eq!(address["phone"], "0049 171 23456700");
    let read = shop.staff().get(format!("/api/orders/{order}")).await.status(200);
    assert_eq!(&read["address"], address);
    for (field, value) in [("phone", "call me"), ("phone", "123"), ("line2", "a\u{2028}b")] {
        let misfit = shop.staff().put(&path).json(&berlin(json!({ field: value }))).await;
        refused(&misfit, 422, "invalid");
        assert_eq!(pointers(&misfit), [format!("/{field}")], "{value:?}");
    }
    for card in ["378282246310005", "3782 822463 10005", "30569309025904", "4222222222222"] {
        let paying = shop.staff().put(&path).json(&berlin(json!({ "phone": card }))).await;
        refused(&paying, 422, "card-number");
    }
    for phone in ["+49 171 23456700", "4917123456700", "00 49 171 23456700"] {
        let called = berlin(json!({ "phone": phone }));
        let _ = shop.staff().put(&path).json(&called).await.status(200);
    }
    for (field, given, kept) in [
        ("postal_code", "DE-10115", json!("10115")),
        ("postal_code", "１０１１５", json!("10115")),
        ("line2", "\u{200b}", json!(null)),
        ("phone", "tel:+49 30 123456 ext. 12", json!("+49 30 123456 ext. 12")),
    ] {
        let stored =
            shop.staff().put(&path).json(&berlin(json!({ field: given }))).await.status(200);
        assert_eq!(stored["address"].get(field).unwrap_or(&Value::Null), &kept, "{given}");
    }
    for line in ["Tel. 0049 171 23456700", "ISBN 978-3-16-148002-7", "IMEI 490154203237518"] {
        let ordinary = berlin(json!({ "line2": line }));
        let _ = shop.staff().put(&path).json(&ordinary).await.status(200);
    }
}

#[tokio::test]
async fn formats_of_countries_are_shown() {
    let shop = Shop::open().await;
    let format = async |country: &str| {
        let path = format!("/api/orders/address-formats/{country}");
        let answer = shop.anyone().get(path).await.status(200);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=86400"));
        assert_eq!(answer["country"], country);
        answer
    };
    let field = |answer: &Answer, name: &str| {
        let fields = answer["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap().clone()
    };

    let germany = format("DE").await;
    let names: Vec<_> =
        germany["fields"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    let written = ["name", "line1", "line2", "postal_code", "city", "country", "phone", "region"];
    assert_eq!(names, written);
    let code = json!({ "name": "postal_code", "use": "required", "pattern": "^(?:\\d{5})$",
        "example": "26133" });
    assert_eq!(field(&germany, "postal_code"), code);
    let hong_kong = format("HK").await;
    assert_eq!(field(&hong_kong, "postal_code")["use"], "unused");
    assert_eq!(field(&hong_kong, "region")["or_city"], true);
    assert_eq!(field(&format("SG").await, "city")["use"], "optional");
    assert_eq!(field(&format("IE").await, "postal_code")["called"], "eircode");
    for unknown in ["ZZ", "UK", "de", "Germany"] {
        let path = format!("/api/orders/address-formats/{unknown}");
        let _ = shop.anyone().get(path).await.status(404);
    }
}
