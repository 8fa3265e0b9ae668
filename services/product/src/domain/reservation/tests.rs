//! What an order asks for, step by step.

use contracts::product::Stock;

use super::*;
use crate::domain::histories::{noon, order, pieces, product_id, sku, staff};
use crate::domain::{Kind, StockMovement};

fn shelf(stock: &[(&str, i64)]) -> Shelf {
    let item = |&(name, pieces): &(&str, i64)| {
        let pieces = pieces.try_into().unwrap();
        let begun = StockItem::begin(sku(name), product_id(), pieces, staff(), noon());
        (name.to_owned(), begun.value)
    };
    stock.iter().map(item).collect()
}

fn placed(round: u32, lines: &[Pieces], shelf: &Shelf) -> Change<Reservation> {
    Reservation::unheard_of(order(1)).place(round, lines, shelf, noon()).unwrap()
}

/// What is held of 2 mugs, and the shelf that is left.
fn held() -> (Reservation, Shelf) {
    let mut shelf = shelf(&[("MUG", 5)]);
    let change = placed(1, &[pieces("MUG", 2)], &shelf);
    let [item] = &change.writes::<StockItem>()[..] else { panic!("one SKU moves") };
    shelf.insert("MUG".into(), item.clone());
    (change.value, shelf)
}

#[test]
fn all_lines_are_set_aside_and_it_is_said() {
    let change = placed(1, &[pieces("MUG", 2)], &shelf(&[("MUG", 5)]));

    assert_eq!(change.told::<Reserved>(), [Reserved { order_id: order(1), round: 1 }]);
    assert_eq!(change.writes::<StockItem>()[0].reserved, 2);
}

#[test]
fn lines_of_one_sku_count_together() {
    let two_lines = [pieces("MUG", 2), pieces("MUG", 2), pieces("CUP", 1)];

    let change = placed(1, &two_lines, &shelf(&[("MUG", 3), ("CUP", 1)]));

    let [refused] = &change.told::<Refused>()[..] else { panic!("it is refused") };
    let short = Shortage { sku: sku("MUG"), requested: 4, available: 3 };
    assert_eq!(refused.shortages, [short]);
    assert!(change.writes::<StockItem>().is_empty());
}

#[test]
fn of_an_unknown_sku_there_is_nothing() {
    let change = placed(1, &[pieces("CUP", 1)], &shelf(&[]));

    let [refused] = &change.told::<Refused>()[..] else { panic!("it is refused") };
    assert_eq!(refused.shortages[0].available, 0);
}

#[test]
fn what_is_held_is_held_for_the_next_asking_too() {
    let (held, shelf) = held();

    let again = held.place(2, &[pieces("MUG", 2)], &shelf, noon()).unwrap();
    let late = again.value.clone().expire(1, &shelf, noon()).unwrap();

    assert_eq!(again.told::<Reserved>(), [Reserved { order_id: order(1), round: 2 }]);
    assert!(again.writes::<StockItem>().is_empty());
    assert!(late.is_none());
}

#[test]
fn an_asking_that_its_end_overtook_reserves_nothing() {
    let shelf = shelf(&[("MUG", 5)]);
    let order = Reservation::unheard_of(order(1));

    let expired = order.clone().expire(1, &shelf, noon()).unwrap().value;
    let cancelled = order.cancel(&[], &shelf, noon()).unwrap().value;

    for overtaken in [expired, cancelled] {
        let placed = overtaken.place(1, &[pieces("MUG", 1)], &shelf, noon()).unwrap();
        assert!(placed.writes::<StockItem>().is_empty() && placed.tells_nothing());
    }
}

#[test]
fn a_paid_order_without_goods_gets_what_is_there_or_hears_that_it_is_gone() {
    let order = Reservation::unheard_of(order(1));

    let there = order.clone().pay(&[pieces("MUG", 5)], &shelf(&[("MUG", 5)]), noon()).unwrap();
    let gone = order.pay(&[pieces("MUG", 6)], &shelf(&[("MUG", 5)]), noon()).unwrap();

    assert_eq!(there.told::<Committed>().len(), 1);
    assert_eq!(there.writes::<StockItem>()[0].on_hand, 0);
    assert_eq!(gone.told::<CommitRefused>()[0].shortages[0].available, 5);
    assert!(gone.writes::<StockItem>().is_empty());
}

#[test]
fn what_was_sold_comes_back_when_the_order_is_given_up() {
    let (sold, shelf) = sold();

    let returned = sold.cancel(&[], &shelf, noon()).unwrap();

    assert_eq!(returned.value.state, State::Returned);
    assert_eq!(returned.writes::<StockItem>()[0].on_hand, 5);
}

/// 2 mugs that were sold, and the shelf that is left.
fn sold() -> (Reservation, Shelf) {
    let (held, shelf) = held();
    let sold = held.pay(&[], &shelf, noon()).unwrap();
    let shelf = Shelf::from([("MUG".into(), sold.writes::<StockItem>().remove(0))]);
    (sold.value, shelf)
}

#[test]
fn some_of_what_was_sold_is_for_sale_again() {
    let (sold, shelf) = sold();

    let change = sold.restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap();

    let [item] = &change.writes::<StockItem>()[..] else { panic!("one SKU moves") };
    assert_eq!((item.on_hand, item.reserved), (4, 0));
    let [row] = &change.entries::<StockMovement>()[..] else { panic!("one row") };
    assert_eq!((&row.kind, row.on_hand_delta), (&Kind::Restock { order_id: order(1) }, 1));
    assert_eq!(change.told::<Stock>()[0].available, 4);
    assert_eq!(change.value.state, State::Sold);
}

#[test]
fn no_more_comes_back_than_the_order_has() {
    let (sold, shelf) = sold();
    let one_back = sold.restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap().value;

    let refused = |lines: &[Pieces]| one_back.clone().restock(lines, &shelf, noon()).unwrap_err();

    let not_sold =
        |what, pieces, left| Obstacle::NotSold { order_id: order(1), sku: sku(what), pieces, left };
    assert_eq!(refused(&[pieces("MUG", 1), pieces("MUG", 1)]), not_sold("MUG", 2, 1));
    assert_eq!(refused(&[pieces("MUG", 1), pieces("POT", 3)]), not_sold("POT", 3, 0));
}

#[test]
fn an_order_that_is_given_up_gives_back_what_did_not_come_back_before() {
    let (sold, shelf) = sold();
    let back = sold.restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap();
    let shelf = Shelf::from([("MUG".into(), back.writes::<StockItem>().remove(0))]);

    let returned = back.value.cancel(&[], &shelf, noon()).unwrap();
    let late = returned.value.clone().restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap();

    assert_eq!(returned.writes::<StockItem>()[0].on_hand, 5);
    assert!(late.is_none());
}

#[test]
fn what_is_lost_is_not_for_sale_again_when_the_order_is_given_up() {
    for (order, shelf) in [sold(), held()] {
        let given_up = order.cancel(&[pieces("MUG", 1)], &shelf, noon()).unwrap();

        let item = given_up.writes::<StockItem>().pop().unwrap();
        assert_eq!((item.on_hand, item.reserved), (4, 0));
        assert_eq!(given_up.value.state, State::Returned);
        let late = given_up.value.pay(&[pieces("MUG", 2)], &shelf, noon()).unwrap();
        assert!(late.is_none());
    }
}

#[test]
fn no_more_is_lost_than_the_order_has() {
    let (sold, shelf) = sold();
    let back = sold.restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap();
    let shelf = Shelf::from([("MUG".into(), back.writes::<StockItem>().remove(0))]);

    let lost = [pieces("MUG", 9), pieces("POT", 1)];
    let given_up = back.value.cancel(&lost, &shelf, noon()).unwrap();

    assert!(given_up.writes::<StockItem>().is_empty());
    assert_eq!(given_up.value.lost, BTreeMap::from([(sku("MUG"), 1)]));
}

#[test]
fn pieces_that_come_back_wait_for_their_sale() {
    let (held, shelf) = held();
    let unheard = Reservation::unheard_of(order(1));
    let refused = placed(1, &[pieces("MUG", 9)], &shelf).value;

    for early in [held, unheard, refused] {
        let waits = early.restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap_err();
        assert_eq!(waits, Obstacle::NotSoldYet { order_id: order(1) });
    }
}

#[test]
fn what_could_not_be_sold_does_not_come_back() {
    let shelf = shelf(&[("MUG", 0)]);
    let order_1 = Reservation::unheard_of(order(1));
    let gone = order_1.pay(&[pieces("MUG", 1)], &shelf, noon()).unwrap().value;

    let change = gone.restock(&[pieces("MUG", 1)], &shelf, noon()).unwrap();

    assert!(change.is_none());
}

#[test]
fn stock_that_was_not_shown_is_asked_for() {
    let (held, _) = held();

    let blind = held.cancel(&[], &Shelf::new(), noon()).unwrap_err();

    assert_eq!(blind, Obstacle::OutOfSight { sku: sku("MUG") });
}

#[test]
fn an_order_that_is_quiet_for_too_long_is_asked_about_once_in_a_while() {
    const ALARM: Duration = Duration::from_hours(24);
    let (held, _) = held();
    let later = |hours| noon().plus(Duration::from_hours(hours));

    assert!(held.clone().remind(ALARM, later(23)).is_none());
    let asked = held.remind(ALARM, later(24));
    assert_eq!(asked.told::<ReservationOverdue>()[0].reserved_at, noon());
    assert!(asked.value.clone().remind(ALARM, later(47)).is_none());
    assert_eq!(asked.value.remind(ALARM, later(48)).told::<ReservationOverdue>().len(), 1);
}
