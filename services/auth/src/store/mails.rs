//! The queue of mails, and whom they are for.

use std::collections::BTreeMap;
use std::time::Duration;

use common::store::{Cause, One, Resting, StoreError};
use common::{Change, Document as _};
use contracts::auth::Role;
use contracts::{OrderId, Timestamp, UserId};
use mongodb::bson::{Bson, doc};
use serde::Deserialize;
use tracing::info;

use super::{Accounts, Outcome};
use crate::domain::{
    About, AddressChange, Buyer, Mail, MailId, NEWS, REMEMBERED, Ticket, Unasked, User,
};

/// How long it is known that a mail was sent: longer than any event may come again.
const KEPT: Duration = Duration::from_hours(24 * 30);

/// So many of the mails about one order are looked through for the first that is readable.
const LINE: i64 = 64;

/// When a mail was written.
#[derive(Debug, Deserialize)]
struct Written {
    written_at: Timestamp,
}

/// A mail that waits, of which little is read: the rest may not be readable.
#[derive(Debug, Deserialize)]
struct Queued {
    #[serde(rename = "_id")]
    id: String,
    at: String,
}

/// A mail, and the order that it is about, if it is.
#[derive(Debug, Deserialize)]
struct OfOrder {
    #[serde(rename = "_id")]
    id: String,
    order: Option<Bson>,
}

/// When an event happened, and where it stands among those of its order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) sequence: i64,
}

impl Accounts {
    /// Makes sure that mails have a place, and are found when they are due.
    pub(super) async fn open_mails(&self) -> Result<(), StoreError> {
        self.store.index::<Mail>(doc! { "state": 1, "at": 1 }, false).await?;
        self.store.index::<Mail>(doc! { "state": 1, "written_at": 1 }, false).await?;
        self.store.index::<Mail>(doc! { "about.order": 1, "state": 1 }, false).await?;
        self.store.index::<Ticket>(doc! { "expires_at": 1 }, false).await?;
        self.store.index::<AddressChange>(doc! { "expires_at": 1 }, false).await?;
        self.store.index::<Unasked>(doc! { "expires_at": 1 }, false).await?;
        self.store.index::<Buyer>(doc! { "known_at": 1 }, false).await
    }

    /// The mails that are to be tried now, the most overdue first.
    pub(crate) async fn due_mails(
        &self,
        limit: i64,
        resting: &Resting,
    ) -> Result<Vec<MailId>, StoreError> {
        let due = doc! { "state": "waiting", "at": { "$lte": self.clock().now().to_string() } };
        self.store.due::<Mail>(due, doc! { "at": 1 }, limit, resting).await
    }

    /// These mails by the order that they are about; those about none stand alone.
    pub(crate) async fn by_order(
        &self,
        mails: Vec<MailId>,
    ) -> Result<Vec<(Option<OrderId>, Vec<MailId>)>, StoreError> {
        let ids: Vec<String> = mails.iter().map(ToString::to_string).collect();
        let pipeline = vec![
            doc! { "$match": { "_id": { "$in": ids } } },
            doc! { "$project": { "order": "$about.order" } },
        ];
        let found: Vec<OfOrder> = self.store.aggregate(Mail::COLLECTION, pipeline).await?;
        let order = |id: &MailId| {
            let mail = found.iter().find(|mail| mail.id == id.as_str())?;
            mail.order.as_ref()?.as_str()?.parse().ok()
        };
        let (mut alone, mut orders) = (Vec::new(), BTreeMap::<OrderId, Vec<MailId>>::new());
        for id in mails {
            match order(&id) {
                Some(order) => orders.entry(order).or_default().push(id),
                None => alone.push((None, vec![id])),
            }
        }
        alone.extend(orders.into_iter().map(|(order, ids)| (Some(order), ids)));
        Ok(alone)
    }

    /// The first mail about an order that is to be sent, and when it is tried; those that rest are
    /// passed over.
    pub(crate) async fn first_mail(
        &self,
        order: OrderId,
        resting: &Resting,
    ) -> Result<Option<(MailId, Timestamp)>, StoreError> {
        let waiting = doc! {
            "about.order": order.to_string(),
            "state": "waiting",
            "at": { "$type": "string" },
            "_id": { "$nin": resting.ids(self.clock().now()) },
        };
        let pipeline = vec![
            doc! { "$match": waiting },
            doc! { "$sort": { "sequence": 1, "written_at": 1, "_id": 1 } },
            doc! { "$limit": LINE },
            doc! { "$project": { "at": 1 } },
        ];
        let line: Vec<Queued> = self.store.aggregate(Mail::COLLECTION, pipeline).await?;
        let read = |mail: &Queued| Some((mail.id.parse().ok()?, mail.at.parse().ok()?));
        Ok(line.iter().find_map(read))
    }

    /// Whether a later correction of the same parcel was mailed.
    pub(crate) async fn is_superseded(&self, mail: &Mail) -> Result<bool, StoreError> {
        let (Some((order, parcel)), Some(sequence)) = (mail.about.parcel(), mail.sequence) else {
            return Ok(false);
        };
        let later = doc! {
            "about.order": order.to_string(),
            "state": "sent",
            "about.kind": "corrected",
            "about.parcel": i64::from(parcel),
            "sequence": { "$gt": sequence },
        };
        Ok(!self.store.ids::<Mail>(later, doc! {}, 1).await?.is_empty())
    }

    /// A mail waits until an earlier one of its order is tried.
    pub(crate) async fn put_off_mail(
        &self,
        id: MailId,
        until: Timestamp,
        cause: Cause,
    ) -> Outcome<()> {
        self.settle(id, cause, move |mail, _| mail.put_off(until)).await.map(drop)
    }

    /// When the oldest mail was written that is not sent.
    pub(crate) async fn oldest_mail(&self) -> Result<Option<Timestamp>, StoreError> {
        // Only this field: the others may not be readable.
        let pipeline = vec![
            doc! { "$match": { "state": "waiting" } },
            doc! { "$sort": { "written_at": 1 } },
            doc! { "$limit": 1 },
            doc! { "$project": { "written_at": 1 } },
        ];
        let oldest: Vec<Written> = self.store.aggregate(Mail::COLLECTION, pipeline).await?;
        Ok(oldest.first().map(|mail| mail.written_at))
    }

    /// Takes a mail to try it; `None` when it is not due, as somebody else tries it.
    pub(crate) async fn try_mail(&self, id: MailId, cause: Cause) -> Outcome<Option<Mail>> {
        let take = |mail: Option<Mail>, now| {
            Ok(mail.map_or_else(|| Change::none(None), |mail| mail.tried(now)))
        };
        self.decide(One::<Mail>(id), cause, take).await
    }

    /// The server has a mail.
    pub(crate) async fn mail_sent(&self, id: MailId, cause: Cause) -> Outcome<Option<Mail>> {
        self.settle(id, cause, Mail::sent).await
    }

    /// The server will not have a mail.
    pub(crate) async fn mail_refused(
        &self,
        id: MailId,
        code: Option<u16>,
        cause: Cause,
    ) -> Outcome<Option<Mail>> {
        self.settle(id, cause, move |mail, now| mail.refused(code, now)).await
    }

    /// A try to send a mail failed.
    pub(crate) async fn mail_failed(
        &self,
        id: MailId,
        code: Option<u16>,
        cause: Cause,
    ) -> Outcome<Option<Mail>> {
        self.settle(id, cause, move |mail, now| mail.failed(code, now)).await
    }

    /// There is nobody to send a mail to, or nothing to tell any more.
    pub(crate) async fn withdraw_mail(&self, mail: Mail, cause: Cause) -> Outcome<()> {
        self.settle(mail.id, cause, |mail, _| mail.withdrawn()).await.map(drop)
    }

    /// What the mail of this name lets its reader do, if it does.
    pub(crate) async fn ticket(&self, id: &MailId) -> Result<Option<Ticket>, StoreError> {
        Ok(self.store.get::<Ticket>(id).await?.map(|ticket| ticket.value))
    }

    /// The change of address that the mail of this name belongs to, if it goes on.
    pub(crate) async fn address_change(
        &self,
        id: &MailId,
    ) -> Result<Option<AddressChange>, StoreError> {
        let Some(change) = AddressChange::named_by(id) else { return Ok(None) };
        Ok(self.store.get::<AddressChange>(&change).await?.map(|change| change.value))
    }

    /// Who ordered this, if that was heard of.
    pub(crate) async fn buyer(&self, order: OrderId) -> Result<Option<UserId>, StoreError> {
        Ok(self.store.get::<Buyer>(&order).await?.map(|buyer| buyer.user_id))
    }

    /// Who reads what is written to a person: for a guest that is the account that the guest turned
    /// out to be.
    pub(crate) async fn reader(&self, person: UserId) -> Result<Option<User>, StoreError> {
        let user = self.get(person).await?.map(|user| user.value);
        match user.as_ref().and_then(|user| user.merged_into) {
            Some(account) => Ok(self.get(account).await?.map(|user| user.value)),
            None => Ok(user),
        }
    }

    /// Somebody ordered, and is told that the shop knows.
    pub(crate) async fn received(
        &self,
        order: OrderId,
        customer: UserId,
        told: Told,
        cause: Cause,
    ) -> Outcome<()> {
        let buyer = self.buyer(order).await?.unwrap_or(customer);
        if self.is_old(told) || self.is_guest(buyer).await? {
            let remember = move |known, now| Ok(Buyer::order(known, order, customer, now));
            return self.decide(One::<Buyer>(order), cause, remember).await;
        }
        let scope = (One::<Buyer>(order), One::<Mail>(About::Received { order }.mail("")));
        let receive = move |(known, mail): (Option<Buyer>, Option<Mail>), now| {
            Ok(Buyer::receive(known, mail, (order, customer), told.sequence, now))
        };
        self.decide(scope, cause, receive).await
    }

    /// Who bought is told something of their order: not a guest, who has no address.
    pub(crate) async fn tell(&self, about: About, told: Told, cause: Cause) -> Outcome<()> {
        let Some(order) = about.order() else { return Ok(()) };
        if self.is_old(told) || self.is_bought_by_a_guest(order).await? {
            return Ok(());
        }
        let scope = (One::<Buyer>(order), One::<Mail>(about.mail("")));
        let tell = move |(buyer, mail): (Option<Buyer>, Option<Mail>), now| {
            Ok(Buyer::tell(buyer.as_ref(), mail, &about, told.sequence, now))
        };
        self.decide(scope, cause, tell).await
    }

    /// Forgets which mails were sent long ago, what can no longer be done by one, and whose old
    /// orders are.
    pub(crate) async fn forget_mails(self) -> Result<(), StoreError> {
        let now = self.clock().now();
        let ended = doc! {
            "state": { "$in": ["sent", "dead"] },
            "at": { "$lt": now.minus(KEPT).to_string() },
        };
        let over = doc! { "expires_at": { "$lt": now.to_string() } };
        let old = doc! { "known_at": { "$lt": now.minus(REMEMBERED).to_string() } };
        for (collection, which) in [
            (Mail::COLLECTION, ended),
            (Ticket::COLLECTION, over.clone()),
            (AddressChange::COLLECTION, over.clone()),
            (Unasked::COLLECTION, over),
            (Buyer::COLLECTION, old),
        ] {
            let deleted = self.store.delete_many(collection, which).await?;
            if deleted > 0 {
                info!(collection, count = deleted, "mail forgotten");
            }
        }
        Ok(())
    }

    /// Whether a mail about an order may go to this person: few may while it is not known that they
    /// read mail there.
    pub(crate) async fn may_write(&self, to: User, mail: MailId, cause: Cause) -> Outcome<bool> {
        let scope = One::<Unasked>(to.id);
        let count = move |known, now| Ok(Unasked::another(known, &to, &mail, now));
        self.decide(scope, cause, count).await
    }

    /// Whether it is known that nobody reads mail about this order.
    async fn is_bought_by_a_guest(&self, order: OrderId) -> Result<bool, StoreError> {
        let Some(buyer) = self.buyer(order).await? else { return Ok(false) };
        self.is_guest(buyer).await
    }

    /// Whether this person has no address to write to.
    async fn is_guest(&self, person: UserId) -> Result<bool, StoreError> {
        let reader = self.reader(person).await?;
        Ok(reader.is_none_or(|user| user.role == Role::Guest))
    }

    /// Whether it happened too long ago to be mailed.
    fn is_old(&self, told: Told) -> bool {
        self.clock().now().since(told.at) > NEWS
    }

    async fn settle(
        &self,
        id: MailId,
        cause: Cause,
        settle: impl Fn(Mail, Timestamp) -> Change<Mail> + Send + 'static,
    ) -> Outcome<Option<Mail>> {
        let settle = move |mail: Option<Mail>, now| {
            Ok(mail.map_or_else(|| Change::none(None), |mail| settle(mail, now).map(Some)))
        };
        self.decide(One::<Mail>(id), cause, settle).await
    }
}
