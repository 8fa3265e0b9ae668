//! What is to be done about what is open.

use super::*;
use crate::domain::{Attempt, Step};

fn step(payment: &Payment, found: Option<Outcome>, now: Timestamp) -> Step {
    let open: Vec<&Attempt> = payment.open_attempts().collect();
    payment.step(open[0], found, now)
}

#[test]
fn an_attempt_that_never_arrived_is_sent_again_for_a_while() {
    let later = noon().plus(Duration::from_secs(30));

    assert_eq!(step(&started(), None, noon().plus(Duration::from_secs(29))), Step::Send);
    assert_eq!(step(&started(), None, later), Step::CallOff);
    let closed = started().close(noon()).value;
    assert_eq!(step(&closed, None, noon()), Step::CallOff);
}

#[test]
fn an_attempt_is_settled_by_what_the_provider_knows() {
    for outcome in [captured(), declined(), action_required()] {
        assert_eq!(step(&started(), Some(outcome.clone()), noon()), Step::Settle(outcome));
    }
}

#[test]
fn an_unconfirmed_attempt_is_called_off_after_the_time_to_pay() {
    let late = pay_by().minus(Duration::from_mins(1));
    let started = due().start(attempt(1), visa(), at_once(), late).unwrap().value;
    let waiting = started.settle(attempt(1), &action_required(), late).value;
    let margin = pay_by().plus(Duration::from_mins(1));

    let over = margin.plus(Duration::from_millis(1));
    assert_eq!(step(&waiting, Some(action_required()), margin), Step::Leave);
    assert_eq!(step(&waiting, Some(action_required()), over), Step::CallOff);
    let closed = waiting.close(noon()).value;
    assert_eq!(step(&closed, Some(action_required()), noon()), Step::CallOff);
}

#[test]
fn what_is_open_is_asked_about_less_and_less_often() {
    let pause = |seconds| {
        let now = noon().plus(Duration::from_secs(seconds));
        started().look(now).value.unwrap().look_at.unwrap().since(now).as_secs()
    };

    assert_eq!([pause(3), pause(50), pause(3600)], [3, 10, 30]);
}

#[test]
fn one_at_a_time_asks_about_what_is_open() {
    let due = noon().plus(Duration::from_secs(3));

    assert!(started().look(noon()).is_none());
    let looked = started().look(due).value.unwrap();
    assert!(looked.look(due).is_none());
    assert!(paid().look(due).is_none());
}

#[test]
fn nobody_has_longer_than_five_minutes_to_confirm() {
    let waiting = started().settle(attempt(1), &action_required(), noon()).value;
    let over = noon().plus(Duration::from_mins(5));

    let in_time = over.minus(Duration::from_millis(1));
    assert_eq!(step(&waiting, Some(action_required()), in_time), Step::Leave);
    assert_eq!(step(&waiting, Some(action_required()), over), Step::CallOff);
    assert_eq!(step(&waiting, Some(captured()), over), Step::Settle(captured()));
}
