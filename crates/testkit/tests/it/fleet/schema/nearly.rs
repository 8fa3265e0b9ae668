//! Whatever is nearly a good request is answered in words: every endpoint, every part of a request
//! that somebody else wrote.

use std::time::SystemTime;

use aws_lc_rs::hmac;
use serde::Deserialize;
use serde_json::Value;
use testkit::fleet::{Options, Service};
use testkit::{Answer, Client, Shopper, fuzz};

use super::super::shop::Shop;

/// Every endpoint as it is used, of what there is in a shop.
const REQUESTS: &str = include_str!("requests.json");
const CASES: u32 = 600;
const WEBHOOKS: &str = "only-for-tests-0123456789-abcdefghij";
/// What nobody who is refused is to read again.
const PASSWORD: &str = "Tr0ub4dor-and-3";

/// Who asks, and what is good as it is.
struct Good {
    client: Client,
    golden: Golden,
}

/// A good request.
#[derive(Deserialize)]
struct Golden {
    who: String,
    method: String,
    /// What of the path is not changed.
    prefix: String,
    path: String,
    query: String,
    body: Option<Value>,
}

/// Headers that are read somewhere, each as it would be good.
const HEADERS: [(&str, &str); 8] = [
    ("idempotency-key", "\"8e03978e-40d5-43e8\""),
    ("if-match", "W/\"3-0a1b2c3d\", \"4-0a1b2c3d\""),
    ("if-none-match", "\"3-0a1b2c3d\""),
    ("x-forwarded-for", "203.0.113.7, [2001:db8::1]:4711"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("tracestate", "souk=1"),
    ("content-type", "application/json; charset=utf-8"),
    ("accept", "application/json"),
];

#[tokio::test]
async fn what_is_nearly_a_good_request_is_answered_in_words() {
    let options = Options::default().env(Service::Auth, "SOUK_TRUSTED_PROXIES", "1").env(
        Service::Payment,
        "SOUK_SANDBOX_WEBHOOK_SECRET",
        WEBHOOKS,
    );
    let shop = Shop::open_with(options).await;
    let alice = shop.guest().await;
    let goods = goods(&shop, &alice).await;

    for case in 0..fuzz::cases(CASES) {
        let numbers = numbers(case);
        let good = &goods[case as usize % goods.len()];
        let answer = ask(good, &numbers).await;
        is_in_words(&answer, good.client.token(), case);
    }

    shop.nothing_is_dead().await;
}

#[tokio::test]
async fn whatever_was_heard_last_events_are_told() {
    let shop = Shop::open().await;
    let alice = shop.guest().await;
    shop.sells("CUP", 1250, 5).await;
    let order = alice.buys("CUP", 1, "pm_card_visa").await.text_of("id");

    for case in 0..fuzz::cases(30) {
        let heard = fuzz::text("12.3:0190b0e1c7f67c3e9d1a2b3c4d5e6f70", &numbers(case)[..4]);
        let events = alice.client.get(format!("/api/orders/{order}/events"));
        // Panics when these are none.
        drop(events.header("last-event-id", &heard).events().await);
    }
}

/// Every endpoint that takes anything, as it is used.
async fn goods(shop: &Shop, alice: &Shopper) -> Vec<Good> {
    let product = shop.sells("CUP", 1250, 100_000).await;
    let order = alice.buys("CUP", 2, "pm_card_visa").await.text_of("id");
    let payment = alice.payments(&order).await[0]["id"].as_str().unwrap().to_owned();
    let text = REQUESTS.replace("{product}", &product).replace("{order}", &order);
    let goods = serde_json::from_str::<Vec<Golden>>(&text.replace("{payment}", &payment)).unwrap();
    let who = |golden: Golden| Good {
        client: match golden.who.as_str() {
            "staff" => shop.staff.client.clone(),
            "alice" => alice.client.clone(),
            _ => shop.client.clone(),
        },
        golden,
    };
    goods.into_iter().map(who).collect()
}

/// Asks for what is good, but for some of its parts; the first numbers say for which.
async fn ask(Good { client, golden }: &Good, numbers: &[u32]) -> Answer {
    let (few, changed) = (few(numbers), |part: u32| numbers[0] >> part & 1 == 1);
    let mut request = client.request(golden.method.parse().unwrap(), address(golden, numbers));
    for (place, (name, value)) in HEADERS.into_iter().enumerate() {
        if numbers[2] >> place & 3 == 3 {
            request = request.header(name, &fuzz::text(value, few));
        } else if numbers[2] >> place & 3 != 0 {
            request = request.header(name, value);
        }
    }
    if changed(3) && changed(4) && !client.token().is_empty() {
        request = request.bearer(&fuzz::text(client.token(), &few[..2]));
    }
    let Some(body) = &golden.body else { return request.await };
    let json = if changed(5) { fuzz::json(body, few) } else { body.clone() };
    let text = json.to_string().into_bytes();
    let text = if changed(6) && changed(7) { fuzz::bytes(&text, few) } else { text };
    let signed = signature(&text);
    let signed = if changed(8) { signed } else { fuzz::text(&signed, &few[..2]) };
    request.header("souk-sandbox-signature", &signed).body(text).await
}

fn address(golden: &Golden, numbers: &[u32]) -> String {
    let (few, changed) = (few(numbers), |part: u32| numbers[0] >> part & 1 == 1);
    let nearly = |text: &str, changed: bool| {
        in_address(&if changed { fuzz::bytes(text.as_bytes(), few) } else { text.into() })
    };
    let path = nearly(&golden.path, changed(0) && changed(1));
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let query = nearly(&golden.query, changed(2));
    format!("{}{slash}{path}?{query}", golden.prefix)
}

/// The numbers that say what becomes of a part.
fn few(numbers: &[u32]) -> &[u32] {
    &numbers[3..5 + numbers[1] as usize % 11]
}

/// No failure; and a refusal says why, and nothing that is secret.
fn is_in_words(answer: &Answer, token: &str, case: u32) {
    let shown = format!("case {case}: {} {} {}", answer.asked, answer.status, answer.text);
    assert!(answer.status < 500, "{shown}");
    assert!(token.is_empty() || !answer.text.contains(token), "{shown}");
    assert!(!answer.text.contains(PASSWORD), "{shown}");
    if answer.status >= 400 {
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{shown}");
        assert!(
            answer["type"].as_str().unwrap_or_default().starts_with("urn:souk:problem:"),
            "{shown}"
        );
        assert_eq!(answer["status"], answer.status, "{shown}");
    }
}

/// As a path or a query bears any bytes; what parts them stays.
fn in_address(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~=&+%".contains(&byte);
    let one =
        |byte: &u8| if plain(*byte) { char::from(*byte).into() } else { format!("%{byte:02X}") };
    bytes.iter().map(one).collect()
}

/// As the sandbox signs what it says.
fn signature(body: &[u8]) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOKS.as_bytes());
    let tag = hmac::sign(&key, &[format!("{now}.").as_bytes(), body].concat());
    let hex: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={}", hex.concat())
}

/// The numbers that decide a case, always the same (`SplitMix64`).
fn numbers(case: u32) -> Vec<u32> {
    let mut state = u64::from(case).wrapping_mul(0xd134_2543_de82_ef95);
    let next = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(0)
    };
    (0..16).map(next).collect()
}
