//! What may happen.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::provider::{Card, Line};

/// Something happens to the shop.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody checks a cart out.
    CheckOut(Basket),
    /// Something that was told is heard, whichever it is; it may come again.
    Hear { pick: Index, again: bool },
    /// All that was told is heard, and what comes of it.
    HearAll,
    /// Time passes.
    Pass { minutes: u32 },
    /// Somebody looks for what its time is up for.
    Sweep(Sweep),
    /// Staff count goods.
    Count { which: u8, delta: i8 },
    /// Somebody does something about an order.
    Order { order: u8, act: Act },
    /// The shopper pays; whether the provider hears that, and is heard, is another matter.
    Pay { order: u8, card: Card, line: Line },
    /// Staff give a part of the money back, in payment.
    GiveBack { order: u8, percent: u8, line: Line },
    /// Payment asks the provider about what is open.
    Reconcile(Line),
    /// A charge that was under way comes to its end.
    Decide { pick: Index, good: bool },
    /// A webhook arrives; it may come again.
    Notice { pick: Index, again: bool },
}

/// What is in a cart.
#[derive(Clone, Debug)]
pub(crate) struct Basket {
    /// Which goods, and how many pieces.
    pub(crate) lines: Vec<(u8, u32)>,
    /// 100 makes it free.
    pub(crate) discount_percent: u8,
}

/// What people do about an order.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Cancel,
    Ship,
    Deliver,
}

/// What is looked for from time to time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sweep {
    Goods,
    PayBy,
    Returns,
    Overdue,
}

impl Sweep {
    pub(crate) const ALL: [Self; 4] = [Self::Goods, Self::PayBy, Self::Returns, Self::Overdue];
}

/// A history: it begins with an order.
pub(crate) fn history() -> impl Strategy<Value = Vec<Step>> {
    let first = basket().prop_map(Step::CheckOut);
    (first, prop::collection::vec(step(), 0..60)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

fn step() -> impl Strategy<Value = Step> {
    let order = 0_u8..3;
    let again = || prop::bool::weighted(0.2);
    prop_oneof![
        3 => basket().prop_map(Step::CheckOut),
        20 => (any::<Index>(), again()).prop_map(|(pick, again)| Step::Hear { pick, again }),
        10 => Just(Step::HearAll),
        4 => minutes().prop_map(|minutes| Step::Pass { minutes }),
        4 => prop::sample::select(&Sweep::ALL[..]).prop_map(Step::Sweep),
        1 => (0_u8..3, -4_i8..6).prop_map(|(which, delta)| Step::Count { which, delta }),
        10 => (order.clone(), act()).prop_map(|(order, act)| Step::Order { order, act }),
        10 => (order.clone(), card(), line())
            .prop_map(|(order, card, line)| Step::Pay { order, card, line }),
        2 => (order, 1_u8..=100, line())
            .prop_map(|(order, percent, line)| Step::GiveBack { order, percent, line }),
        4 => line().prop_map(Step::Reconcile),
        4 => (any::<Index>(), prop::bool::weighted(0.7))
            .prop_map(|(pick, good)| Step::Decide { pick, good }),
        4 => (any::<Index>(), again()).prop_map(|(pick, again)| Step::Notice { pick, again }),
    ]
}

fn basket() -> impl Strategy<Value = Basket> {
    let line = prop_oneof![4 => (0_u8..2, 1_u32..4), 1 => (2_u8..3, 1_u32..2)];
    let discount_percent = prop_oneof![6 => Just(0_u8), 2 => 1_u8..60, 1 => Just(100)];
    (prop::collection::vec(line, 1..3), discount_percent)
        .prop_map(|(lines, discount_percent)| Basket { lines, discount_percent })
}

/// Within the time to pay, beyond it, beyond the alarm, beyond the days of return.
fn minutes() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 1_u32..8, 3 => 15_u32..40, 1 => Just(26 * 60), 1 => Just(15 * 24 * 60)]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![2 => Just(Act::Cancel), 3 => Just(Act::Ship), 2 => Just(Act::Deliver)]
}

fn card() -> impl Strategy<Value = Card> {
    prop_oneof![
        5 => Just(Card::Good),
        1 => Just(Card::Bad),
        2 => Just(Card::Slow),
        2 => Just(Card::Asking),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![6 => Just(Line::Works), 1 => Just(Line::QuestionLost), 1 => Just(Line::AnswerLost)]
}
