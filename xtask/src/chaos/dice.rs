//! Chance that comes out the same again from the same seed.

use std::time::Duration;

/// Draws numbers that a seed decides (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of their own for one purpose, so that no other purpose changes what they show.
    pub(crate) fn of(seed: u64, purpose: &str) -> Self {
        // FNV-1a: the standard library's hashes may change with its version.
        let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut dice = Self(seed ^ hash);
        dice.draw();
        dice
    }

    /// A number below this one, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// A time of so long at least and at most, to the tenth of a second.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let tenths = |time: Duration| u64::try_from(time.as_millis() / 100).unwrap_or(u64::MAX);
        let range = tenths(most).saturating_sub(tenths(least)) + 1;
        Duration::from_millis(100 * (tenths(least) + self.below(range)))
    }

    /// One of these, of which there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        let count = u64::try_from(things.len()).expect("there are few");
        let picked = self.below(count);
        things[usize::try_from(picked).expect("there are few")]
    }

    /// Puts these in any order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let count = u64::try_from(last + 1).expect("there are few");
            things.swap(last, usize::try_from(self.below(count)).expect("there are few"));
        }
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
