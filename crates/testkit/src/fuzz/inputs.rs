//! What a parser of foreign bytes is tried with: what is nearly good, and what is nothing at all.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::{bytes, json, text};

/// Numbers that decide how a sample is changed: a few times at most, so that much stays good.
pub fn choices() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 0..24)
}

/// Bytes that are nearly one of the samples, and sometimes any bytes.
pub fn nearly<T: AsRef<[u8]>>(samples: &[T]) -> impl Strategy<Value = Vec<u8>> + use<T> {
    let samples: Vec<_> = samples.iter().map(|sample| sample.as_ref().to_vec()).collect();
    prop_oneof![
        4 => (select(samples), choices()).prop_map(|(sample, choices)| bytes(&sample, &choices)),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

/// Text that is nearly one of the samples, and sometimes any text.
pub fn nearly_text<T: AsRef<str>>(samples: &[T]) -> impl Strategy<Value = String> + use<T> {
    let samples: Vec<_> = samples.iter().map(|sample| sample.as_ref().to_owned()).collect();
    let visible = (select(samples.clone()), choices());
    prop_oneof![
        2 => visible.prop_map(|(sample, choices)| text(&sample, &choices)),
        2 => nearly(&samples).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => any::<String>(),
    ]
}

/// A body that is nearly one of the samples: other values in good JSON, or other bytes.
pub fn nearly_json(samples: &[Value]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let texts: Vec<_> = samples.iter().map(Value::to_string).collect();
    let valued = (select(samples.to_vec()), choices());
    prop_oneof![
        1 => valued.prop_map(|(sample, choices)| json(&sample, &choices).to_string().into_bytes()),
        1 => nearly(&texts),
    ]
}
