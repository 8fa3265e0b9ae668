//! Whatever stands in an address, a header or an event is a word of the language or is refused; what
//! is read says the same when it is written.
#![no_main]

use std::str::{self, FromStr};

use contracts::{Currency, OrderId, Sku, Timestamp, UserId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    says_the_same::<OrderId>(text);
    says_the_same::<UserId>(text);
    says_the_same::<Timestamp>(text);
    says_the_same::<Currency>(text);
    says_the_same::<Sku>(text);
});

fn says_the_same<T: FromStr + ToString>(text: &str) {
    let Ok(read) = text.parse::<T>() else { return };
    let again = read.to_string().parse::<T>().ok();
    assert_eq!(again.map(|again| again.to_string()), Some(read.to_string()), "{text:?}");
}
