//! Thousands of histories.

use payment::domain::CaptureMode;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::shop::Shop;
use crate::step::{History, history};

/// The same histories each time, unless `PROPTEST_RNG_SEED` says otherwise.
fn config(cases: u32) -> Config {
    let told = Config::default();
    let rng_seed = match told.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0x50_0b),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    Config { cases, rng_seed, failure_persistence: None, ..told }
}

fn live(history: &History) {
    let mut shop = Shop::open();
    for step in &history.0 {
        shop.live(step);
        shop.keeps_its_word();
    }
    shop.settle();
    shop.keeps_its_word();
    shop.kept_its_word();
}

proptest! {
    #![proptest_config(config(5_000))]

    #[test]
    fn all_agree_in_the_end_where_money_is_collected_at_once(
        history in history(CaptureMode::AtOnce),
    ) {
        live(&history);
    }

    #[test]
    fn all_agree_in_the_end_where_money_is_collected_at_shipping(
        history in history(CaptureMode::Later),
    ) {
        live(&history);
    }
}
