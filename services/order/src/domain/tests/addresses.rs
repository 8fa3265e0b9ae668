//! Where the goods go.

use contracts::order::AddressChanged;

use super::*;

#[test]
fn the_goods_go_where_the_shopper_says() {
    for order in [placed(), reserved(), paid()] {
        let change = order.readdress(address(1)).unwrap();

        assert_eq!(change.told::<AddressChanged>().len(), 1);
        let order = change.value;
        changes_nothing(&order.clone().readdress(address(1)).unwrap(), &order);
        assert_eq!(order.readdress(address(2)).unwrap().value.address, Some(address(2)));
    }
}

#[test]
fn a_parcel_that_left_or_is_about_to_does_not_go_elsewhere() {
    let promise = Promise { amount: eur(2500), capture_by: minutes(60) };
    let promised = reserved().authorize(attempt(1), promise, noon()).unwrap().value;
    let waiting = promised.ship(shipment(), noon()).unwrap().value;
    let half = sent(paid_much(), 1, [1, 0]).value;

    for order in [waiting, half, shipped(), delivered(), cancelled(), expired()] {
        let standing = order.standing();

        let refused = order.readdress(address(1)).unwrap_err();

        assert_eq!(refused, Refusal::Unfit { act: Act::ChangeAddress, standing });
    }
}

#[test]
fn an_address_does_not_show_in_a_log() {
    let order = paid().readdress(address(1)).unwrap().value;

    assert!(!format!("{order:?}").contains("Marktstr"));
}
