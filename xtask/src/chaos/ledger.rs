//! What shoppers and staff were told, and whether the shop keeps to it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// Everything that was acknowledged, by order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    orders: Mutex<BTreeMap<String, Told>>,
}

/// What somebody was told about an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Cents, as the checkout accepted them.
    pub(crate) total: i64,
    /// That the money came.
    pub(crate) paid: bool,
    /// That it is given up.
    pub(crate) cancelled: bool,
    /// That these parcels were sent.
    pub(crate) parcels: Vec<String>,
    /// That it arrived.
    pub(crate) delivered: bool,
    /// That these refunds and returns began.
    pub(crate) refunds: Vec<String>,
    pub(crate) returns: Vec<String>,
}

impl Ledger {
    /// Somebody was told something about an order.
    pub(crate) fn told(&self, order: &str, what: impl FnOnce(&mut Told)) {
        what(self.lock().entry(order.to_owned()).or_default());
    }

    /// All of it.
    pub(crate) fn orders(&self) -> Vec<(String, Told)> {
        self.lock().iter().map(|(id, told)| (id.clone(), told.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Told>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// What is otherwise than was told, or not at its end, when the shop shows this order and these
    /// payments of it.
    pub(crate) fn broken(&self, order: &Value, payments: &[Value]) -> Vec<String> {
        let status = text(&order["status"]);
        let money = payments.first().map_or("none", |payment| text(&payment["status"]));
        let came = ["captured", "partially_refunded", "refunded"].contains(&money);
        let sold = ["paid", "shipped", "delivered", "completed"].contains(&status);
        let given_up = ["cancelled", "expired"].contains(&status);
        let nothing_kept = ["none", "declined", "refunded"].contains(&money);
        let parcels = texts(&order["parcels"], "tracking");
        let (refunds, returns) = (texts(&order["refunds"], "id"), texts(&order["returns"], "id"));
        let wrong = [
            (!sold && !given_up, format!("is still {status}")),
            (order["total"]["amount"] != self.total, format!("costs {}", order["total"])),
            (self.cancelled && status != "cancelled", format!("was cancelled and is {status}")),
            (self.paid && !came, format!("was paid, and its payment is {money}")),
            (sold && !came, format!("is {status}, and its payment is {money}")),
            (given_up && !nothing_kept, format!("is {status}, and its payment is {money}")),
            (payments.len() > 1, format!("has {} payments", payments.len())),
            (other_amount(payments, self.total), format!("costs other than {payments:?}")),
            (!all_in(&self.parcels, &parcels), format!("sent {parcels:?}")),
            (self.delivered && !arrived(status), format!("was delivered and is {status}")),
            (!all_in(&self.refunds, &refunds), format!("has the refunds {refunds:?}")),
            (!all_in(&self.returns, &returns), format!("has the returns {returns:?}")),
        ];
        wrong.into_iter().filter_map(|(is, what)| is.then_some(what)).collect()
    }
}

fn arrived(status: &str) -> bool {
    ["delivered", "completed"].contains(&status)
}

fn other_amount(payments: &[Value], total: i64) -> bool {
    payments.iter().any(|payment| payment["amount"]["amount"] != total)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// This field of each.
pub(crate) fn texts(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| text(&item[field]).to_owned()).collect()
}

fn all_in(some: &[String], all: &[String]) -> bool {
    some.iter().all(|it| all.contains(it))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(status: &str) -> Value {
        json!({ "status": status, "total": { "amount": 1250 }, "parcels": [], "refunds": [],
            "returns": [] })
    }

    fn payment(status: &str) -> Vec<Value> {
        vec![json!({ "status": status, "amount": { "amount": 1250 } })]
    }

    fn told() -> Told {
        Told { total: 1250, ..Told::default() }
    }

    #[test]
    fn a_shop_that_keeps_to_what_it_said_broke_nothing() {
        let nothing: [String; 0] = [];
        let paid = Told { paid: true, ..told() };

        assert_eq!(paid.broken(&order("paid"), &payment("captured")), nothing);
        assert_eq!(told().broken(&order("expired"), &[]), nothing);
        assert_eq!(paid.broken(&order("cancelled"), &payment("refunded")), nothing);
    }

    #[test]
    fn each_broken_word_is_seen() {
        let parcels = vec!["H-1".to_owned()];
        let broken = [
            (told(), order("reserved"), payment("declined")),
            (Told { total: 1, ..told() }, order("expired"), vec![]),
            (Told { cancelled: true, ..told() }, order("paid"), payment("captured")),
            (Told { paid: true, ..told() }, order("expired"), payment("declined")),
            (told(), order("paid"), payment("declined")),
            (told(), order("expired"), payment("captured")),
            (told(), order("cancelled"), payment("processing")),
            (told(), order("paid"), [payment("captured"), payment("captured")].concat()),
            (Told { parcels, ..told() }, order("shipped"), payment("captured")),
            (Told { delivered: true, ..told() }, order("shipped"), payment("captured")),
            (
                Told { refunds: vec!["ref".to_owned()], ..told() },
                order("paid"),
                payment("captured"),
            ),
            (
                Told { returns: vec!["ret".to_owned()], ..told() },
                order("paid"),
                payment("captured"),
            ),
        ];

        for (told, order, payments) in broken {
            assert!(!told.broken(&order, &payments).is_empty(), "{told:?} {order} {payments:?}");
        }
    }
}
