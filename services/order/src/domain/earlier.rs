//! Orders as earlier versions stored them.

use mongodb::bson::{Bson, Document, doc};

/// Before orders went in parcels, what was sent said by whom, and that was all. It went in one
/// parcel, with everything.
pub(super) fn upcast(order: &mut Document) {
    let sent = order.get_document_mut("status").ok().and_then(sent);
    let in_parcels = order.get_array("parcels").is_ok_and(|parcels| !parcels.is_empty());
    let Some(mut parcel) = sent.filter(|_| !in_parcels) else { return };
    parcel.insert("lines", goods(order));
    order.insert("parcels", vec![parcel]);
}

/// The parcel of a status that has one. Who carried it was forgotten where it was noted as arrived
/// by a version that no longer knew of it.
fn sent(status: &mut Document) -> Option<Document> {
    let state = status.get_str("state").ok()?.to_owned();
    let at = status.get("at").cloned()?;
    let arrived = match state.as_str() {
        "shipped" => Bson::Null,
        "delivered" | "completed" => at.clone(),
        _ => return None,
    };
    let how = status.remove("parcel").and_then(|it| it.as_document().cloned()).unwrap_or_default();
    let text = |name: &str| how.get_str(name).unwrap_or("unknown").to_owned();
    Some(doc! {
        "number": 1,
        "carrier": text("carrier"),
        "tracking": text("tracking"),
        "sent_at": at,
        "delivered_at": arrived,
    })
}

/// All that was bought; lines of one SKU count together.
fn goods(order: &Document) -> Document {
    let mut goods = Document::new();
    let lines = order.get_array("lines").into_iter().flatten();
    for line in lines.filter_map(Bson::as_document) {
        let Ok(sku) = line.get_str("sku") else { continue };
        let before = goods.get(sku).and_then(number).unwrap_or(0);
        let pieces = line.get("quantity").and_then(number).unwrap_or(0);
        goods.insert(sku, before.saturating_add(pieces));
    }
    goods
}

fn number(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}
