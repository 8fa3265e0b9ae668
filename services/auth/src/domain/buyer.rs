//! Whose orders are: what auth keeps of them, so that it can write to who bought.

use std::time::Duration;

use common::{Change, Document};
use contracts::{OrderId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{About, Mail};

/// So long after an order somebody may still be told of a refund.
pub(crate) const REMEMBERED: Duration = Duration::from_hours(24 * 365);
/// What happened longer ago is no news: who hears of the past again tells nobody.
pub(crate) const NEWS: Duration = Duration::from_hours(72);

/// Who ordered something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Buyer {
    /// The order.
    #[serde(rename = "_id")]
    pub(crate) id: OrderId,
    /// Who ordered, a guest perhaps.
    pub(crate) user_id: UserId,
    /// When auth heard of it.
    pub(crate) known_at: Timestamp,
}

impl Document for Buyer {
    const COLLECTION: &'static str = "buyers";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

impl Buyer {
    /// Somebody ordered. It is theirs from then on.
    pub(crate) fn order(
        known: Option<Self>,
        order: OrderId,
        user_id: UserId,
        now: Timestamp,
    ) -> Change<()> {
        let buyer = Self { id: order, user_id, known_at: now };
        known.map_or_else(|| Change::to(buyer).map(drop), |_| Change::none(()))
    }

    /// Notes who ordered, and writes the first mail about the order. Nothing else is mailed before:
    /// until then it is not known to whom.
    pub(crate) fn receive(
        known: Option<Self>,
        mail: Option<Mail>,
        (order, user_id): (OrderId, UserId),
        sequence: i64,
        now: Timestamp,
    ) -> Change<()> {
        let buyer = known.clone().unwrap_or(Self { id: order, user_id, known_at: now });
        let told = Self::tell(Some(&buyer), mail, &About::Received { order }, sequence, now);
        Self::order(known, order, user_id, now).and(told)
    }

    /// Who bought is told something of their order, once. Should the order itself not have been heard
    /// of yet, it is found when the mail is sent.
    pub(crate) fn tell(
        buyer: Option<&Self>,
        known: Option<Mail>,
        about: &About,
        sequence: i64,
        now: Timestamp,
    ) -> Change<()> {
        let mail = Mail::write(about.mail(""), buyer.map(|it| it.user_id), about.clone(), now);
        let mail = Mail { sequence: Some(sequence), ..mail };
        known.map_or_else(|| Change::to(mail).map(drop), |_| Change::none(()))
    }
}
