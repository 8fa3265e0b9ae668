//! Tries whether something always holds, for a time.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::env;
use std::fmt::Debug;
use std::hash::BuildHasher as _;
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};

use crate::full;

/// How many inputs one seed yields.
const ROUND: u32 = 256;
/// How long a test that runs by itself tries.
const MOMENT: u64 = 1;
/// How long it tries when tests may take long.
const LONG: u64 = 120;

/// Tries whether a property holds, whatever the input: for as many seconds as `SOUK_FUZZ_SECONDS`
/// says (`cargo xtask test` does), and for a moment otherwise.
///
/// An input that breaks it is made as small as it gets, and shown with the seed that finds it
/// again: `SOUK_FUZZ_SEED`.
///
/// # Panics
/// When the property does not hold, and when nothing was tried.
pub fn always<S: Strategy>(inputs: &S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let time = number("SOUK_FUZZ_SECONDS").unwrap_or(if full() { LONG } else { MOMENT });
    let seed = number("SOUK_FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let (began, time) = (Instant::now(), Duration::from_secs(time));
    match tried(seed, || began.elapsed() >= time, inputs, property) {
        Ok(tried) => println!("{tried} inputs tried from SOUK_FUZZ_SEED={seed} on"),
        Err(broken) => panic!("{broken}"),
    }
}

/// How many inputs were tried, round by round until it is enough, or what broke the property.
fn tried<S: Strategy>(
    first: u64,
    is_enough: impl Fn() -> bool,
    inputs: &S,
    property: impl Fn(S::Value) -> TestCaseResult,
) -> Result<u64, String>
where
    S::Value: Debug,
{
    let tried = Cell::new(0_u64);
    let counted = |input| property(input).inspect(|()| tried.set(tried.get() + 1));
    let mut seed = first;
    loop {
        let broken = |error| format!("{error}\nagain by SOUK_FUZZ_SEED={seed}");
        round(seed).run(inputs, counted).map_err(broken)?;
        seed = seed.wrapping_add(1);
        if is_enough() {
            break;
        }
    }
    if tried.get() > 0 { Ok(tried.get()) } else { Err("nothing was tried".to_owned()) }
}

fn round(seed: u64) -> TestRunner {
    TestRunner::new(Config {
        cases: ROUND,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    })
}

fn number(variable: &str) -> Option<u64> {
    let said = env::var_os(variable)?;
    let number = said.to_str().and_then(|said| said.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is a whole number")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small(number: u32) -> TestCaseResult {
        prop_assert!(number < 1000);
        Ok(())
    }

    #[test]
    fn what_breaks_a_property_is_made_small_and_found_again_by_its_seed() {
        let once = tried(7, || true, &any::<u32>(), small).unwrap_err();

        assert!(once.contains("minimal failing input: 1000"), "{once}");
        assert!(once.ends_with("SOUK_FUZZ_SEED=7"), "{once}");
        assert_eq!(tried(7, || true, &any::<u32>(), small), Err(once));
    }

    #[test]
    fn what_panics_is_found_too() {
        let numbers = any::<u8>();

        let broken = tried(
            1,
            || true,
            &numbers,
            |number| {
                assert!(number < 100, "too large");
                Ok(())
            },
        );

        assert!(broken.unwrap_err().contains("minimal failing input: 100"));
    }

    #[test]
    fn it_goes_on_until_it_is_enough() {
        let rounds = Cell::new(0);
        let third = || {
            rounds.set(rounds.get() + 1);
            rounds.get() == 3
        };

        let tried = tried(1, third, &any::<u32>(), |_| Ok(()));

        assert_eq!(tried, Ok(3 * u64::from(ROUND)));
    }

    #[test]
    fn where_all_is_passed_over_nothing_was_tried() {
        let passed = tried(
            1,
            || true,
            &any::<u32>(),
            |_| {
                prop_assume!(false);
                Ok(())
            },
        );

        assert!(passed.is_err());
    }
}
