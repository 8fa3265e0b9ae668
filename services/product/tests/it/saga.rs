//! Orders speak, and stock is set aside, sold and given back.

use std::collections::HashSet;

use contracts::product::{CommitRefused, Committed, Refused, Released, Reserved, Stock};
use contracts::{EventId, order};
use futures_util::future::join_all;
use serde_json::json;

use crate::shop::{Shop, pieces};

#[tokio::test]
async fn an_order_that_is_paid_gets_its_goods() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5), ("CUP", 2)]).await.text_of("id");
    let (order, lines) = (shop.order(), [pieces("MUG", 1), pieces("CUP", 2), pieces("MUG", 2)]);

    shop.placed(order, 1, &lines).await;
    let reserved = shop.hears::<Reserved>(1).await;
    assert_eq!(reserved, [Reserved { order_id: order, round: 1 }]);
    assert_eq!(shop.available(&product, "MUG").await, 2);

    shop.paid(order, &lines).await;
    assert_eq!(shop.hears::<Committed>(1).await, [Committed { order_id: order }]);
    shop.settled().await;
    assert_eq!(shop.available(&product, "CUP").await, 0);
    let stock = shop.told::<Stock>().await;
    let available = |sku: &str| stock.iter().find(|it| it.sku.as_str() == sku).unwrap().available;
    assert_eq!((available("MUG"), available("CUP")), (2, 0));
}

#[tokio::test]
async fn an_order_gets_all_its_lines_or_none() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5), ("CUP", 1)]).await.text_of("id");
    let order = shop.order();

    shop.placed(order, 1, &[pieces("MUG", 1), pieces("CUP", 2), pieces("NONE", 1)]).await;

    let refused = shop.hears::<Refused>(1).await.remove(0);
    let short: Vec<_> =
        refused.shortages.iter().map(|it| (it.sku.as_str(), it.requested, it.available)).collect();
    assert_eq!((refused.order_id, short), (order, vec![("CUP", 2, 1), ("NONE", 1, 0)]));
    assert_eq!(shop.available(&product, "MUG").await, 5);
}

#[tokio::test]
async fn late_money_asks_for_goods_again() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 1)]).await.text_of("id");
    let (early, late, lines) = (shop.order(), shop.order(), [pieces("MUG", 1)]);
    shop.placed(early, 1, &lines).await;
    shop.expired(early, 1, &lines).await;
    shop.hears::<Released>(1).await;
    shop.placed(late, 1, &lines).await;
    shop.hears::<Reserved>(2).await;

    shop.placed(early, 2, &lines).await;
    let refused = shop.hears::<Refused>(1).await.remove(0);
    shop.paid(early, &lines).await;
    let commit_refused = shop.hears::<CommitRefused>(1).await.remove(0);

    assert_eq!((refused.order_id, refused.round), (early, 2));
    assert_eq!((commit_refused.order_id, commit_refused.shortages[0].available), (early, 0));
    assert_eq!(shop.available(&product, "MUG").await, 0);
}

#[tokio::test]
async fn an_order_that_is_given_up_gives_everything_back_even_what_it_does_not_name() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5), ("CUP", 2)]).await.text_of("id");
    let (held, sold, lines) = (shop.order(), shop.order(), [pieces("MUG", 1), pieces("CUP", 1)]);
    for order in [held, sold] {
        shop.placed(order, 1, &lines).await;
    }
    shop.hears::<Reserved>(2).await;
    shop.paid(sold, &lines).await;
    shop.hears::<Committed>(1).await;

    shop.cancelled(held, &[]).await;
    shop.cancelled(sold, &lines[..1]).await;
    shop.settled().await;

    assert_eq!(shop.told::<Released>().await, [Released { order_id: held }]);
    assert_eq!(shop.available(&product, "MUG").await, 5);
    assert_eq!(shop.available(&product, "CUP").await, 2);
}

#[tokio::test]
async fn what_is_heard_twice_or_too_late_changes_nothing() {
    let shop = Shop::open().await;
    let product = shop.stocks(&[("MUG", 5)]).await.text_of("id");
    let (order, lines) = (shop.order(), [pieces("MUG", 2)]);
    let placed = order::Placed { order_id: order, round: 1, lines: lines.to_vec(), customer: None };
    let id = EventId::from_uuid(shop.clock.uuid());
    shop.tell_as(id, &placed).await;
    shop.tell_as(id, &placed).await;
    shop.tell(&placed).await;
    shop.settled().await;
    assert_eq!(shop.told::<Reserved>().await.len(), 1);

    let overtaken = shop.order();
    shop.cancelled(overtaken, &lines).await;
    shop.settled().await;
    shop.placed(overtaken, 1, &lines).await;
    shop.paid(overtaken, &lines).await;
    shop.settled().await;

    assert_eq!(shop.told::<Reserved>().await.len(), 1);
    assert!(shop.told::<Committed>().await.is_empty());
    assert_eq!(shop.available(&product, "MUG").await, 3);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn of_64_orders_for_the_last_10_pieces_10_get_them() {
    rush(&Shop::with_replicas(2).await).await;
}

#[tokio::test]
async fn of_64_orders_for_the_last_10_pieces_10_get_them_when_each_is_committed_by_itself() {
    rush(&Shop::grouping(2, 1).await).await;
}

/// 64 orders want the last 10 pieces at once, with goods beside them of which there is plenty; of
/// the 10 that get theirs, half pay and half do not, again at once.
async fn rush(shop: &Shop) {
    let product = shop.stocks(&[("HOT", 10), ("MUG", 500), ("CUP", 500)]).await.text_of("id");
    let lines = [pieces("MUG", 1), pieces("HOT", 1), pieces("CUP", 2), pieces("MUG", 2)];
    let orders: Vec<_> = (0..64).map(|_| shop.order()).collect();

    join_all(orders.iter().map(|order| shop.placed(*order, 1, &lines))).await;
    shop.settled().await;

    let served: Vec<_> = shop.told::<Reserved>().await.iter().map(|it| it.order_id).collect();
    let turned_away: Vec<_> = shop.told::<Refused>().await.iter().map(|it| it.order_id).collect();
    assert_eq!((served.len(), turned_away.len()), (10, 54));
    let answered: HashSet<_> = served.iter().chain(&turned_away).collect();
    assert_eq!(answered, orders.iter().collect());
    for (sku, left) in [("HOT", 0), ("MUG", 470), ("CUP", 480)] {
        assert_eq!(shop.available(&product, sku).await, left, "{sku}");
    }

    let (payers, others) = served.split_at(5);
    let paid = join_all(payers.iter().map(|order| shop.paid(*order, &lines)));
    let expired = join_all(others.iter().map(|order| shop.expired(*order, 1, &lines)));
    tokio::join!(paid, expired);
    shop.settled().await;

    assert_eq!(shop.told::<Committed>().await.len(), 5);
    assert_eq!(shop.told::<Released>().await.len(), 5);
    let ledger = shop.ledger(&product).await;
    for (sku, on_hand) in [("HOT", 5), ("MUG", 485), ("CUP", 490)] {
        let last = ledger.iter().rfind(|row| row["sku"] == sku).unwrap();
        assert_eq!((&last["on_hand"], &last["reserved"]), (&json!(on_hand), &json!(0)), "{sku}");
    }
    assert_eq!(shop.dead_letters().await, 0);
}
