//! What happened to an order, in plain words.

use std::collections::BTreeMap;

use axum::extract::State;
use common::http::{Json, Path, Problem, Problems};
use common::identity::Shopper;
use contracts::{EventId, OrderId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Refusal;
use crate::store::Orders;
use crate::timeline::{Because, Line};

/// What happened to an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Timeline)]
pub(super) struct TimelineView {
    /// What happened, the oldest first.
    items: Vec<EntryView>,
    /// Whether there is more than is shown: of an order to which very much happens, the oldest 40
    /// and the newest 160 entries are kept.
    shortened: bool,
}

/// Something that happened to an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(super) struct EntryView {
    /// When it happened.
    at: Timestamp,
    /// What happened, by a name that never changes its meaning.
    #[schema(example = "refunded")]
    what: String,
    /// What happened, in a sentence for the one who bought.
    #[schema(example = "12.50 EUR went back to you because the goods were gone at 12:03 UTC.")]
    text: String,
    /// Why it happened, where that is known; `text` says so, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<BecauseView>,
    /// Where it comes from; for staff.
    #[serde(flatten)]
    origin: Option<OriginView>,
}

/// Why something happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineBecause)]
struct BecauseView {
    /// The reason, as it stands in the sentence.
    #[schema(example = "the goods were gone at 12:03 UTC")]
    text: String,
    /// What says so: this entry, or one that led to it.
    #[schema(example = "commit_refused")]
    what: String,
    /// When that happened.
    at: Timestamp,
}

/// Where an entry comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineOrigin)]
struct OriginView {
    /// Whether those who buy see the entry, too.
    shown_to_customer: bool,
    /// Who told it.
    #[schema(example = "/souk/payment")]
    source: String,
    /// As what it was told.
    #[serde(rename = "type")]
    #[schema(example = "souk.payment.refunded.v1")]
    event_type: String,
    /// The event that told it.
    event_id: EventId,
    /// The conversation that it is part of.
    correlation_id: String,
    /// What directly caused it: another event, or a request.
    causation_id: String,
    /// The trace that it is part of (W3C trace context).
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Ids and reason codes.
    details: BTreeMap<String, String>,
}

/// See what happened to an order, in plain words.
///
/// The oldest comes first, and what caused something stands before it. It is kept from what the
/// services tell each other, so the newest may come a moment after the order has changed. Staff see
/// more entries than the one who bought, and where each comes from.
#[utoipa::path(get, path = "/api/orders/{id}/timeline", tag = "orders",
    security(("bearer" = [])), params(("id" = OrderId, Path)),
    responses((status = OK, body = TimelineView), Problems))]
pub(super) async fn get_timeline(
    State(orders): State<Orders>,
    shopper: Shopper,
    Path(id): Path<OrderId>,
) -> Result<Json<TimelineView>, Problem> {
    let person = orders.person(&shopper).await?;
    let order = orders.get(id, &person).await?;
    order.ok_or_else(|| Refusal::unknown(id, orders.clock().now()))?;
    let timeline = orders.timelines().get(id).await?;
    let story = timeline.story();
    let shown = story.iter().filter_map(|line| EntryView::of(line, person.is_staff));
    Ok(Json(TimelineView { items: shown.collect(), shortened: timeline.is_shortened() }))
}

impl EntryView {
    /// The entry as staff or the one who bought see it; `None` when it says nothing to them.
    pub(super) fn of(line: &Line<'_>, is_staff: bool) -> Option<Self> {
        let because = line.because.as_ref().map(BecauseView::of);
        (is_staff || line.is_for_shoppers()).then(|| Self {
            at: line.at(),
            what: line.what().to_owned(),
            text: line.text(),
            because,
            origin: is_staff.then(|| OriginView::of(line)),
        })
    }
}

impl BecauseView {
    fn of(because: &Because<'_>) -> Self {
        let Because { clause, what, at } = because;
        Self { text: clause.clone(), what: (*what).to_owned(), at: *at }
    }
}

impl OriginView {
    fn of(line: &Line<'_>) -> Self {
        let entry = line.entry;
        Self {
            shown_to_customer: line.is_for_shoppers(),
            source: entry.source.clone(),
            event_type: entry.event_type.clone(),
            event_id: entry.id,
            correlation_id: entry.correlation_id.clone(),
            causation_id: entry.causation_id.clone(),
            trace_id: entry.trace_id.clone(),
            details: entry.words.details.clone(),
        }
    }
}
