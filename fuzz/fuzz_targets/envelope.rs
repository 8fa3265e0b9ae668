//! Whatever comes by the bus is an event or is refused; what is read says the same when it is told
//! on.
#![no_main]

use std::sync::LazyLock;

use contracts::{Described, Envelope, catalogue};
use libfuzzer_sys::fuzz_target;

static EVENTS: LazyLock<Vec<Described>> = LazyLock::new(catalogue);

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = Envelope::parse(bytes) else { return };
    let told = serde_json::to_vec(&read).expect("an envelope is JSON");
    let again = Envelope::parse(&told).expect("what was told is an envelope");
    assert_eq!(serde_json::to_vec(&again).expect("an envelope is JSON"), told);
    assert_eq!(again.sequence(), read.sequence());
    open(&read);
});

/// Its data, as the type reads them that it names.
fn open(envelope: &Envelope) {
    let event = EVENTS.iter().find(|it| it.event_type.type_name() == envelope.event_type);
    let (Some(event), Ok(data)) = (event, serde_json::from_str(envelope.data.get())) else {
        return;
    };
    if let Ok(read) = (event.reread)(&data) {
        assert_eq!((event.reread)(&read).expect("what was read is of its type"), read);
    }
}
