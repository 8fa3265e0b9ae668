//! The kinds of saga, and how each may end.

use super::stall::Terms;

/// What two pieces cost.
pub(super) const PRICE: i64 = 2 * EACH;
/// What one piece costs.
pub(super) const EACH: i64 = 1250;
/// How many pieces there are before a saga.
pub(super) const PIECES: i64 = 5;

/// A kind of saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Saga {
    /// Two pieces are bought.
    Purchase,
    /// A card is declined, and another pays.
    OtherCard,
    /// The shopper confirms the payment at the bank, whose webhook tells.
    Confirmed,
    /// The provider speaks of something that nobody knows yet.
    EarlyNotice,
    /// The shopper thinks better of it.
    CancelledUnpaid,
    /// The shopper has paid and thinks better of it.
    CancelledPaid,
    /// Two want three of five pieces.
    OutOfStock,
    /// One of two pieces is not sent, and its money goes back.
    PartialRefund,
    /// The goods are sent, arrive and come back.
    Returned,
    /// The goods come back, and cannot be sold again.
    ReturnedBroken,
    /// A guest who has bought signs up and pays for what is open.
    GuestMerge,
    /// Something is told that nobody can read.
    Unreadable,
    /// The services tell again what they told.
    Retold,
    /// Money is promised, and taken when the goods leave.
    CapturedAtShipping,
    /// Money is promised, and the order is cancelled.
    PromiseGivenUp,
    /// The money comes when the order has expired.
    LateMoney,
    /// The money comes when the order has expired and somebody else has the goods.
    MoneyForNothing,
    /// Nobody pays.
    Expired,
}

/// How a saga may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// How its orders stand, sorted.
    pub(super) orders: Vec<&'static str>,
    /// How much money came, in cents.
    pub(super) captured: i64,
    /// How much of it went back.
    pub(super) refunded: i64,
    /// How many pieces are left.
    pub(super) on_hand: i64,
}

impl Saga {
    pub(super) const ALL: [Self; 18] = [
        Self::Purchase,
        Self::OtherCard,
        Self::Confirmed,
        Self::EarlyNotice,
        Self::CancelledUnpaid,
        Self::CancelledPaid,
        Self::OutOfStock,
        Self::PartialRefund,
        Self::Returned,
        Self::ReturnedBroken,
        Self::GuestMerge,
        Self::Unreadable,
        Self::Retold,
        Self::CapturedAtShipping,
        Self::PromiseGivenUp,
        Self::LateMoney,
        Self::MoneyForNothing,
        Self::Expired,
    ];

    /// Those that `SOUK_CRASH_SAGAS` names, parted by commas, or all.
    pub(super) fn chosen() -> Vec<Self> {
        let named = std::env::var_os("SOUK_CRASH_SAGAS").and_then(|named| named.into_string().ok());
        let is_chosen = |saga: &Self| {
            let name = format!("{saga:?}");
            named.as_ref().is_none_or(|named| named.split(',').any(|one| one == name))
        };
        Self::ALL.into_iter().filter(is_chosen).collect()
    }

    /// In which kind of shop it plays.
    pub(super) const fn terms(self) -> Terms {
        match self {
            Self::CapturedAtShipping | Self::PromiseGivenUp => Terms::AtShipping,
            Self::LateMoney | Self::MoneyForNothing | Self::Expired => Terms::Hasty,
            _ => Terms::AtOnce,
        }
    }

    /// Whether it always goes the same way.
    pub(super) fn goes_one_way(self) -> bool {
        self.endings().len() == 1
    }

    /// How it may end; no other way is right.
    pub(super) fn endings(self) -> Vec<Ending> {
        match self {
            Self::Purchase
            | Self::OtherCard
            | Self::Confirmed
            | Self::EarlyNotice
            | Self::Retold => vec![end(&["paid"], PRICE, 0, 3)],
            Self::CancelledUnpaid | Self::PromiseGivenUp => vec![end(&["cancelled"], 0, 0, PIECES)],
            Self::CancelledPaid => vec![end(&["cancelled"], PRICE, PRICE, PIECES)],
            Self::OutOfStock => vec![
                end(&["cancelled", "paid"], 3 * EACH, 0, 2),
                // The cart knew already that there was no more.
                end(&["paid"], 3 * EACH, 0, 2),
            ],
            Self::PartialRefund => vec![end(&["paid"], PRICE, EACH, 4)],
            Self::Returned => vec![end(&["delivered"], PRICE, PRICE, PIECES)],
            Self::ReturnedBroken => vec![end(&["delivered"], PRICE, PRICE, 3)],
            Self::GuestMerge => vec![end(&["paid", "paid"], PRICE, 0, 3)],
            Self::Unreadable => vec![end(&[], 0, 0, PIECES)],
            Self::CapturedAtShipping => vec![end(&["delivered"], PRICE, 0, 3)],
            Self::Expired => vec![end(&["expired"], 0, 0, PIECES)],
            Self::LateMoney => vec![
                // It was asked for goods again, and they were still there.
                end(&["paid"], PRICE, 0, 3),
                // The payment came too late to be begun, or was called off.
                end(&["expired"], 0, 0, PIECES),
                end(&["expired"], PRICE, PRICE, PIECES),
            ],
            Self::MoneyForNothing => Self::endings_of_a_race(3 * EACH),
        }
    }

    /// Two want the same goods for so much; the first pays, and nobody hears of it for a while.
    fn endings_of_a_race(price: i64) -> Vec<Ending> {
        let mut endings = vec![
            // The first was in time, and there is no second.
            end(&["paid"], price, 0, 2),
            // The second has the goods; the first paid nothing, or has its money back.
            end(&["expired", "paid"], price, 0, 2),
            end(&["expired", "paid"], 2 * price, price, 2),
        ];
        // The second was refused the goods, or came too late to pay for them.
        for second in ["cancelled", "expired"] {
            endings.extend([
                end(&["paid", second], price, 0, 2),
                end(&["expired", second], 0, 0, PIECES),
                end(&["expired", second], price, price, PIECES),
            ]);
        }
        endings
    }
}

/// The orders stand so, so much money came and went back, and so many pieces are left.
fn end(orders: &[&'static str], captured: i64, refunded: i64, on_hand: i64) -> Ending {
    let mut orders = orders.to_vec();
    orders.sort_unstable();
    Ending { orders, captured, refunded, on_hand }
}
