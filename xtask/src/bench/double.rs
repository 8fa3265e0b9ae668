//! Doubles of documents: all the same but for the names that were made up.

use std::collections::{BTreeSet, HashMap};

use contracts::PaymentId;
use mongodb::bson::{Bson, Document};

/// The length of a name: a UUID without its dashes.
const LENGTH: usize = 32;

/// New names for those of one purchase, the same for all documents of one double.
#[derive(Debug)]
pub(crate) struct Double<'a> {
    names: HashMap<&'a str, String>,
}

impl<'a> Double<'a> {
    /// The double of this number.
    ///
    /// As those of the services, names sort by time (version 7): what is doubled later comes later.
    pub(crate) fn new(names: &'a BTreeSet<String>, number: u64) -> Self {
        let new = |(at, name): (usize, &'a String)| {
            let (first, last) = name.split_at(8);
            let kept = &last[4..8];
            (
                name.as_str(),
                format!(
                    "{first}{:04x}{kept}{:04x}{number:012x}",
                    number >> 20 & 0xffff,
                    at & 0xffff
                ),
            )
        };
        Self { names: names.iter().enumerate().map(new).collect() }
    }

    /// Names the payment of this order as the shop does: by the order.
    pub(crate) fn with_payment_of(mut self, order: &str) -> anyhow::Result<Self> {
        let payment = |order: &str| anyhow::Ok(PaymentId::of(order.parse()?).to_string());
        let [old, new] = [payment(order)?, payment(&self.text(order))?];
        let name = |id: &str| id.trim_start_matches("pay_").to_owned();
        let old = name(&old);
        if let Some(kept) = self.names.get_mut(old.as_str()) {
            *kept = name(&new);
        }
        Ok(self)
    }

    /// A document with the new names.
    pub(crate) fn document(&self, document: &Document) -> Document {
        document.iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
    }

    /// A value with the new names.
    pub(crate) fn value(&self, value: &Bson) -> Bson {
        match value {
            Bson::String(text) => Bson::String(self.text(text)),
            Bson::Document(document) => Bson::Document(self.document(document)),
            Bson::Array(all) => Bson::Array(all.iter().map(|it| self.value(it)).collect()),
            other => other.clone(),
        }
    }

    /// A text with the new names.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut double = String::with_capacity(text.len());
        let (bytes, mut from, mut digits) = (text.as_bytes(), 0, 0);
        for (at, byte) in bytes.iter().enumerate() {
            digits = if byte.is_ascii_hexdigit() { digits + 1 } else { 0 };
            if digits < LENGTH {
                continue;
            }
            let begin = at + 1 - LENGTH;
            if let Some(new) = text.get(begin..=at).and_then(|name| self.names.get(name)) {
                double.push_str(&text[from..begin]);
                double.push_str(new);
                (from, digits) = (at + 1, 0);
            }
        }
        double.push_str(&text[from..]);
        double
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::*;

    const ORDER: &str = "0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    const PRODUCT: &str = "0190b0e1c7f67c3e9d1a2b3c4d5e6f71";

    #[test]
    fn a_double_has_names_of_its_own_and_all_else_the_same() {
        let names = BTreeSet::from([ORDER.to_owned()]);
        let order = doc! {
            "_id": format!("ord_{ORDER}"),
            "lines": [{ "product": format!("prd_{PRODUCT}"), "quantity": 2 }],
            "payload": format!("{{\"id\":\"ord_{ORDER}\",\"again\":\"ord_{ORDER}\"}}"),
        };

        let double = |number| Double::new(&names, number).document(&order);

        let (first, second) = (double(1), double(2));
        assert_ne!(first.get_str("_id").unwrap(), second.get_str("_id").unwrap());
        let id = first.get_str("_id").unwrap();
        assert_eq!(id.len(), "ord_".len() + LENGTH);
        assert_eq!(
            first.get_str("payload").unwrap(),
            format!("{{\"id\":\"{id}\",\"again\":\"{id}\"}}")
        );
        assert_eq!(first.get("lines"), order.get("lines"));
        assert!(id < second.get_str("_id").unwrap());
    }
}
