//! Pieces that were sold come back and are for sale again.

use contracts::product::{Committed, Reserved, Stock};
use contracts::{EventId, OrderId, order};
use serde_json::Value;
use testkit::eventually;

use crate::shop::{SOON, Shop, pieces};

async fn sold_2_of_5(shop: &Shop) -> (String, OrderId) {
    let product = shop.stocks(&[("MUG", 5)]).await.text_of("id");
    let (order, lines) = (shop.order(), [pieces("MUG", 2)]);
    shop.placed(order, 1, &lines).await;
    shop.hears::<Reserved>(1).await;
    shop.paid(order, &lines).await;
    shop.hears::<Committed>(1).await;
    (product, order)
}

fn back(order_id: OrderId, quantity: u32) -> order::RestockDue {
    order::RestockDue { order_id, lines: vec![pieces("MUG", quantity)] }
}

#[tokio::test]
async fn a_piece_that_comes_back_is_for_sale_once() {
    let shop = Shop::open().await;
    let (product, order) = sold_2_of_5(&shop).await;
    let id = EventId::from_uuid(shop.clock.uuid());

    for _ in 0..2 {
        shop.tell_as(id, &back(order, 1)).await;
    }
    shop.settled().await;

    assert_eq!(shop.available(&product, "MUG").await, 4);
    assert_eq!(shop.told::<Stock>().await[0].available, 4);
    let ledger = shop.ledger(&product).await;
    let kinds: Vec<&Value> = ledger.iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["adjustment", "allocation", "sale", "restock"]);
    let last = &ledger[3];
    assert_eq!((&last["order_id"], &last["on_hand_delta"]), (&order.to_string().into(), &1.into()));
}

#[tokio::test]
async fn more_than_was_sold_is_left_for_a_person_and_the_rest_goes_on() {
    let shop = Shop::open().await;
    let (product, order) = sold_2_of_5(&shop).await;

    shop.tell(&back(order, 3)).await;
    shop.tell(&back(order, 2)).await;
    shop.tell(&back(order, 1)).await;
    shop.settled().await;

    assert_eq!(shop.available(&product, "MUG").await, 5);
    assert_eq!(
        shop.reasons().await,
        [
            format!("3 pieces of MUG are to come back from {order}, which has 2"),
            format!("1 pieces of MUG are to come back from {order}, which has 0"),
        ]
    );
}

#[tokio::test]
async fn pieces_that_come_back_before_their_sale_is_heard_wait_for_it() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5)]).await.text_of("id");
    let (order, lines) = (shop.order(), [pieces("MUG", 2)]);

    shop.tell(&back(order, 2)).await;
    shop.placed(order, 1, &lines).await;
    shop.hears::<Reserved>(1).await;
    shop.paid(order, &lines).await;

    eventually("the pieces are back", SOON, async || {
        (shop.available(&product, "MUG").await == 5).then_some(())
    })
    .await;
    shop.settled().await;
    assert_eq!(shop.told::<Committed>().await.len(), 1);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn an_order_that_is_given_up_gives_back_only_what_it_still_has() {
    let shop = Shop::open().await;
    let (product, order) = sold_2_of_5(&shop).await;

    shop.tell(&back(order, 1)).await;
    shop.settled().await;
    shop.cancelled(order, &[pieces("MUG", 2)]).await;
    shop.settled().await;
    shop.tell(&back(order, 1)).await;
    shop.settled().await;

    assert_eq!(shop.available(&product, "MUG").await, 5);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn what_is_lost_is_not_for_sale_again_when_the_order_is_given_up() {
    let shop = Shop::open().await;
    let (product, order) = sold_2_of_5(&shop).await;

    shop.cancelled_without(order, &[pieces("MUG", 2)], &[pieces("MUG", 1)]).await;
    shop.settled().await;

    assert_eq!(shop.available(&product, "MUG").await, 4);
}
