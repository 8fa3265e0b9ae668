//! On hand = available + what live reservations hold = what the ledger comes to, for each SKU.

use contracts::Sku;
use mongodb::bson::doc;

use super::Shop;
use crate::findings::Findings;
use crate::merge::{Keyed, least};
use crate::report::Rule;
use crate::rows::{Rows, only};
use crate::shapes::{Held, Movement, Stock};
use crate::{Error, rows::View};

/// The rows of the ledger by SKU, and of one SKU in their order.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
struct BySku(Movement);

impl Keyed for BySku {
    type Key = Sku;

    fn key(&self) -> Sku {
        self.0.sku.clone()
    }
}

/// What a ledger comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Replayed {
    on_hand: i64,
    reserved: i64,
    rows: i64,
    /// The first row that does not follow from those before it.
    odd: Option<String>,
}

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<(), Error> {
    let product = &shop.views.product;
    let mut stock: Rows<Stock> =
        product.by_id("stock", &["on_hand", "reserved", "movements"]).await?;
    let mut held = held(product).await?;
    let mut ledger = ledger(product).await?;
    while let Some(sku) = least([stock.key().await?, held.key().await?, ledger.key().await?]) {
        let counted = stock.at(&sku).await?;
        let pieces = held.at(&sku).await?.map_or(0, |held| held.pieces);
        let replayed = replay(&mut ledger, &sku).await?;
        compare(&sku, counted.as_ref(), &replayed, out);
        let reserved = counted.as_ref().map_or(0, |counted| counted.reserved);
        if reserved != pieces {
            let says =
                format!("{reserved} pieces are reserved, and live reservations hold {pieces}");
            out.add(Rule::StockReserved, [&sku], says);
        }
    }
    out.checked("SKUs", stock.count());
    out.checked("stock movements", ledger.count());
    Ok(())
}

fn compare(sku: &Sku, counted: Option<&Stock>, replayed: &Replayed, out: &mut Findings) {
    let zero = Stock { sku: sku.clone(), on_hand: 0, reserved: 0, movements: 0 };
    let Stock { on_hand, reserved, movements, .. } = counted.unwrap_or(&zero);
    let Replayed { on_hand: moved_in, reserved: set_aside, rows, odd } = replayed;
    if let Some(row) = odd {
        let says = "a row of the stock ledger does not follow from those before it".to_owned();
        out.add(Rule::StockLedger, [sku.to_string(), row.clone()], says);
    } else if (on_hand, reserved, movements) != (moved_in, set_aside, rows) {
        let says = format!(
            "{on_hand} on hand and {reserved} reserved after {movements} movements, and the ledger \
             comes to {moved_in} and {set_aside} after {rows}"
        );
        out.add(Rule::StockLedger, [sku], says);
    }
    if *reserved < 0 || reserved > on_hand {
        let says = format!("{on_hand} are on hand, and {reserved} of them reserved");
        out.add(Rule::StockReserved, [sku], says);
    }
}

async fn replay(ledger: &mut Rows<BySku>, sku: &Sku) -> Result<Replayed, Error> {
    let mut replayed = Replayed::default();
    while let Some(BySku(row)) = ledger.at(sku).await? {
        replayed.take(&row);
    }
    Ok(replayed)
}

impl Replayed {
    fn take(&mut self, row: &Movement) {
        self.on_hand += row.on_hand_delta;
        self.reserved += row.reserved_delta;
        self.rows += 1;
        let follows = row.id.ends_with(&format!(":{:012}", self.rows))
            && (row.on_hand, row.reserved) == (self.on_hand, self.reserved);
        if !follows && self.odd.is_none() {
            self.odd = Some(row.id.clone());
        }
    }
}

/// What live reservations hold, by SKU.
async fn held(product: &View) -> Result<Rows<Held>, Error> {
    let pipeline = vec![
        doc! { "$match": { "state.is": "held" } },
        doc! { "$project": { "lines": { "$objectToArray": "$lines" } } },
        doc! { "$unwind": "$lines" },
        doc! { "$group": { "_id": "$lines.k", "pieces": { "$sum": "$lines.v" } } },
        doc! { "$sort": { "_id": 1 } },
    ];
    product.rows("reservations", pipeline).await
}

/// All movements, by SKU.
async fn ledger(product: &View) -> Result<Rows<BySku>, Error> {
    let fields =
        ["sku", "kind", "order_id", "on_hand_delta", "reserved_delta", "on_hand", "reserved"];
    let pipeline = vec![only(&fields), doc! { "$sort": { "sku": 1, "_id": 1 } }];
    product.rows("stock_ledger", pipeline).await
}
