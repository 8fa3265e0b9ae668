//! Carts, as a shopper would tell of them.

use contracts::cart::CheckedOut;
use contracts::product::Variant;
use contracts::{Currency, Money, OrderId, ProductId, Quantity, Sku, UserId};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

mod moved_skus;

const ALICE: UserId = UserId::from_uuid(Uuid::from_u128(1));
const GUEST: UserId = UserId::from_uuid(Uuid::from_u128(4));
const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(2));

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

fn pieces(number: u32) -> Quantity {
    Quantity::new(number).unwrap()
}

/// A line as earlier versions stored it, without its product.
fn line(name: &str, number: u32) -> Line {
    Line { sku: sku(name), product_id: None, options: [].into(), quantity: pieces(number) }
}

/// A line of what the shop sells under this SKU.
fn line_of(shop: &Offers, name: &str, number: u32) -> Line {
    Line::of(shop.find(&sku(name)).unwrap(), pieces(number))
}

fn variant(name: &str, price: Money) -> Variant {
    Variant { sku: sku(name), options: [].into(), price, off_sale: false, former_skus: vec![] }
}

fn product(name: &str, price: Money, archived: bool) -> CopiedProduct {
    let variant = variant(name, price);
    let id = ProductId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()));
    CopiedProduct { id, title: name.into(), variants: vec![variant], archived, names: vec![] }
}

fn offers(sold: &[(&str, Money, u32)]) -> Offers {
    let products = sold.iter().map(|(name, price, _)| product(name, *price, false)).collect();
    let stock: Vec<_> = sold
        .iter()
        .map(|(name, _, available)| CopiedStock { sku: sku(name), available: *available })
        .collect();
    Offers::of(products, &stock)
}

fn cart(lines: &[Line]) -> Cart {
    Cart { lines: lines.to_vec(), ..Cart::empty(ALICE) }
}

fn buy(cart: Cart, expected: Money, offers: &Offers) -> Result<CheckedOut, Refusal> {
    let change = cart.check_out(ORDER, expected, offers, Currency::EUR)?;
    assert!(change.value.lines.is_empty());
    Ok(change.told::<CheckedOut>().remove(0))
}

#[test]
fn putting_sets_the_quantity_and_putting_again_changes_nothing() {
    let mugs = offers(&[("MUG", eur(100), 9)]);

    let two = cart(&[line("MUG", 1)]).put(&sku("MUG"), pieces(2), &mugs).unwrap();
    assert_eq!(two.value.lines, [line_of(&mugs, "MUG", 2)]);
    assert!(two.value.put(&sku("MUG"), pieces(2), &mugs).unwrap().is_none());
}

#[test]
fn what_is_not_sold_cannot_be_put_in() {
    let archived = Offers::of(vec![product("OLD", eur(1), true)], &[]);

    for offers in [archived, Offers::default()] {
        let refused = cart(&[]).put(&sku("OLD"), pieces(1), &offers).unwrap_err();
        assert_eq!(refused, Refusal::NotSold { sku: sku("OLD") });
    }
}

#[test]
fn a_cart_has_an_end() {
    let mug = offers(&[("MUG", eur(1), 1)]);
    let lines: Vec<_> = (0..100).map(|n| line(&format!("S{n}"), 1)).collect();

    assert_eq!(cart(&lines).put(&sku("MUG"), pieces(1), &mug).unwrap_err(), Refusal::Full);
}

#[test]
fn checkout_tells_the_lines_at_the_price_that_was_accepted() {
    let shop = offers(&[("MUG", eur(1250), 5), ("TEA", eur(700), 5)]);

    let told = buy(cart(&[line("MUG", 2), line("TEA", 1)]), eur(3200), &shop).unwrap();

    assert_eq!((told.order_id, told.customer, told.total), (ORDER, ALICE, eur(3200)));
    assert_eq!(told.lines[0].line_total, eur(2500));
}

#[test]
fn another_price_than_the_accepted_one_is_refused() {
    let shop = offers(&[("MUG", eur(1250), 5)]);

    let refused = buy(cart(&[line("MUG", 1)]), eur(1200), &shop).unwrap_err();

    assert_eq!(refused, Refusal::OtherTotal { expected: eur(1200), now: eur(1250) });
}

#[test]
fn an_empty_cart_buys_nothing() {
    assert_eq!(buy(cart(&[]), eur(0), &Offers::default()), Err(Refusal::Empty));
}

#[test]
fn what_cannot_be_bought_as_it_is_says_why() {
    let dollars = Money::new(5, "USD".parse().unwrap());
    let shop = offers(&[("MUG", eur(1), 1), ("FOREIGN", dollars, 9), ("DEAR", eur(i64::MAX), 9)]);
    let mug = line("MUG", 1);
    let cases = [
        (line("GONE", 1), Trouble::NoLongerSold),
        (line("FOREIGN", 1), Trouble::OtherCurrency),
        (line("DEAR", 2), Trouble::TooExpensive),
    ];

    for (bad, why) in cases {
        let refused = buy(cart(&[mug.clone(), bad.clone()]), eur(1), &shop).unwrap_err();
        assert_eq!(refused, Refusal::NotForSale { sku: bad.sku, troubles: vec![why] });
    }
    let refused = buy(cart(&[line("MUG", 2)]), eur(2), &shop).unwrap_err();
    let troubles = vec![Trouble::NotEnough];
    assert_eq!(refused, Refusal::NotForSale { sku: sku("MUG"), troubles });
}

#[test]
fn a_sum_beyond_counting_is_no_price() {
    let shop = offers(&[("A", eur(i64::MAX), 9), ("B", eur(1), 9)]);

    let refused = buy(cart(&[line("A", 1), line("B", 1)]), eur(i64::MAX), &shop).unwrap_err();

    assert!(matches!(refused, Refusal::NotForSale { .. }));
}

#[test]
fn skus_are_found_in_any_case() {
    let mugs = offers(&[("MUG", eur(100), 9)]);

    let two = cart(&[line("Mug", 1)]).put(&sku("mug"), pieces(2), &mugs).unwrap();

    assert_eq!(two.value.lines, [line_of(&mugs, "MUG", 2)]);
    assert!(two.value.remove(&sku("muG"), &mugs).value.lines.is_empty());
}

#[test]
fn former_skus_lead_to_their_variant() {
    let price = eur(100);
    let mut mug = product("MUG", price, false);
    mug.variants[0].former_skus = vec![sku("MGU"), sku("TEA")];
    let counted = ["MUG", "TEA"].map(|name| CopiedStock { sku: sku(name), available: 9 });
    let shop = Offers::of(vec![mug, product("TEA", eur(7), false)], &counted);

    let told = buy(cart(&[line("mgu", 2)]), eur(200), &shop).unwrap();
    let cart = cart(&[line("MGU", 1)]).put(&sku("MUG"), pieces(3), &shop).unwrap();

    assert_eq!(told.lines[0].sku, sku("MUG"));
    assert_eq!(cart.value.lines, [line_of(&shop, "MUG", 3)]);
    assert_eq!(shop.find(&sku("TEA")).unwrap().price, eur(7), "who bears it now comes first");
}

#[test]
fn a_variant_off_sale_is_not_offered() {
    let mut mug = product("MUG", eur(100), false);
    mug.variants.push(Variant { off_sale: true, ..variant("CUP", eur(1)) });
    let shop = Offers::of(vec![mug], &[]);

    assert!(shop.find(&sku("MUG")).is_some() && shop.find(&sku("CUP")).is_none());
}

proptest! {
    #[test]
    fn the_total_is_the_sum_of_the_lines(
        sold in prop::collection::vec((0_i64..1_000_000, 1_u32..=999), 1..20),
    ) {
        let names: Vec<_> = (0..sold.len()).map(|n| format!("S{n}")).collect();
        let shop: Vec<_> = names.iter().zip(&sold)
            .map(|(name, (price, _))| (name.as_str(), eur(*price), 999)).collect();
        let lines: Vec<_> = names.iter().zip(&sold).map(|(name, (_, q))| line(name, *q)).collect();
        let total = sold.iter().map(|(price, q)| price * i64::from(*q)).sum();

        let told = buy(cart(&lines), eur(total), &offers(&shop)).unwrap();

        prop_assert_eq!(told.lines.len(), sold.len());
        prop_assert_eq!(told.total, eur(total));
        prop_assert!(told.lines.iter().all(|l| l.unit_price.times(l.quantity) == Some(l.line_total)));
    }
}

#[test]
fn totals_stay_below_two_to_the_53() {
    let most = Money::MAX / 999;
    let offers = |price| offers(&[("MUG", eur(price), 999), ("TEA", eur(1), 999)]);
    let of = |price, lines: &[Line]| Priced::of(lines, &offers(price), Currency::EUR);

    let fits = of(most, &[line("MUG", 999)]);
    let line_too_large = of(most + 1, &[line("MUG", 999), line("TEA", 1)]);
    let sum_too_large = of(most, &[line("MUG", 999), line("TEA", 999)]);

    assert_eq!(fits.total, eur(most * 999));
    assert_eq!(line_too_large.lines[0].troubles, [Trouble::TooExpensive]);
    assert_eq!((line_too_large.total, &line_too_large.lines[1].troubles), (eur(1), &vec![]));
    assert_eq!(sum_too_large.lines[1].troubles, [Trouble::TooExpensive]);
}

#[test]
fn lines_beyond_the_bound_stay_priced() {
    let half = eur(Money::MAX / 2);
    let shop = offers(&[("A", half, 9), ("B", half, 9), ("C", half, 1), ("D", eur(1), 9)]);
    let lines = [line("A", 1), line("GONE", 1), line("B", 1), line("C", 2), line("D", 1)];

    let priced = Priced::of(&lines, &shop, Currency::EUR);

    let troubles: Vec<_> = priced.lines.iter().map(|line| line.troubles.as_slice()).collect();
    let expected: [&[Trouble]; 5] = [
        &[],
        &[Trouble::NoLongerSold],
        &[],
        &[Trouble::NotEnough, Trouble::TooExpensive],
        &[Trouble::TooExpensive],
    ];
    assert_eq!(troubles, expected);
    let totals: Vec<_> =
        priced.lines.iter().flat_map(|it| &it.sold).map(|it| it.line_total).collect();
    assert_eq!(totals, [half, half, eur(Money::MAX - 1), eur(1)]);
    assert_eq!(priced.total, eur(Money::MAX - 1));
}
