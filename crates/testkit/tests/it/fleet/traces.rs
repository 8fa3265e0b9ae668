//! What a collector hears of a purchase.

use serde_json::json;
use testkit::fleet::{Options, Service};
use testkit::{Collector, Step};

use super::shop::Shop;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const BROWSER: &str = "00f067aa0ba902b7";
/// How OTLP counts steps that answer a request, and those that hear a message.
const ANSWERS: i32 = 2;
const HEARS: i32 = 5;

/// All services tell their traces to this collector.
pub(super) fn traced(options: Options, collector: &Collector) -> Options {
    Service::ALL.into_iter().fold(options, |options, service| {
        options.env(service, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
    })
}

#[tokio::test]
async fn a_checkout_is_one_trace_through_requests_and_events() {
    let collector = Collector::start().await.unwrap();
    let shop = Shop::open_with(traced(Options::default(), &collector)).await;
    shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 2).await;

    let accepted = json!({ "expected_total": guest.cart().await["total"] });
    let checkout = guest.client.post("/api/cart/checkout").json(&accepted).key("once");
    let checkout = checkout.header("traceparent", &format!("00-{TRACE}-{BROWSER}-01")).await.ok();
    guest.until(&checkout.text_of("order_id"), "reserved").await;
    // What was not told yet is told when a service ends.
    shop.stop().await;

    let steps = collector.steps();
    let begun = step(&steps, BROWSER, "cart", "POST /api/cart/checkout", ANSWERS);
    assert_eq!(begun.attributes["http.status"], "202");
    let answered = format!("00-{TRACE}-{}-01", begun.id);
    assert_eq!(checkout.header("traceparent"), Some(answered.as_str()));
    let placed = step(&steps, &begun.id, "order", "souk.cart.checked_out.v1", HEARS);
    let reserved = step(&steps, &placed.id, "product", "souk.order.placed.v1", HEARS);
    step(&steps, &reserved.id, "order", "souk.product.reserved.v1", HEARS);
}

/// The only step of the trace that this one led to in this service, timelines and mails aside.
fn step<'a>(steps: &'a [Step], parent: &str, service: &str, name: &str, kind: i32) -> &'a Step {
    let saga = format!("{service}-saga");
    let ours: Vec<_> = steps.iter().filter(|it| it.trace == TRACE).collect();
    let mut found = ours.iter().filter(|it| {
        let aside = it.attributes.get("durable").is_some_and(|durable| *durable != saga);
        !aside && (&*it.service, &*it.name, &*it.parent) == (service, name, parent)
    });
    let (Some(one), None) = (found.next(), found.next()) else {
        panic!("{service} {name} after {parent} in {ours:#?}")
    };
    assert_eq!(one.kind, kind, "{one:#?}");
    one
}
