//! Whatever happens in whatever order: what holds for every order all the time.

mod steps;
mod truths;

use proptest::prelude::*;

use super::*;
use steps::Step::{Attempt, Authorize, Capture, Overdue, Reserve, Unasked};
use steps::{History, steps};

proptest! {
    #[test]
    fn an_order_that_ended_never_comes_back(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            let (ended, before) = (history.is_final(), history.order.status.clone());

            history.take(step);

            if ended {
                prop_assert_eq!(&history.order.status, &before);
            }
        }
    }

    #[test]
    fn every_piece_and_every_cent_is_somewhere(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            history.take(step);

            truths::hold(&history)?;
        }
    }

    #[test]
    fn the_same_step_twice_is_the_same_step_once(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            history.take(step);

            let again = history.outcome(step).ok().filter(|_| !matches!(step, Overdue));
            if let Some(again) = again {
                prop_assert!(again.is_none(), "{step:?}");
                prop_assert_eq!(&again.value, &history.order);
            }
        }
    }

    #[test]
    fn no_order_hangs(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            history.take(step);
        }

        history.settles();

        truths::hold(&history)?;
    }

    #[test]
    fn facts_in_any_order_come_to_the_same(
        facts in Just(vec![
            Reserve(1), Reserve(1), Attempt, Authorize(1), Capture(1), Capture(1), Capture(2),
            Unasked(1, 900), Unasked(1, 900), Unasked(2, 400),
        ])
        .prop_shuffle()
    ) {
        let mut history = History::new();
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
        prop_assert_eq!(history.order.payment.remaining().unwrap().amount, 2 * 3299 - 1300);
        prop_assert_eq!(history.paid.len(), 1);
    }

    #[test]
    fn an_order_reads_as_it_was_written(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            history.take(step);
        }

        let stored = mongodb::bson::serialize_to_bson(&history.order).unwrap();

        let read: Order = mongodb::bson::deserialize_from_bson(stored).unwrap();
        prop_assert_eq!(read, history.order);
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
