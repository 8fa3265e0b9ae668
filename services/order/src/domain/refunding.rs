//! How money goes back: what the order asks for, and what payment says became of it.

use common::Change;
use contracts::order::{CancelReason, RefundReason};
use contracts::{Money, RefundId, Sku, Timestamp};

use super::refund::Because;
use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{
    Act, Back, GivingBack, Goods, NotBack, Order, Outcome, Refund, RefundLine, RefundState,
    Refusal, share, told,
};

/// Staff ask for no more refunds of one order: each is part of its document.
const MOST: usize = 200;

impl Order {
    /// Staff give money back for some of the goods: their share of all that was paid. Those of
    /// them that were not sent yet will not be; when none is left the order is given up. A refund of
    /// nothing is refused, unless it is of pieces that cost nothing and are no longer to be sent.
    pub fn refund(self, back: &GivingBack, now: Timestamp) -> Outcome {
        if self.payment.refunds.iter().any(|refund| refund.id == back.id) {
            return Ok(Change::none(self));
        }
        if !self.payment.has_come() || matches!(self.status, Placed | Reserved { .. }) {
            return self.unfit(Act::Refund);
        }
        if !self.may_refund_more() {
            return Err(Refusal::Crowded { act: Act::Refund, standing: self.standing() });
        }
        let back = &GivingBack { goods: self.spelled(&back.goods), ..back.clone() };
        if !back.shipping || !back.goods.is_empty() {
            self.has(&back.goods, &self.refundable(), Act::Refund)?;
        }
        let free = self.payment.free().filter(|_| !back.shipping || !self.gave_shipping_back());
        let standing = self.standing();
        free.and_then(|free| self.gives_for(back, free, now)).ok_or(Refusal::NothingLeft(standing))
    }

    /// Money went back. Nothing more is sent when none of it remains: payment says so, which also
    /// knows of captures that the order has yet to hear of.
    pub fn refunded(self, by: RefundId, back: Back, now: Timestamp) -> Outcome {
        if !self.payment.has_come() {
            return Err(Refusal::NotCaptured);
        }
        if self.payment.knows_end_of(by) {
            return Ok(Change::none(self));
        }
        if back.amount.currency != self.sums.total.currency || back.amount.amount < 0 {
            return Err(Refusal::DoesNotAddUp);
        }
        let order = self.after_refund(by, true);
        let payment = order.payment.listing(by, back.amount, back.cause, now);
        let order = Self { payment: payment.with_refund(by, back.amount), ..order };
        let event = told::refunded(&order, by, back.amount);
        let change = match order.status {
            Placed | Paid { .. } if !back.remaining.is_positive() => {
                order.sends_no_more(CancelReason::Refunded, now)
            }
            Placed | Reserved { .. } | Paid { .. } => Change::to(order),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::to(order),
            Cancelled { .. } | Expired { .. } => Change::to(order),
        };
        Ok(change.telling(&event))
    }

    /// Money does not go back, or went and came back. It is free to be asked for anew, which a person
    /// has to do.
    pub fn refund_failed(self, by: RefundId, news: NotBack, now: Timestamp) -> Change<Self> {
        if self.payment.unrefunded.contains(&by) {
            return Change::none(self);
        }
        let order = self.after_refund(by, false);
        let payment = order.payment.listing(by, news.amount, news.cause, now);
        Change::to(Self { payment: payment.with_failed_refund(by, news.failure), ..order })
    }

    /// What should have gone back and did not, and nobody is about to give: a person has to see to
    /// it.
    pub fn stuck(&self) -> Option<Money> {
        match self.status {
            Cancelled { .. } | Expired { .. } => self.payment.free(),
            Placed | Reserved { .. } | Paid { .. } => None,
            Shipped { .. } | Delivered { .. } | Completed { .. } => None,
        }
    }

    /// A refund for these pieces, unless nothing is to be paid for them, or nothing is left.
    pub(super) fn refund_of(
        &self,
        goods: &Goods,
        unsent: &Goods,
        because: &Because,
        now: Timestamp,
    ) -> Option<Refund> {
        let lines = self.priced(&goods.at_most(&self.refundable()), unsent, self.payment.free()?);
        let amount = self.sum(lines.iter().map(|line| line.amount.amount));
        let refund = Refund { lines, ..because.refund(self.id, amount, now) };
        amount.is_positive().then_some(refund)
    }

    /// The same order, which asks for this.
    pub(super) fn asking(mut self, refund: Option<Refund>) -> Self {
        self.payment.refunds.extend(refund);
        self
    }

    /// All of this goes back, whatever it was for.
    pub(super) fn gives_back(
        self,
        due: Option<Money>,
        because: &Because,
        now: Timestamp,
    ) -> Change<Self> {
        let refund = due.map(|amount| because.refund(self.id, amount, now));
        let event = refund.as_ref().map(|refund| told::refund_due(&self, refund));
        told::also(Change::to(self.asking(refund)), event.as_ref())
    }

    /// Whether staff can give any money back: for pieces, for the shipping, or by dropping pieces.
    pub(super) fn can_refund(&self) -> bool {
        let is_left = self.payment.free().is_some() && self.may_refund_more();
        let drops = matches!(self.status, Paid { .. }) && !self.to_send().is_empty();
        let shipping = self.sums.shipping_share() > 0 && !self.gave_shipping_back();
        let is_due = |(sku, pieces): (&Sku, u32)| self.due_for(sku, pieces) > 0;
        is_left && (drops || shipping || self.refundable().iter().any(is_due))
    }

    /// Whether the order holds another refund.
    fn may_refund_more(&self) -> bool {
        self.payment.refunds.len() < MOST && !self.is_full()
    }

    fn gives_for(self, back: &GivingBack, free: Money, now: Timestamp) -> Option<Change<Self>> {
        let owed = self.owed();
        let to_send = match self.status {
            Paid { .. } => self.to_send(),
            Placed | Reserved { .. } | Shipped { .. } | Delivered { .. } => Goods::default(),
            Completed { .. } | Cancelled { .. } | Expired { .. } => Goods::default(),
        };
        let unsent = back.goods.at_most(&owed.plus(&to_send));
        let dropped = unsent.less(&owed);
        let ends = matches!(self.status, Paid { .. })
            && self.parcels.is_empty()
            && to_send.less(&dropped).is_empty();
        let refund = self.staff_refund(back, &unsent, free, ends, now);
        if !refund.is_open() && dropped.is_empty() {
            return None;
        }
        let due = refund.is_open().then(|| told::refund_due(&self, &refund));
        let restocked = told::restock_due(&self, &dropped).filter(|_| back.restock && !ends);
        let lost = if back.restock { self.lost.clone() } else { self.lost.plus(&dropped) };
        let order = Self { dropped: self.dropped.plus(&dropped), lost, ..self };
        let order = order.asking(Some(refund));
        let change =
            if ends { order.give_up(CancelReason::Refunded, now) } else { order.goes_on(now) };
        Some(told::also(told::also(change, due.as_ref()), restocked.as_ref()))
    }

    /// What goes back for these pieces; all that is left when the order ends with it.
    fn staff_refund(
        &self,
        back: &GivingBack,
        unsent: &Goods,
        free: Money,
        ends: bool,
        now: Timestamp,
    ) -> Refund {
        let lines = self.priced(&back.goods, unsent, free);
        let for_goods = self.sum(lines.iter().map(|line| line.amount.amount));
        let left = free.amount.saturating_sub(for_goods.amount);
        let with_shipping = back.shipping || ends && !self.gave_shipping_back();
        let shipping = with_shipping.then(|| self.money(self.sums.shipping_share().min(left)));
        let shipping = shipping.filter(|share| share.is_positive());
        let amounts = [Some(for_goods), shipping].into_iter().flatten();
        let amount = if ends { free } else { self.sum(amounts.map(|money| money.amount)) };
        let state = if amount.is_positive() { RefundState::Asked } else { RefundState::Refunded };
        Refund {
            id: back.id,
            amount,
            reason: RefundReason::Goodwill,
            note: Some(back.note.clone()),
            lines,
            shipping,
            asked_at: now,
            state,
        }
    }

    /// What is due for each of these, as far as so much money goes.
    fn priced(&self, goods: &Goods, unsent: &Goods, free: Money) -> Vec<RefundLine> {
        let mut left = free.amount;
        let line = |(sku, quantity): (&Sku, u32)| {
            let due = self.due_for(sku, quantity).min(left);
            left -= due;
            let unsent = unsent.of(sku);
            RefundLine { sku: sku.clone(), quantity, unsent, amount: self.money(due) }
        };
        goods.iter().map(line).collect()
    }

    /// The share of so many more pieces. All pieces together come to exactly what was paid for
    /// them, in however many refunds.
    fn due_for(&self, sku: &Sku, pieces: u32) -> i64 {
        let live = self.payment.refunds.iter().filter(|refund| refund.is_live());
        let lines = live.flat_map(|refund| &refund.lines).filter(|line| line.sku == *sku);
        let (before, given) = lines.fold((0_u32, 0_i64), |(pieces, given), line| {
            (pieces.saturating_add(line.quantity), given.saturating_add(line.amount.amount))
        });
        let share = self.share_of(sku);
        let so_far = share::of_pieces(share, before.saturating_add(pieces), self.bought().of(sku));
        so_far.saturating_sub(given).max(0)
    }

    /// What was paid for all pieces of this.
    pub fn share_of(&self, sku: &Sku) -> i64 {
        let shares = self.sums.shares(&self.lines);
        let of_sku = self.lines.iter().zip(shares).filter(|(line, _)| line.sku == *sku);
        of_sku.fold(0, |sum: i64, (_, share)| sum.saturating_add(share))
    }

    fn gave_shipping_back(&self) -> bool {
        let mut live = self.payment.refunds.iter().filter(|refund| refund.is_live());
        live.any(|refund| refund.shipping.is_some_and(Money::is_positive))
    }

    fn after_refund(self, by: RefundId, went_back: bool) -> Self {
        let returns = self.returns.into_iter().map(|known| known.after_refund(by, went_back));
        Self { returns: returns.collect(), ..self }
    }

    fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.sums.total.currency)
    }

    fn sum(&self, amounts: impl IntoIterator<Item = i64>) -> Money {
        self.money(amounts.into_iter().fold(0, i64::saturating_add))
    }
}
