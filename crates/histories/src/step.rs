//! What may happen.

use std::fmt;

use payment::domain::CaptureMode;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::provider::{Bank, Card, Line};

/// Something happens to the shop.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody checks a cart out.
    CheckOut(Basket),
    /// Something that was told is heard, whichever it is; it may come again.
    Hear { pick: Index, again: bool },
    /// All that was told is heard, and what comes of it; it may all come again.
    HearAll { again: bool },
    /// Something comes again, whichever it is.
    Repeat(Index),
    /// Time passes.
    Pass { minutes: u32 },
    /// Somebody looks for what its time is up for.
    Sweep(Sweep),
    /// Staff count goods.
    Count { which: u8, delta: i8 },
    /// Somebody does something about an order.
    Order { order: u8, act: Act },
    /// What has to happen next for an order to come further, happens.
    GoOn { order: u8, few: Few, capture: CaptureMode },
    /// The shopper pays.
    Pay { order: u8, card: Card, capture: CaptureMode },
    /// The shopper pays, and the money moves when the order no longer waits for it.
    PayLate { order: u8, capture: CaptureMode },
    /// Staff give a part of the money back, in payment; more than all is refused.
    GiveBack { order: u8, percent: u8 },
    /// Payment asks the provider about what is open.
    Reconcile,
    /// From now on questions to the provider travel so.
    Line(Line),
    /// From now on this becomes of money that is to go back.
    Bank(Bank),
    /// A charge that was under way comes to its end.
    Decide { pick: Index, good: bool },
    /// The money of a charge that was declined or called off moves all the same.
    AfterAll(Index),
    /// A refund that was under way does; one that was done may come back.
    DecideRefund { pick: Index, good: bool },
    /// A bank takes money back, or more of it, or says whose it is.
    Dispute { pick: Index, percent: u8, more: bool, won: bool },
    /// A webhook arrives; it may come again.
    Notice { pick: Index, again: bool },
}

/// What is in a cart.
#[derive(Clone, Debug)]
pub(crate) struct Basket {
    /// Which goods, and how many pieces.
    pub(crate) lines: Vec<Few>,
    /// 100 makes it free.
    pub(crate) discount_percent: u8,
}

/// A few pieces of one of the goods, or of one of the lines of an order.
pub(crate) type Few = (u8, u32);

/// What people do about an order.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Cancel,
    /// Send some, or all that is left.
    Ship(Option<Few>),
    /// Note that one parcel arrived, or all did.
    Deliver(Option<u8>),
    /// Give money back for some of the goods.
    Refund {
        goods: Few,
        shipping: bool,
        restock: bool,
    },
    /// Send some back.
    Return(Few),
    Approve(u8),
    Reject(u8),
    /// Note that goods came back: all that were to, or fewer.
    Receive {
        which: u8,
        only: Option<u32>,
        restock: bool,
    },
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

/// What happens, one after the other.
#[derive(Clone)]
pub(crate) struct History(pub(crate) Vec<Step>);

/// A step a line, so that what a history was shrunk to can be read.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "\n    {step:?}"))
    }
}

/// A history of a shop that collects its money then: it begins with an order.
pub(crate) fn history(capture: CaptureMode) -> impl Strategy<Value = History> {
    let first = basket().prop_map(Step::CheckOut);
    (first, prop::collection::vec(step(capture), 0..70)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        History(rest)
    })
}

fn step(capture: CaptureMode) -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => basket().prop_map(Step::CheckOut),
        12 => (order(), few()).prop_map(move |(order, few)| Step::GoOn { order, few, capture }),
        20 => (any::<Index>(), again()).prop_map(|(pick, again)| Step::Hear { pick, again }),
        12 => again().prop_map(|again| Step::HearAll { again }),
        5 => any::<Index>().prop_map(Step::Repeat),
        4 => minutes().prop_map(|minutes| Step::Pass { minutes }),
        4 => prop::sample::select(&Sweep::ALL[..]).prop_map(Step::Sweep),
        1 => (0_u8..3, -4_i8..6).prop_map(|(which, delta)| Step::Count { which, delta }),
        16 => (order(), act()).prop_map(|(order, act)| Step::Order { order, act }),
        6 => (order(), card())
            .prop_map(move |(order, card)| Step::Pay { order, card, capture }),
        2 => order().prop_map(move |order| Step::PayLate { order, capture }),
        2 => (order(), 1_u8..120)
            .prop_map(|(order, percent)| Step::GiveBack { order, percent }),
        12 => at_the_provider(),
    ]
}

fn at_the_provider() -> impl Strategy<Value = Step> {
    let good = || prop::bool::weighted(0.7);
    prop_oneof![
        4 => Just(Step::Reconcile),
        3 => line().prop_map(Step::Line),
        1 => bank().prop_map(Step::Bank),
        4 => (any::<Index>(), good()).prop_map(|(pick, good)| Step::Decide { pick, good }),
        1 => any::<Index>().prop_map(Step::AfterAll),
        2 => (any::<Index>(), good()).prop_map(|(pick, good)| Step::DecideRefund { pick, good }),
        2 => (any::<Index>(), 10_u8..=100, prop::bool::weighted(0.3), any::<bool>())
            .prop_map(|(pick, percent, more, won)| Step::Dispute { pick, percent, more, won }),
        4 => (any::<Index>(), again()).prop_map(|(pick, again)| Step::Notice { pick, again }),
    ]
}

fn order() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0_u8), 1 => 1_u8..3]
}

fn again() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.2)
}

fn few() -> impl Strategy<Value = Few> {
    (0_u8..2, 1_u32..4)
}

/// Mostly there is enough of it.
fn basket() -> impl Strategy<Value = Basket> {
    let goods = prop_oneof![2 => (0_u8..1, 1_u32..3), 6 => (1_u8..2, 1_u32..6), 1 => Just((2, 1))];
    let discount_percent = prop_oneof![6 => Just(0_u8), 2 => 1_u8..60, 1 => Just(100)];
    (prop::collection::vec(goods, 1..3), discount_percent)
        .prop_map(|(lines, discount_percent)| Basket { lines, discount_percent })
}

/// Within the time to pay, beyond it, beyond the alarm, beyond a promise, beyond the days of return.
fn minutes() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => 1_u32..8,
        3 => 15_u32..40,
        1 => Just(26 * 60),
        1 => Just(8 * 24 * 60),
        1 => Just(15 * 24 * 60),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Cancel),
        5 => prop::option::of(few()).prop_map(Act::Ship),
        4 => prop::option::weighted(0.3, 1_u8..4).prop_map(Act::Deliver),
        3 => (few(), any::<bool>(), any::<bool>())
            .prop_map(|(goods, shipping, restock)| Act::Refund { goods, shipping, restock }),
        3 => few().prop_map(Act::Return),
        2 => (0_u8..2).prop_map(Act::Approve),
        1 => (0_u8..2).prop_map(Act::Reject),
        2 => (0_u8..2, prop::option::weighted(0.3, 0_u32..3), any::<bool>())
            .prop_map(|(which, only, restock)| Act::Receive { which, only, restock }),
    ]
}

fn card() -> impl Strategy<Value = Card> {
    prop_oneof![
        8 => Just(Card::Good),
        1 => Just(Card::Bad),
        2 => Just(Card::Slow),
        2 => Just(Card::Asking),
        1 => Just(Card::Short),
        1 => Just(Card::Empty),
        1 => Just(Card::Stubborn),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![4 => Just(Line::Works), 1 => Just(Line::QuestionLost), 1 => Just(Line::AnswerLost)]
}

fn bank() -> impl Strategy<Value = Bank> {
    prop_oneof![2 => Just(Bank::Pays), 1 => Just(Bank::Waits), 1 => Just(Bank::Refuses)]
}
