//! What is for sale.

use std::sync::Arc;

use serde_json::json;

use super::dice::Dice;
use super::house::STAFF;
use super::person::{Ask, Person, Street};

/// Of this there is hardly anything.
pub(crate) const SCARCE: &str = "SCARCE";
/// So many pieces.
pub(crate) const PIECES: i64 = 25;
/// How many things there is enough of.
const THINGS: u64 = 8;

/// Somebody who minds the shop, and has put things on sale.
pub(crate) async fn fill(street: &Arc<Street>) -> anyhow::Result<Arc<Person>> {
    let staff = Person::nobody(street);
    let (email, password) = STAFF;
    let signing_in = json!({ "email": email, "password": password });
    staff.sign("login", "/api/auth/login", Some(signing_in)).await?;
    let things = (0..THINGS).map(|number| (format!("THING-{number}"), 1_000_000));
    for (sku, on_hand) in things.chain([(SCARCE.to_owned(), PIECES)]) {
        let price = json!({ "amount": 1250, "currency": "EUR" });
        let variant = json!({ "sku": sku, "price": price, "on_hand": on_hand });
        let goods = json!({ "title": format!("A {sku}"), "variants": [variant] });
        staff.done(&Ask::post("sell", "/api/products").json(goods).key(sku)).await?;
    }
    Ok(Arc::new(staff))
}

/// Something that there is enough of.
pub(crate) fn thing(dice: &mut Dice) -> String {
    format!("THING-{}", dice.below(THINGS))
}
