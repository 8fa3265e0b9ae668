//! How much one order may hold: all of it is one document.

use super::parcel::Label;
use super::{Goods, Order, Parcel, Refund, Return, ReturnState};

/// Bytes of parcels, refunds and returns from which on an order takes no more of them. With what
/// it was bought with, and what may still follow by itself, an order stays below 1 MB.
const FULL: usize = 640 * 1024;
/// Bytes, at most, that are stored for a parcel, a refund or a return, less its lines and words.
const ENTRY: usize = 320;
/// The same for pieces of one SKU.
const PIECES: usize = 56;
/// The same for pieces of one SKU whose money goes back.
const REFUND_LINE: usize = 160;

impl Order {
    /// Whether the order holds so much that it takes no more parcels, refunds and returns, but for
    /// a parcel with all that is left.
    pub(super) fn is_full(&self) -> bool {
        let parcels = self.parcels.iter().map(of_parcel);
        let refunds = self.payment.refunds.iter().map(of_refund);
        let returns = self.returns.iter().map(of_return);
        parcels.chain(refunds).chain(returns).fold(0, usize::saturating_add) >= FULL
    }
}

fn of_parcel(parcel: &Parcel) -> usize {
    let labels = [&parcel.carrier, &parcel.tracking].into_iter().flatten();
    let words: usize = labels.map(|label| Label::as_str(label).len()).sum();
    ENTRY + words + of_goods(&parcel.lines)
}

fn of_refund(refund: &Refund) -> usize {
    let words = refund.note.as_ref().map_or(0, |note| note.as_str().len());
    ENTRY + words + refund.lines.len() * REFUND_LINE
}

/// One that may still be received needs room for what comes, and for its refund.
fn of_return(asked: &Return) -> usize {
    let follows = match &asked.state {
        ReturnState::Requested | ReturnState::Approved { .. } => {
            ENTRY + of_goods(&asked.lines) + asked.lines.iter().count() * REFUND_LINE
        }
        ReturnState::Rejected { .. } => 0,
        ReturnState::Received(arrival)
        | ReturnState::Settled(arrival)
        | ReturnState::Refunded(arrival) => of_goods(&arrival.lines),
    };
    ENTRY + asked.reason.as_str().len() + of_goods(&asked.lines) + follows
}

fn of_goods(goods: &Goods) -> usize {
    goods.iter().count() * PIECES
}
