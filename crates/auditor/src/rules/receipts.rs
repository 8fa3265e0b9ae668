//! What was begun has an end: requests that move money, notices of providers, mail.

use std::time::Duration;

use mongodb::bson::{DateTime, doc};
use serde::Deserialize;

use super::Shop;
use crate::Error;
use crate::findings::Findings;
use crate::report::Rule;
use crate::rows::{Rows, only, text};

/// How long the answer to a request is kept: a receipt says when it ends, not when it began.
const KEPT: Duration = Duration::from_hours(48);

#[derive(Debug, Deserialize)]
struct Started {
    attempt: String,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "_id")]
    id: String,
}

#[derive(Debug, Deserialize)]
struct Mail {
    #[serde(rename = "_id")]
    id: String,
    state: String,
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let until = shop.now.plus(KEPT).minus(shop.bounds.started_age);
    let late = DateTime::from_millis(until.as_millis());
    for view in shop.views.each() {
        let begun = doc! { "state": "started", "expires_at": { "$lt": late } };
        // The name of a receipt has the client's own key in it.
        let pipeline =
            vec![doc! { "$match": begun }, doc! { "$project": { "_id": 0, "attempt": 1 } }];
        let mut started: Rows<Started> = view.rows("receipts", pipeline).await?;
        while let Some(Started { attempt }) = started.next().await? {
            let says = format!("a request to {} has no outcome yet", view.service);
            out.add(Rule::ReceiptStarted, [attempt], says);
        }
    }
    put_aside(shop, out).await?;
    mails(shop, out).await
}

/// Mails that will not be sent, or should have been.
async fn mails(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let before = text(shop.now.minus(shop.bounds.waiting_age));
    let waiting = doc! { "state": "waiting", "at": { "$lt": before } };
    let stuck = doc! { "$match": { "$or": [{ "state": "dead" }, waiting] } };
    let mut mails: Rows<Mail> =
        shop.views.auth.rows("mails", vec![stuck, only(&["state"])]).await?;
    while let Some(Mail { id, state }) = mails.next().await? {
        out.add(Rule::MailStuck, [id], format!("a mail is {state}"));
    }
    Ok(())
}

/// Notices of providers that a person has to see to.
async fn put_aside(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let pipeline = vec![doc! { "$match": { "state": "put_aside" } }, only(&[])];
    let mut notices: Rows<Named> = shop.views.payment.rows("webhooks", pipeline).await?;
    while let Some(Named { id }) = notices.next().await? {
        out.add(Rule::WebhookPutAside, [id], "a notice of a provider could not be applied");
    }
    Ok(())
}
