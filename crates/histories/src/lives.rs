//! Thousands of histories.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::shop::Shop;
use crate::step::{Step, history};

/// The same histories each time, unless `PROPTEST_RNG_SEED` says otherwise.
fn config(cases: u32) -> Config {
    let told = Config::default();
    let rng_seed = match told.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0x50_0b),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    Config { cases, rng_seed, failure_persistence: None, ..told }
}

fn live(history: &[Step]) {
    let mut shop = Shop::open();
    for step in history {
        shop.live(step);
        shop.keeps_its_word();
    }
    shop.settle();
    shop.keeps_its_word();
    shop.kept_its_word();
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn order_payment_and_product_agree_in_the_end(history in history()) {
        live(&history);
    }
}
