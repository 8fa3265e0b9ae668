//! How full the streams are.

use std::collections::BTreeSet;

use metrics::gauge;

use super::Bus;
use super::streams::{DEAD, OPS};

/// Reports how many bytes each stream holds and may hold, as the server says; a stream without a
/// bound has no `souk_stream_max_bytes`.
pub(super) async fn measure(bus: &Bus) {
    let catalogue = contracts::catalogue().into_iter().map(|it| it.event_type.stream());
    let own = [DEAD, OPS].into_iter().map(str::to_owned);
    for name in catalogue.chain(own).collect::<BTreeSet<_>>() {
        if let Ok(stream) = bus.jetstream.get_stream(&name).await {
            let info = stream.cached_info();
            publish(&name, info.state.bytes, info.config.max_bytes);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn publish(name: &str, bytes: u64, most: i64) {
    let labels = [("stream", name.to_owned())];
    gauge!("souk_stream_bytes", &labels).set(bytes as f64);
    if most > 0 {
        gauge!("souk_stream_max_bytes", &labels).set(most as f64);
    }
}
