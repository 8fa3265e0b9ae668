//! Whatever comes, in whatever order and however often, the money adds up.

mod happening;
mod provider;
mod shop;

use proptest::prelude::*;

use happening::{Happening, happening};
use provider::Bank;
use shop::Shop;

proptest! {
    #[test]
    fn the_money_adds_up_whatever_happens(happenings in prop::collection::vec(happening(), 0..60)) {
        let mut shop = Shop::new();

        for happening in &happenings {
            shop.happen(happening);
            shop.check();
        }
    }

    #[test]
    fn a_repeat_changes_nothing(happenings in prop::collection::vec(happening(), 0..40)) {
        let (mut once, mut twice) = (Shop::new(), Shop::new());

        for happening in &happenings {
            once.happen(happening);
            twice.happen(happening);
            if !matches!(happening, Happening::Later(_)) {
                twice.happen(happening);
            }
        }

        prop_assert_eq!(once.payment, twice.payment);
        prop_assert_eq!(once.told.captured, twice.told.captured);
        prop_assert_eq!(once.told.refunded, twice.told.refunded);
        prop_assert_eq!(once.entries, twice.entries);
    }

    #[test]
    fn nothing_stays_open_for_ever(
        happenings in prop::collection::vec(happening(), 0..40),
        moods in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let mut shop = Shop::new();
        for happening in &happenings {
            shop.happen(happening);
        }

        Bank::of(&shop, &moods).reconcile(&mut shop);

        shop.check();
        shop.check_endings();
    }

    #[test]
    fn what_the_order_says_has_no_order(
        (happenings, shuffled) in Just(vec![
            Happening::Asked, Happening::Extended(1200), Happening::Closed, Happening::Cancelled,
            Happening::Extended(60),
        ]).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let (mut one, mut other) = (Shop::new(), Shop::new());

        for (happening, shuffled) in happenings.iter().zip(&shuffled) {
            one.happen(happening);
            other.happen(shuffled);
        }

        prop_assert_eq!(one.payment, other.payment);
    }
}
