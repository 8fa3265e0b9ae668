//! The part of the goods in the checkout: what an order says, and what becomes of its reservation.

use std::convert::Infallible;
use std::time::Duration;

use common::bus::{Fact, Handled, Trouble, Work};
use common::store::{Cause, One, Receipt, StoreError, UpdateError};
use contracts::order::{Cancelled, Expired, Paid, Placed, RestockDue};
use tracing::warn;

use crate::domain::{Obstacle, Reservation};
use crate::store::Products;

/// Hears what orders say of their goods.
pub(crate) fn saga(products: Products) -> Work<Products> {
    Work::new("saga", products)
        .on(placed)
        .on(paid)
        // Compensation
        .on(expired)
        .on(cancelled)
        .on(restock_due)
}

// Happy path

async fn placed(products: Products, fact: Fact<Placed>) -> Handled {
    let receipt = fact.receipt();
    let Placed { order_id, round, lines, .. } = fact.event;
    let asked = lines.clone();
    let step = move |order: Reservation, stock: &_, now| order.place(round, &asked, stock, now);
    Ok(products.step(receipt, order_id, &lines, step).await?)
}

async fn paid(products: Products, fact: Fact<Paid>) -> Handled {
    let receipt = fact.receipt();
    let Paid { order_id, lines, .. } = fact.event;
    let sold = lines.clone();
    let step = move |order: Reservation, stock: &_, now| order.pay(&sold, stock, now);
    Ok(products.step(receipt, order_id, &lines, step).await?)
}

// Compensation

async fn expired(products: Products, fact: Fact<Expired>) -> Handled {
    let receipt = fact.receipt();
    let Expired { order_id, round, lines } = fact.event;
    let step = move |order: Reservation, stock: &_, now| order.expire(round, stock, now);
    Ok(products.step(receipt, order_id, &lines, step).await?)
}

async fn cancelled(products: Products, fact: Fact<Cancelled>) -> Handled {
    let receipt = fact.receipt();
    let Cancelled { order_id, lines, lost, .. } = fact.event;
    let step = move |order: Reservation, stock: &_, now| order.cancel(&lost, stock, now);
    Ok(products.step(receipt, order_id, &lines, step).await?)
}

/// What came before the sale that it is about comes again; more than was sold is for a person to
/// judge.
async fn restock_due(products: Products, fact: Fact<RestockDue>) -> Handled {
    let receipt = fact.receipt();
    let RestockDue { order_id, lines } = fact.event;
    let back = lines.clone();
    let step = move |order: Reservation, stock: &_, now| order.restock(&back, stock, now);
    match products.step(receipt, order_id, &lines, step).await {
        Err(UpdateError::Refused(early @ Obstacle::NotSoldYet { .. })) => {
            Err(Trouble::Wait(early.to_string()))
        }
        outcome => Ok(outcome?),
    }
}

// What no order said

/// Asks about the orders for which goods are set aside and of which nothing was heard for so long.
/// One that fails rests for a while.
pub(crate) async fn remind(products: Products, alarm: Duration) -> Result<(), StoreError> {
    for order_id in products.overdue(alarm).await? {
        let receipt = Receipt::none(Cause::own("overdue", products.clock()));
        let ask = move |known: Option<Reservation>, now| {
            let known = known.unwrap_or_else(|| Reservation::unheard_of(order_id));
            Ok::<_, Infallible>(known.remind(alarm, now))
        };
        let asked = products.store().apply(One::<Reservation>(order_id), receipt, ask).await;
        if let Err(error) = asked {
            warn!(order.id = %order_id, %error, "nobody was asked about a reservation");
            products.rests(&order_id);
        }
    }
    Ok(())
}
