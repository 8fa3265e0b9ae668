//! Whatever happens in whatever order: what holds for every order all the time.

use std::time::Duration;

use contracts::order::{self, RefundDue};
use proptest::prelude::*;

use super::*;

/// What may happen to an order.
#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve(u32),
    Refuse(u32),
    Attempt,
    /// By one attempt or another.
    Capture(u128),
    Expire,
    RefuseCommit,
    Cancel(CancelReason),
    /// Which, and how much.
    Refund(u128, i64),
    Ship,
    Deliver,
    Complete,
    Overdue,
    AskAgain,
    /// Time passes.
    Pass(Duration),
}

use Step::*;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..4).prop_map(Reserve),
        1 => (1_u32..4).prop_map(Refuse),
        1 => Just(Attempt),
        3 => (1_u128..3).prop_map(Capture),
        2 => Just(Expire),
        1 => Just(RefuseCommit),
        1 => prop_oneof![Just(CancelReason::Customer), Just(CancelReason::Staff)].prop_map(Cancel),
        1 => (1_u128..4, prop_oneof![Just(2500), 1_i64..2500]).prop_map(|(id, cents)| Refund(id, cents)),
        2 => Just(Ship),
        2 => Just(Deliver),
        1 => Just(Complete),
        1 => Just(Overdue),
        1 => Just(AskAgain),
        2 => (1_u64..30).prop_map(|minutes| Pass(Duration::from_mins(minutes))),
        1 => Just(Pass(Duration::from_hours(24 * 14))),
    ]
}

/// An order with all that was told of it.
struct History {
    order: Order,
    now: Timestamp,
    paid: usize,
    extensions: usize,
    refunds: Vec<RefundDue>,
}

impl History {
    fn new(order: Order) -> Self {
        Self { order, now: noon(), paid: 0, extensions: 0, refunds: Vec::new() }
    }

    fn outcome(&self, step: Step) -> Outcome {
        let (order, now) = (self.order.clone(), self.now);
        let total = order.sums.total;
        match step {
            Reserve(round) => Ok(order.reserve(round, now, &TERMS)),
            Refuse(round) => Ok(order.refuse(round, now)),
            Attempt => Ok(order.await_attempt(now, &TERMS)),
            Capture(by) => order.capture(attempt(by), total, now),
            Expire => Ok(order.expire(now)),
            RefuseCommit => Ok(order.refuse_commit(now)),
            Cancel(reason) => order.cancel(reason, now),
            Refund(by, cents) => {
                let remaining = order.payment.remaining().map_or(0, |remaining| remaining.amount);
                let remaining = eur((remaining - cents).max(0));
                order.refunded(refund(by), Back { amount: eur(cents), remaining }, now)
            }
            Ship => order.ship(parcel(), now),
            Deliver => order.deliver(now),
            Complete => Ok(order.complete(now, &TERMS)),
            Overdue => Ok(order.answer_overdue(now)),
            AskAgain => Ok(order.ask_again(now, &TERMS)),
            Pass(_) => Ok(Change::none(order)),
        }
    }

    /// Takes a step; what is refused changes nothing.
    fn take(&mut self, step: Step) {
        if let Pass(duration) = step {
            self.now = self.now.plus(duration);
        }
        let Ok(change) = self.outcome(step) else { return };
        if !matches!(step, Overdue) {
            self.paid += change.told::<order::Paid>().len();
            self.extensions += change.told::<order::PayByExtended>().len();
            self.refunds.extend(change.told::<RefundDue>());
        }
        self.order = change.value;
    }

    fn is_final(&self) -> bool {
        matches!(self.order.status, Completed { .. } | Cancelled { .. })
    }

    /// What the shop has to do is done by the others, by the sweeps or by staff.
    fn settles(&mut self) {
        for _ in 0..8 {
            let next = match &self.order.status {
                Placed => Refuse(self.order.round),
                Reserved { .. } => Expire,
                Paid { .. } => Ship,
                Shipped { .. } => Deliver,
                Delivered { .. } => Complete,
                Completed { .. } | Cancelled { .. } | Expired { .. } => return,
            };
            self.take(Pass(TERMS.to_return));
            self.take(next);
        }
        panic!("it hangs in {:?}", self.order.status);
    }
}

/// The money of an order is where it belongs.
fn money_is_right(history: &History) -> Result<(), TestCaseError> {
    let payment = &history.order.payment;
    let cents = |sums: &mut dyn Iterator<Item = &Money>| sums.map(|sum| sum.amount).sum::<i64>();
    let (came, back) =
        (cents(&mut payment.captured.values()), cents(&mut payment.refunded.values()));
    let told = cents(&mut history.refunds.iter().map(|due| &due.amount));
    if matches!(history.order.status, Cancelled { .. } | Expired { .. }) {
        prop_assert!(told >= came - back, "{told} told of {came} less {back}");
        prop_assert!(told <= came, "{told} told of {came}");
        prop_assert!(history.refunds.len() <= payment.captured.len(), "told twice");
    } else {
        prop_assert_eq!(told, 0, "sold although its money is to go back");
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_order_that_ended_never_comes_back(steps in prop::collection::vec(step(), 0..40)) {
        let mut history = History::new(placed());
        for step in steps {
            let (ended, before) = (history.is_final(), history.order.status.clone());

            history.take(step);

            if ended {
                prop_assert_eq!(&history.order.status, &before);
            }
        }
    }

    #[test]
    fn nobody_pays_for_nothing(steps in prop::collection::vec(step(), 0..40)) {
        let mut history = History::new(placed());
        for step in steps {
            history.take(step);

            money_is_right(&history)?;
            let money = &history.order.payment;
            match history.order.status {
                Paid { .. } => prop_assert!(money.remaining().is_some(), "sold without money"),
                Shipped { .. } | Delivered { .. } | Completed { .. } => {
                    prop_assert!(money.has_come(), "sent without money");
                }
                Reserved { .. } => prop_assert!(!money.has_come(), "paid and not sold"),
                Placed | Cancelled { .. } | Expired { .. } => {}
            }
            prop_assert!(history.paid <= 1, "sold twice");
            prop_assert!(history.extensions <= 1, "waited twice for somebody who pays");
        }
    }

    #[test]
    fn the_same_step_twice_is_the_same_step_once(steps in prop::collection::vec(step(), 0..40)) {
        let mut history = History::new(placed());
        for step in steps {
            history.take(step);

            let again = history.outcome(step).ok().filter(|_| !matches!(step, Overdue));
            if let Some(again) = again {
                prop_assert!(again.is_none());
                prop_assert_eq!(&again.value, &history.order);
            }
        }
    }

    #[test]
    fn no_order_hangs(steps in prop::collection::vec(step(), 0..40)) {
        let mut history = History::new(placed());
        for step in steps {
            history.take(step);
        }

        history.settles();

        money_is_right(&history)?;
    }

    #[test]
    fn facts_in_any_order_come_to_the_same(
        facts in Just(vec![
            Reserve(1), Reserve(1), Attempt, Capture(1), Capture(1), Capture(2), Refund(1, 900),
            Refund(1, 900), Refund(2, 400),
        ])
        .prop_shuffle()
    ) {
        let mut history = History::new(placed());
        let mut waiting = facts;
        while !waiting.is_empty() {
            // What comes too early comes again.
            waiting.retain(|fact| {
                let early = history.outcome(*fact).is_err();
                history.take(*fact);
                early
            });
        }

        prop_assert_eq!(&history.order.status, &Paid { at: noon() });
        prop_assert_eq!(history.order.payment.remaining().unwrap().amount, 5000 - 1300);
        prop_assert_eq!(history.paid, 1);
    }

    #[test]
    fn no_sums_make_it_panic(
        unit in any::<i64>(), line in any::<i64>(), sums in any::<[i64; 5]>()
    ) {
        let mut bought = bought();
        let eur = |amount| Money::new(amount, bought.total.currency);
        let [subtotal, discount, shipping, tax, total] = sums.map(eur);
        (bought.lines[0].unit_price, bought.lines[0].line_total) = (eur(unit), eur(line));
        let bought = CheckedOut { subtotal, discount, shipping, tax, total, ..bought };

        if let Ok(change) = Order::place(bought, noon()) {
            prop_assert!(change.value.sums.total.amount >= 0);
        }
    }
}
