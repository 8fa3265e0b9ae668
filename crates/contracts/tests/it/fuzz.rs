//! Whatever comes as an event is read or refused, and what is read says the same when it is told on.

use std::str::FromStr;
use std::sync::LazyLock;

use contracts::{
    Currency, Described, Envelope, OrderId, Quantity, Sku, Timestamp, UserId, catalogue,
    sequence_text,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};
use testkit::fuzz;

static EVENTS: LazyLock<Vec<Described>> = LazyLock::new(catalogue);

/// An envelope around data.
fn envelope(kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": "evt_0190b0e1c7f67c3e9d1a2b3c4d5e6f70",
        "source": "/souk/order", "type": kind, "subject": "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70",
        "time": "2026-01-31T12:00:00.000Z", "datacontenttype": "application/json",
        "sequence": sequence_text(7), "correlationid": "req_1", "causationid": "req_1",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "data": data,
    })
}

/// Texts that are read in addresses, headers and events.
const WORDS: [&str; 6] = [
    "ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70",
    "2026-01-31T12:00:00.000Z",
    "-009999-01-02T01:59:59Z",
    "EUR",
    "MUG-BLUE",
    "999",
];

fn says_the_same<T: FromStr + ToString>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let again = read.to_string().parse::<T>().ok();
        assert_eq!(again.map(|again| again.to_string()), Some(read.to_string()), "{text:?}");
    }
}

/// What is in an envelope reads the same when it is told on.
fn data_say_the_same(envelope: &Envelope) -> TestCaseResult {
    let event = EVENTS.iter().find(|it| it.event_type.type_name() == envelope.event_type);
    let data = serde_json::from_str(envelope.data.get()).ok();
    let read = event.zip(data).map(|(event, data)| (event, (event.reread)(&data)));
    if let Some((event, Ok(read))) = read {
        prop_assert_eq!((event.reread)(&read).expect("it was read before"), read);
    }
    Ok(())
}

#[test]
fn no_data_of_an_event_makes_it_panic() {
    fuzz::always(&(any::<Index>(), fuzz::choices()), |(at, choices)| {
        let event = at.get(&EVENTS);
        if let Ok(read) = (event.reread)(&fuzz::json(&event.sample, &choices)) {
            prop_assert_eq!((event.reread)(&read).expect("it was read before"), read);
        }
        Ok(())
    });
}

#[test]
fn no_bytes_of_a_message_make_it_panic() {
    let whole = |it: &Described| envelope(&it.event_type.type_name(), &it.sample);
    let envelopes: Vec<_> = EVENTS.iter().map(whole).collect();

    fuzz::always(&fuzz::nearly_json(&envelopes), |bytes| {
        let Ok(read) = Envelope::parse(&bytes) else { return Ok(()) };
        let told = serde_json::to_vec(&read).unwrap();
        let again = Envelope::parse(&told).unwrap();
        prop_assert_eq!(serde_json::to_vec(&again).unwrap(), told);
        prop_assert_eq!(again.sequence(), read.sequence());
        data_say_the_same(&read)
    });
}

#[test]
fn no_text_makes_a_word_of_the_language_panic() {
    fuzz::always(&fuzz::nearly_text(&WORDS), |text| {
        says_the_same::<OrderId>(&text);
        says_the_same::<UserId>(&text);
        says_the_same::<Timestamp>(&text);
        says_the_same::<Currency>(&text);
        says_the_same::<Sku>(&text);
        if let Ok(quantity) = serde_json::from_str::<Quantity>(&text) {
            prop_assert!((1..=999).contains(&quantity.get()));
        }
        Ok(())
    });
}
