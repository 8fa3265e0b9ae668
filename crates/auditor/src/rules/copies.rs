//! What a service keeps of another's is what that says.

use std::cmp::Ordering;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use serde::de::DeserializeOwned;

use super::Shop;
use crate::Error;
use crate::findings::Findings;
use crate::merge::least;
use crate::report::Rule;
use crate::rows::{Rows, View, only};
use crate::shapes::{Copied, Counted, Ended, KeySet, Merged, Moved, Ordered, Product, Sellable};

/// An ended sign-in is remembered for six minutes, and forgotten some time after that.
const SURELY_REMEMBERED: Duration = Duration::from_mins(4);

/// Who ordered is remembered for a year, and not for long if it was heard of late.
const SURELY_A_BUYER: Duration = Duration::from_hours(24 * 300);

/// A copy and its source.
struct Pair<'a> {
    what: &'static str,
    copier: &'a View,
    /// Whether what the source forgot may still be copied.
    outlives: bool,
    /// Whether what the source says need not be copied.
    may_lack: bool,
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let views = shop.views;
    let catalogue = Pair::of("product", &views.cart);
    let fields = ["title", "variants", "archived", "version", "told"];
    let source: Rows<Product> = views.product.by_id("products", &fields).await?;
    let copy: Rows<Product> = views.cart.by_id("catalogue", &fields).await?;
    catalogue.compare(source, copy, shop, out).await?;

    let stock = Pair::of("stock", &views.cart);
    let source: Rows<Counted> =
        views.product.by_id("stock", &["on_hand", "reserved", "told"]).await?;
    let copy: Rows<Sellable> = views.cart.by_id("stock", &["available", "version"]).await?;
    stock.compare(source, copy, shop, out).await?;

    for copier in views.each() {
        keys(copier, shop, out).await?;
        ended(copier, shop, out).await?;
    }
    merged(&views.order, shop, out).await?;
    merged(&views.payment, shop, out).await?;
    moved(shop, out).await?;
    buyers(shop, out).await
}

async fn keys(copier: &View, shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let fields = ["keys", "version", "told"];
    let source: Rows<KeySet> = shop.views.auth.by_id("keys", &fields).await?;
    let copy: Rows<KeySet> = copier.by_id("identity_keys", &fields).await?;
    Pair::of("key set", copier).compare(source, copy, shop, out).await
}

async fn ended(copier: &View, shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let since = shop.now.minus(SURELY_REMEMBERED).to_string();
    let fields = only(&["revoked_at"]);
    let recent = |filter: Document| {
        vec![doc! { "$match": filter }, doc! { "$sort": { "_id": 1 } }, fields.clone()]
    };
    let lately = doc! { "revoked_at": { "$gte": since } };
    let source: Rows<Ended> = shop.views.auth.rows("sessions", recent(lately.clone())).await?;
    let copy: Rows<Ended> = copier.rows("revoked_sessions", recent(lately)).await?;
    Pair::of("ended sign-in", copier).compare(source, copy, shop, out).await
}

/// Guests are forgotten by auth some time after they became part of an account.
async fn merged(copier: &View, shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let copy: Rows<Merged> = copier.by_id("merged_guests", &["account"]).await?;
    let pair = Pair { outlives: true, ..Pair::of("merged guest", copier) };
    pair.compare(guests(shop).await?, copy, shop, out).await
}

/// What a guest had in the cart is the account's. Of a guest who never had a cart nothing is kept
/// but that.
async fn moved(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let pipeline = vec![
        doc! { "$project": { "_id": "$owner", "moved_to": 1 } },
        doc! { "$sort": { "_id": 1 } },
    ];
    let copier = &shop.views.cart;
    let copy: Rows<Moved> = copier.rows("carts", pipeline).await?;
    let pair = Pair { outlives: true, may_lack: true, ..Pair::of("merged guest", copier) };
    pair.compare(guests(shop).await?, copy, shop, out).await
}

/// Guests who became part of an account.
async fn guests(shop: &Shop<'_>) -> Result<Rows<Merged>, Error> {
    let pipeline = vec![
        doc! { "$match": { "merged_into": { "$exists": true } } },
        only(&["merged_into"]),
        doc! { "$sort": { "_id": 1 } },
    ];
    shop.views.auth.rows("users", pipeline).await
}

/// Auth knows who to write to about an order.
async fn buyers(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let since = shop.now.minus(SURELY_A_BUYER).to_string();
    let pipeline = vec![
        doc! { "$match": { "asked_at": { "$gte": since } } },
        doc! { "$sort": { "_id": 1 } },
        // Auth remembers who placed the order, the guest perhaps.
        doc! { "$project": { "customer": { "$ifNull": ["$guest", "$customer"] } } },
    ];
    let source: Rows<Ordered> = shop.views.order.rows("orders", pipeline).await?;
    let copier = &shop.views.auth;
    let copy: Rows<Ordered> = copier.by_id("buyers", &["user_id"]).await?;
    let pair = Pair { outlives: true, ..Pair::of("buyer of the order", copier) };
    pair.compare(source, copy, shop, out).await
}

impl<'a> Pair<'a> {
    fn of(what: &'static str, copier: &'a View) -> Self {
        Self { what, copier, outlives: false, may_lack: false }
    }

    async fn compare<S, C>(
        &self,
        mut source: Rows<S>,
        mut copy: Rows<C>,
        shop: &Shop<'_>,
        out: &mut Findings,
    ) -> Result<(), Error>
    where
        S: DeserializeOwned + Copied,
        C: DeserializeOwned + Copied<Key = S::Key>,
        S::Key: ToString,
    {
        while let Some(id) = least([source.key().await?, copy.key().await?]) {
            let told = source.at(&id).await?.map(|it| it.said(false));
            let kept = copy.at(&id).await?.map(|it| it.said(true));
            if let Some((rule, says)) = self.judge(told, kept, shop.bounds.quiet) {
                let says = format!("{} {says} the {}", self.copier.service, self.what);
                out.add(rule, [self.copier.service.to_owned(), id.to_string()], says);
            }
        }
        out.checked("copies", copy.count());
        Ok(())
    }

    /// What is wrong with a copy. While the shop is busy it may be older than its source.
    fn judge(
        &self,
        told: Option<(i64, String)>,
        kept: Option<(i64, String)>,
        quiet: bool,
    ) -> Option<(Rule, &'static str)> {
        match (told, kept) {
            (None, None) => None,
            (Some(_), None) if self.may_lack => None,
            (Some(_), None) => quiet.then_some((Rule::CopyMissing, "has no copy of")),
            (None, Some(_)) if self.outlives => None,
            (None, Some(_)) => Some((Rule::CopyDiffers, "has a copy, but there is no source, of")),
            (Some((last, told)), Some((heard, kept))) => match heard.cmp(&last) {
                Ordering::Less => quiet.then_some((Rule::CopyDiffers, "has an old copy of")),
                Ordering::Equal => {
                    let differs = (Rule::CopyDiffers, "has something else in its copy of");
                    (told != kept).then_some(differs)
                }
                Ordering::Greater => {
                    Some((Rule::CopyDiffers, "has a copy that is newer than its source of"))
                }
            },
        }
    }
}
