//! All that there is about each order, side by side.

use std::collections::BTreeMap;

use contracts::{Currency, Money, OrderId};
use mongodb::bson::doc;

use super::books::Owed;
use super::{Shop, goods, money};
use crate::Error;
use crate::findings::Findings;
use crate::merge::{Keyed, least};
use crate::report::Rule;
use crate::rows::{Rows, only};
use crate::shapes::{Movement, OfOrder, Order, Payment, Reservation, Stage};

/// All that there is about one order.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) id: OrderId,
    pub(super) order: Option<Order>,
    pub(super) reservation: Option<Reservation>,
    pub(super) movements: Vec<Movement>,
    pub(super) payment: Option<Payment>,
}

/// Movements by the order they are for.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
struct ByOrder(Movement);

impl Keyed for ByOrder {
    type Key = OrderId;

    fn key(&self) -> OrderId {
        self.0.order_id.unwrap_or(OrderId::from_uuid(uuid::Uuid::nil()))
    }
}

/// Orders and what others keep of them, all by order.
struct Everything {
    orders: Rows<Order>,
    reservations: Rows<Reservation>,
    movements: Rows<ByOrder>,
    payments: Rows<OfOrder>,
}

pub(super) async fn check(shop: &Shop<'_>, owed: Owed, out: &mut Findings) -> Result<(), Error> {
    let mut everything = Everything::of(shop).await?;
    let mut paid = BTreeMap::new();
    while let Some(case) = everything.next().await? {
        case.check(shop, out);
        case.order.iter().for_each(|order| count(order, &mut paid));
    }
    out.checked("orders", everything.orders.count());
    out.checked("reservations", everything.reservations.count());
    if shop.bounds.quiet {
        compare(&owed, &paid, out);
    }
    Ok(())
}

impl Everything {
    async fn of(shop: &Shop<'_>) -> Result<Self, Error> {
        let views = shop.views;
        let goods = ["lines", "restocked", "lost", "state.is"];
        let by_order = vec![only(&Payment::FIELDS), doc! { "$sort": { "order_id": 1 } }];
        Ok(Self {
            orders: views.order.by_id("orders", &Order::FIELDS).await?,
            reservations: views.product.by_id("reservations", &goods).await?,
            movements: movements(shop).await?,
            payments: views.payment.rows("payments", by_order).await?,
        })
    }

    /// All that there is about the next order.
    async fn next(&mut self) -> Result<Option<Case>, Error> {
        let keys = [
            self.orders.key().await?,
            self.reservations.key().await?,
            self.movements.key().await?,
            self.payments.key().await?,
        ];
        let Some(id) = least(keys) else { return Ok(None) };
        let moved = self.movements.all_at(&id).await?;
        Ok(Some(Case {
            id,
            order: self.orders.at(&id).await?,
            reservation: self.reservations.at(&id).await?,
            movements: moved.into_iter().map(|ByOrder(row)| row).collect(),
            payment: self.payments.at(&id).await?.map(|OfOrder(payment)| payment),
        }))
    }
}

/// All movements that are for an order, by order.
async fn movements(shop: &Shop<'_>) -> Result<Rows<ByOrder>, Error> {
    let fields =
        ["sku", "kind", "order_id", "on_hand_delta", "reserved_delta", "on_hand", "reserved"];
    let pipeline = vec![
        doc! { "$match": { "order_id": { "$exists": true } } },
        only(&fields),
        doc! { "$sort": { "order_id": 1, "_id": 1 } },
    ];
    shop.views.product.rows("stock_ledger", pipeline).await
}

/// What orders say that they were paid, by currency.
fn count(order: &Order, paid: &mut Owed) {
    for came in order.payment.captured.values() {
        *paid.entry(came.currency).or_default() += came.amount;
    }
    for back in order.payment.refunded.values() {
        *paid.entry(back.currency).or_default() -= back.amount;
    }
}

/// What was captured less what was refunded is, in sum, what orders were paid.
fn compare(owed: &Owed, paid: &Owed, out: &mut Findings) {
    let of = |sums: &Owed, currency: &Currency| sums.get(currency).copied().unwrap_or(0);
    for currency in owed.keys().chain(paid.keys().filter(|it| !owed.contains_key(it))) {
        let (owed, paid) = (of(owed, currency), of(paid, currency));
        if owed != paid {
            let (owed, paid) = (Money::new(owed, *currency), Money::new(paid, *currency));
            let says = format!(
                "the ledger holds {owed} for customers, and all orders together were paid {paid}"
            );
            out.add(Rule::MoneyInSum, [currency], says);
        }
    }
}

impl Case {
    fn check(&self, shop: &Shop<'_>, out: &mut Findings) {
        match &self.order {
            Some(order) => {
                self.waits(order, shop, out);
                goods::check(self, order, out);
                money::check(self, order, shop, out);
            }
            None => self.is_unknown(out),
        }
        self.payment.iter().for_each(|payment| money::is_seen_to(payment, shop, out));
    }

    fn is_unknown(&self, out: &mut Findings) {
        let goods = self.reservation.is_some() || !self.movements.is_empty();
        let whose = match (goods, self.payment.is_some()) {
            (true, true) => "goods and money are",
            (true, false) => "goods are",
            (false, _) => "money is",
        };
        let says = format!("{whose} kept for an order that order does not know");
        out.add(Rule::UnknownOrder, [self.id], says);
    }

    /// An order whose time is up is seen to.
    fn waits(&self, order: &Order, shop: &Shop<'_>, out: &mut Findings) {
        let (since, what) = match order.stage() {
            Stage::Placed => (Some(order.asked_at), "its goods were asked for"),
            Stage::Reserved => (order.pay_by(), "its time to pay was over"),
            _ => return,
        };
        if let Some(since) = since.filter(|since| shop.is_late(*since, shop.bounds.waiting_age)) {
            let says = format!("the order is {} although {what} at {since}", order.stage());
            out.add(Rule::Hanging, [self.id], says);
        }
    }
}
