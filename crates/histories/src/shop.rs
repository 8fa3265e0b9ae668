//! The three services in one world.

mod goods;
mod money;
mod orders;
mod people;

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::product::Pieces;
use contracts::{Currency, Money, OrderId, RefundId, Timestamp, UserId};
use order::domain::{Order, Terms};
use payment::domain::{Entry, Payment};
use uuid::Uuid;

use crate::bus::{Bus, Hearer, Letter};
use crate::house::House;
use crate::provider::{Line, Provider};
use crate::step::{Step, Sweep};

/// How much time the shop gives: what order's settings say by default.
const TERMS: Terms = Terms {
    to_answer: Duration::from_mins(5),
    to_pay: Duration::from_mins(15),
    to_finish_paying: Duration::from_mins(5),
    to_return: Duration::from_hours(24 * 14),
};
/// Product asks about a reservation of which nothing was heard for so long.
const ALARM: Duration = Duration::from_mins(24 * 60 + 15);
/// Longer than anything waits that nobody has to be asked about again.
const SOON: [Duration; 4] = [
    Duration::from_secs(40),
    Duration::from_mins(6),
    Duration::from_mins(16),
    Duration::from_mins(1),
];
/// Longer than anything waits that comes to its end by itself.
const LATER: [Duration; 4] = [
    Duration::from_hours(25),
    Duration::from_hours(24 * 8),
    Duration::from_hours(24 * 15),
    Duration::from_mins(1),
];
/// So often at most all of this has to pass before nothing happens any more.
const PATIENCE: usize = 8;

/// A shop, and everybody whom it deals with.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) now: Timestamp,
    pub(crate) bus: Bus,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) payments: BTreeMap<OrderId, Payment>,
    pub(crate) house: House,
    pub(crate) provider: Provider,
    /// How the questions to the provider travel.
    pub(crate) line: Line,
    /// The ledger of payment.
    pub(crate) ledger: Vec<Entry>,
    /// What staff gave back in payment, by the order: what the order may keep less for.
    pub(crate) given: BTreeMap<OrderId, BTreeMap<RefundId, i64>>,
    /// Why a person has to look at something.
    pub(crate) dead: Vec<String>,
    /// What order asked payment to give back, and product to put on sale again.
    pub(crate) asked: BTreeMap<RefundId, OrderId>,
    pub(crate) restocked: BTreeMap<OrderId, Vec<Pieces>>,
    drawn: u128,
}

/// What became of something that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Done,
    /// It comes again later.
    Waits,
    /// A person has to look at it.
    Dead(String),
}

impl Shop {
    pub(crate) fn open() -> Self {
        let now = "2026-01-31T08:00:00Z".parse().unwrap();
        Self {
            now,
            bus: Bus::default(),
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            house: House::open(now),
            provider: Provider::open(),
            line: Line::Works,
            ledger: Vec::new(),
            given: BTreeMap::new(),
            dead: Vec::new(),
            asked: BTreeMap::new(),
            restocked: BTreeMap::new(),
            drawn: 0,
        }
    }

    /// Something happens.
    pub(crate) fn live(&mut self, step: &Step) {
        self.now = self.now.plus(Duration::from_secs(1));
        self.provider.end_promises(self.now);
        match step {
            Step::CheckOut(basket) => self.check_out(basket),
            Step::Hear { pick, again } => {
                if !self.bus.letters.is_empty() {
                    self.deliver(pick.index(self.bus.letters.len()), *again);
                }
            }
            Step::HearAll { again } => self.hear_all(*again),
            Step::Repeat(pick) => {
                if !self.bus.repeats.is_empty() {
                    self.repeat(pick.index(self.bus.repeats.len()));
                }
            }
            Step::Pass { minutes } => {
                self.now = self.now.plus(Duration::from_mins((*minutes).into()));
            }
            Step::Sweep(sweep) => self.sweep(*sweep),
            Step::Count { which, delta } => {
                self.house.count(usize::from(*which), (*delta).into(), self.now);
            }
            Step::Order { order, act } => self.act(id(*order), act),
            Step::PayLate { order, capture } => self.pay_late(id(*order), *capture),
            Step::GoOn { order, few, capture } => self.go_on(id(*order), *few, *capture),
            Step::Pay { order, card, capture } => self.pay(id(*order), *card, *capture),
            Step::GiveBack { order, percent } => self.give_back(id(*order), *percent),
            Step::Reconcile => self.reconcile(),
            Step::Line(line) => self.line = *line,
            Step::Bank(bank) => self.provider.bank = *bank,
            Step::Decide { pick, good } => {
                self.provider.decide(|charges| pick.index(charges), *good, self.now);
            }
            Step::AfterAll(pick) => self.provider.takes_after_all(|charges| pick.index(charges)),
            Step::DecideRefund { pick, good } => {
                self.provider.decide_refund(|refunds| pick.index(refunds), *good);
            }
            Step::Dispute { pick, percent, more, won } => {
                self.provider.dispute(|charges| pick.index(charges), *percent, *more, *won);
            }
            Step::Notice { pick, again } => {
                if !self.provider.notices.is_empty() {
                    self.read_notice(pick.index(self.provider.notices.len()), *again);
                }
            }
        }
    }

    /// One letter is handed over, and comes again if it is to.
    fn deliver(&mut self, at: usize, again: bool) -> Heard {
        let letter = self.bus.letters.remove(at);
        let heard = self.hear(&letter);
        match &heard {
            Heard::Done if again => self.bus.repeats.push(Letter { again, ..letter }),
            Heard::Done => {}
            Heard::Waits => self.bus.letters.push(letter),
            Heard::Dead(why) => self.dead.push(why.clone()),
        }
        heard
    }

    /// Something is heard that was heard before, perhaps long ago.
    fn repeat(&mut self, at: usize) {
        let letter = self.bus.repeats.swap_remove(at);
        if let Heard::Dead(why) = self.hear(&letter) {
            self.dead.push(why);
        }
    }

    fn hear(&mut self, letter: &Letter) -> Heard {
        match letter.to {
            Hearer::Order => self.order_hears(&letter.fact),
            Hearer::Payment => self.payment_hears(letter),
            Hearer::Product => self.product_hears(letter),
        }
    }

    /// Everything under way is heard, and what comes of it, but for what waits; it may all come
    /// again.
    fn hear_all(&mut self, again: bool) {
        let mut waiting = 0;
        while waiting < self.bus.letters.len() {
            match self.deliver(0, again) {
                Heard::Waits => waiting += 1,
                Heard::Done | Heard::Dead(_) => waiting = 0,
            }
        }
    }

    fn sweep(&mut self, sweep: Sweep) {
        match sweep {
            Sweep::Goods => self.each_order(|order, now| order.ask_again(now, &TERMS)),
            Sweep::PayBy => self.each_order(Order::expire),
            Sweep::Returns => self.each_order(|order, now| order.complete(now, &TERMS)),
            Sweep::Overdue => self.remind(),
        }
    }

    /// Nobody does anything any more; what is under way arrives, and time passes until nothing
    /// more comes of that.
    pub(crate) fn settle(&mut self) {
        self.line = Line::Works;
        self.provider.come_to_ends(self.now);
        for time in SOON {
            self.pass(time);
        }
        self.has_let_go();
        for _ in 0..PATIENCE {
            let before = (self.orders.clone(), self.payments.clone());
            let reserved = self.house.reservations.clone();
            for time in LATER {
                self.pass(time);
            }
            let same = before == (self.orders.clone(), self.payments.clone());
            if same && self.bus.letters.is_empty() && reserved == self.house.reservations {
                return;
            }
        }
        panic!("something goes on for ever: {:?}", self.bus.letters);
    }

    /// Everything is heard, everybody looks for what they have to see to, and then time passes.
    fn pass(&mut self, time: Duration) {
        self.hear_all(false);
        while !self.bus.repeats.is_empty() {
            self.repeat(0);
        }
        for sweep in Sweep::ALL {
            self.sweep(sweep);
        }
        self.provider.end_promises(self.now);
        self.reconcile();
        for at in (0..self.provider.notices.len()).rev() {
            self.read_notice(at, false);
        }
        self.hear_all(false);
        self.now = self.now.plus(time);
    }

    /// An id that was not drawn before.
    fn draw(&mut self) -> Uuid {
        self.drawn += 1;
        Uuid::from_u128(0x1000 + self.drawn)
    }
}

/// The order of a number.
pub(crate) fn id(number: u8) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(0x100 + u128::from(number)))
}

/// Who placed it.
fn customer(order: OrderId) -> UserId {
    UserId::from_uuid(order.uuid())
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}
