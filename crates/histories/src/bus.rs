//! A bus that loses nothing, and promises nothing else.

use common::Change;
use contracts::{cart, order, payment, product};
use uuid::Uuid;

/// Who hears something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearer {
    Order,
    Payment,
    Product,
}

/// Something told, on its way to one who hears it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// The event's own.
    pub(crate) id: Uuid,
    pub(crate) to: Hearer,
    pub(crate) fact: Fact,
    /// Whether it was heard before.
    pub(crate) again: bool,
}

/// What is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bus {
    pub(crate) letters: Vec<Letter>,
    /// What was heard and comes again, whenever that is.
    pub(crate) repeats: Vec<Letter>,
    told: u128,
}

/// Who hears which events: as the `events.rs` of the services say.
macro_rules! facts {
    ($($name:ident($event:ty) => $($hearer:ident),+;)+) => {
        /// What is told that somebody hears.
        #[derive(Clone, Debug)]
        pub(crate) enum Fact {
            $($name($event),)+
        }

        impl Bus {
            /// Takes what a change tells to those who hear it.
            pub(crate) fn take<T>(&mut self, change: &Change<T>) {
                if change.tells_nothing() {
                    return;
                }
                $(for event in change.told::<$event>() {
                    $(self.post(Hearer::$hearer, Fact::$name(event.clone()));)+
                })+
            }
        }
    };
}

facts! {
    CheckedOut(cart::CheckedOut) => Order;
    Placed(order::Placed) => Product;
    PaymentDue(order::PaymentDue) => Payment;
    PayByExtended(order::PayByExtended) => Payment;
    Paid(order::Paid) => Product;
    Cancelled(order::Cancelled) => Payment, Product;
    Expired(order::Expired) => Payment, Product;
    RefundDue(order::RefundDue) => Payment;
    RestockDue(order::RestockDue) => Product;
    CaptureDue(order::CaptureDue) => Payment;
    AttemptStarted(payment::AttemptStarted) => Order;
    Captured(payment::Captured) => Order;
    Authorized(payment::Authorized) => Order;
    CaptureFailed(payment::CaptureFailed) => Order;
    Refunded(payment::Refunded) => Order;
    RefundFailed(payment::RefundFailed) => Order;
    Reserved(product::Reserved) => Order;
    Refused(product::Refused) => Order;
    CommitRefused(product::CommitRefused) => Order;
    ReservationOverdue(product::ReservationOverdue) => Order;
}

impl Bus {
    pub(crate) fn post(&mut self, to: Hearer, fact: Fact) {
        self.told += 1;
        let id = Uuid::from_u128(0x1_0000 + self.told);
        self.letters.push(Letter { id, to, fact, again: false });
    }
}
