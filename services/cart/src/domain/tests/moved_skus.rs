//! Lines whose SKU was corrected, freed or taken by something else meanwhile.

use super::*;

/// Sells variants of a product, all of them by the hundred.
fn shop(products: &[CopiedProduct]) -> Offers {
    let variants = products.iter().flat_map(|product| &product.variants);
    let stock: Vec<_> =
        variants.map(|it| CopiedStock { sku: it.sku.clone(), available: 100 }).collect();
    Offers::of(products.to_vec(), &stock)
}

fn titled(title: &str, variants: &[Variant]) -> CopiedProduct {
    let id = ProductId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, title.as_bytes()));
    let (title, variants) = (title.to_owned(), variants.to_vec());
    CopiedProduct { id, title, variants, archived: false, names: vec![] }
}

fn corrected(name: &str, former: &str) -> Variant {
    Variant { former_skus: vec![sku(former)], ..variant(name, eur(100)) }
}

fn sized(variant: Variant, size: &str) -> Variant {
    Variant { options: [("size".to_owned(), size.to_owned())].into(), ..variant }
}

/// What a cart shows: SKU, pieces and title of each line.
fn shown(cart: &Cart, shop: &Offers) -> Vec<(String, u32, Option<String>)> {
    let lines = Priced::of(&cart.renewed(shop).lines, shop, Currency::EUR).lines;
    let line = |line: PricedLine| {
        (line.sku.to_string(), line.quantity.get(), line.sold.map(|sold| sold.title))
    };
    lines.into_iter().map(line).collect()
}

fn is_shown(name: &str, number: u32, title: &str) -> (String, u32, Option<String>) {
    (name.to_owned(), number, Some(title.to_owned()))
}

fn is_dead(name: &str, number: u32) -> (String, u32, Option<String>) {
    (name.to_owned(), number, None)
}

/// A cart with a pair of red shoes, whose SKU was corrected and taken by socks.
fn corrected_and_taken() -> (Cart, Offers) {
    let before = shop(&[titled("Red shoes", &[variant("W-x", eur(100))])]);
    let put = cart(&[]).put(&sku("w-X"), pieces(1), &before).unwrap().value;
    let shoes = titled("Red shoes", &[corrected("W2-x", "W-x")]);
    (put, shop(&[shoes, titled("Wool socks", &[variant("W-x", eur(100))])]))
}

/// A cart with a lamp, whose SKU was freed and taken by a spoon.
fn freed_and_taken() -> (Cart, Offers) {
    let before = shop(&[titled("Lamp", &[variant("L-x", eur(100))])]);
    let put = cart(&[]).put(&sku("L-x"), pieces(1), &before).unwrap().value;
    let lamp = CopiedProduct { archived: true, ..titled("Lamp", &[]) };
    (put, shop(&[lamp, titled("Spoon", &[variant("L-x", eur(100))])]))
}

#[test]
fn corrected_sku_keeps_its_product_when_taken() {
    let (put, now) = corrected_and_taken();

    assert_eq!(shown(&put, &now), [is_shown("W2-x", 1, "Red shoes")]);
    let bought = buy(put, eur(100), &now).unwrap();
    assert_eq!(
        (bought.lines[0].sku.as_str(), bought.lines[0].title.as_str()),
        ("W2-x", "Red shoes")
    );
}

#[test]
fn freed_sku_leads_to_no_other_product() {
    let (put, now) = freed_and_taken();

    assert_eq!(shown(&put, &now), [is_dead("L-x", 1)]);
    let troubles = vec![Trouble::NoLongerSold];
    let refused = Refusal::NotForSale { sku: sku("L-x"), troubles };
    assert_eq!(buy(put, eur(100), &now), Err(refused));
}

#[test]
fn putting_replaces_an_unsellable_line_only() {
    let (lamp, spoons) = freed_and_taken();
    let (shoes, socks) = corrected_and_taken();

    let spoon = lamp.put(&sku("l-x"), pieces(3), &spoons).unwrap().value;
    let both = shoes.put(&sku("W-x"), pieces(2), &socks).unwrap().value;

    assert_eq!(shown(&spoon, &spoons), [is_shown("L-x", 3, "Spoon")]);
    let expected = [is_shown("W2-x", 1, "Red shoes"), is_shown("W-x", 2, "Wool socks")];
    assert_eq!(shown(&both, &socks), expected);
}

#[test]
fn removing_twice_takes_out_nothing_else() {
    let (shoes, socks) = corrected_and_taken();
    let both = shoes.put(&sku("W-x"), pieces(2), &socks).unwrap().value;

    let once = both.remove(&sku("W-x"), &socks).value;
    let twice = once.clone().remove(&sku("W-x"), &socks);

    assert_eq!(shown(&once, &socks), [is_shown("W2-x", 1, "Red shoes")]);
    assert!(twice.is_none() && !once.holds(&sku("W-x"), &socks));
    assert!(once.holds(&sku("W2-x"), &socks));
}

#[test]
fn removing_takes_every_line_that_shows_the_sku() {
    let (lamp, spoons) = freed_and_taken();
    let lines = [lamp.lines[0].clone(), line_of(&spoons, "L-x", 2)];

    let removed = cart(&lines).remove(&sku("L-x"), &spoons).value;

    assert_eq!(shown(&cart(&lines), &spoons), [is_dead("L-x", 1), is_shown("L-x", 2, "Spoon")]);
    assert!(removed.lines.is_empty());
}

#[test]
fn unlike_variants_that_swapped_skus_are_told_apart() {
    let before = [sized(variant("S-1", eur(100)), "M"), sized(variant("S-2", eur(100)), "L")];
    let before = shop(&[titled("Shirt", &before)]);
    let medium = cart(&[]).put(&sku("S-1"), pieces(1), &before).unwrap().value;
    let large = || sized(corrected("S-1", "S-2"), "L");
    let now = |medium| shop(&[titled("Shirt", &[medium, large()])]);
    let moved = sized(corrected("S-9", "S-1"), "M");

    let renewed = medium.renewed(&now(moved.clone()));
    assert_eq!(renewed.lines[0].sku, sku("S-9"));
    let off_sale = now(Variant { off_sale: true, ..moved.clone() });
    assert_eq!(shown(&medium, &off_sale), [is_dead("S-1", 1)]);
    let other_options = now(sized(moved, "S"));
    assert_eq!(shown(&medium, &other_options), [is_dead("S-1", 1)]);
}

#[test]
fn options_alone_do_not_end_a_line() {
    let red = shop(&[titled("Shirt", &[sized(variant("S-1", eur(100)), "m")])]);
    let put = cart(&[]).put(&sku("S-1"), pieces(1), &red).unwrap().value;

    let spelled = shop(&[titled("Shirt", &[sized(corrected("s-1", "S-1"), "M")])]);

    assert_eq!(shown(&put, &spelled), [is_shown("s-1", 1, "Shirt")]);
}

#[test]
fn a_sku_off_sale_leads_to_no_former_bearer() {
    let mug = titled("Mug", &[corrected("MUG", "CUP")]);
    let cup = Variant { off_sale: true, ..variant("CUP", eur(100)) };

    let now = shop(&[mug, titled("Cup", &[cup])]);

    assert_eq!(now.find(&sku("CUP")), None);
}

#[test]
fn one_thing_never_stands_twice_after_a_merge() {
    let mugs = |name| titled("Mug", &[corrected(name, "MGU")]);
    let before = shop(&[titled("Mug", &[variant("MGU", eur(100))])]);
    let now = shop(&[mugs("MUG")]);
    let account = cart(&[line_of(&before, "MGU", 2)]);
    let guest = |line| Cart { lines: vec![line], ..Cart::empty(GUEST) };

    for of_guest in [line_of(&now, "MUG", 3), line("mgu", 3)] {
        let merged = account.clone().take_in(guest(of_guest)).value;
        assert_eq!(shown(&merged, &now), [is_shown("MUG", 5, "Mug")]);
        assert_eq!(buy(merged, eur(500), &now).unwrap().lines.len(), 1);
    }
    let full = account.take_in(guest(line_of(&now, "MUG", 999))).value;
    assert_eq!(shown(&full, &now), [is_shown("MUG", 999, "Mug")]);
}

#[test]
fn a_merge_adds_pieces_of_one_product_only() {
    let (lamp, spoons) = freed_and_taken();
    let guest = Cart { lines: vec![line_of(&spoons, "L-x", 2)], ..Cart::empty(GUEST) };

    let merged = lamp.take_in(guest).value;

    assert_eq!(shown(&merged, &spoons), [is_dead("L-x", 1), is_shown("L-x", 2, "Spoon")]);
}

#[test]
fn a_renewal_alone_is_not_written() {
    let now = shop(&[titled("Mug", &[corrected("MUG", "MGU")]), titled("Tea", &[])]);
    let stored = cart(&[line("MGU", 1)]);

    assert!(stored.clone().remove(&sku("TEA"), &now).is_none());
    let put = stored.put(&sku("MGU"), pieces(1), &now).unwrap();
    assert_eq!(put.value.lines, [line_of(&now, "MUG", 1)]);
    assert!(put.value.put(&sku("MGU"), pieces(1), &now).unwrap().is_none());
}

#[test]
fn what_was_left_behind_is_put_back_or_removed() {
    let now = shop(&[titled("Mug", &[corrected("MUG", "MGU")])]);
    let left = |lines: &[Line]| Cart { left_behind: lines.to_vec(), ..cart(&[]) };
    let two = left(&[line("MGU", 3), line("GONE", 1)]);

    let put = two.clone().put(&sku("MUG"), pieces(1), &now).unwrap().value;
    let removed = two.clone().remove(&sku("gone"), &now).value;

    assert_eq!(two.renewed(&now).left_behind, [line_of(&now, "MUG", 3), line("GONE", 1)]);
    assert_eq!(
        (put.lines, put.left_behind),
        (vec![line_of(&now, "MUG", 1)], vec![line("GONE", 1)])
    );
    assert_eq!(removed.left_behind, [line_of(&now, "MUG", 3)]);
    let cleared = two.clear();
    assert!(!cleared.is_none() && cleared.value.left_behind.is_empty());
    let bought = Cart { lines: vec![line("MUG", 1)], ..left(&[line("GONE", 1)]) };
    let bought = bought.check_out(ORDER, eur(100), &now, Currency::EUR).unwrap();
    assert!(bought.value.left_behind.is_empty());
}

#[test]
fn lines_of_earlier_versions_are_read_and_written() {
    let stored = serde_json::json!({ "sku": "MUG", "quantity": 2 });
    let read: Line = serde_json::from_value(stored.clone()).unwrap();

    assert_eq!(read, line("MUG", 2));
    assert_eq!(serde_json::to_value(read).unwrap(), stored);
}
