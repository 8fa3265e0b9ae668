//! How the goods get to the shopper.

use common::Change;
use contracts::Timestamp;

use super::status::Status::{
    Cancelled, Completed, Delivered, Expired, Paid, Placed, Reserved, Shipped,
};
use super::{Act, Goods, Order, Outcome, Parcel, Refusal, Shipment, TrackingChange, Waiting, told};

/// No order has more parcels, or more than it has room for, but the last, with all that is left:
/// each is part of its document.
const MOST: usize = 200;

impl Order {
    /// Goods are ready to leave. They do so at once when the money is here; when it is promised
    /// they wait for it, and it is asked for.
    pub fn ship(self, shipment: Shipment, now: Timestamp) -> Outcome {
        let goods = shipment.goods.as_ref().map(|goods| self.spelled(goods));
        let shipment = Shipment { goods, ..shipment };
        if let Some(number) = self.might_be_another(&shipment) {
            return Err(Refusal::SentAlready { number, standing: self.standing() });
        }
        if self.has_packed(&shipment) {
            return Ok(Change::none(self));
        }
        match self.status {
            Paid { .. } if self.waiting.is_none() => {
                let packed = self.packs(shipment, now)?;
                Ok(if self.payment.promise().is_some() {
                    self.waits(packed)
                } else {
                    self.sends(packed, now)
                })
            }
            Placed | Reserved { .. } | Paid { .. } => self.unfit(Act::Ship),
            Shipped { .. } | Delivered { .. } | Completed { .. } => self.unfit(Act::Ship),
            Cancelled { .. } | Expired { .. } => self.unfit(Act::Ship),
        }
    }

    /// Goods arrived: one parcel, or all that are on their way.
    pub fn deliver(self, number: Option<u32>, now: Timestamp) -> Outcome {
        let is_meant = |parcel: &Parcel| number.is_none_or(|number| parcel.number == number);
        match (&self.status, number) {
            (Placed | Reserved { .. } | Cancelled { .. } | Expired { .. }, _) => {
                self.unfit(Act::Deliver)
            }
            (Paid { .. }, _) if self.parcels.is_empty() => self.unfit(Act::Deliver),
            (_, Some(number)) if !self.parcels.iter().any(is_meant) => {
                Err(Refusal::NoParcel { number, standing: self.standing() })
            }
            (Paid { .. } | Shipped { .. }, _) => Ok(self.arrives(is_meant, now)),
            (Delivered { .. } | Completed { .. }, _) => Ok(Change::none(self)),
        }
    }

    /// The money is here: what waited for it leaves.
    pub(super) fn sends_what_waits(mut self, now: Timestamp) -> Change<Self> {
        match self.waiting.take() {
            Some(packed) => self.sends(packed, now),
            None => Change::to(self),
        }
    }

    /// Once nothing is left to be sent it is on its way, and once all of that arrived, there.
    pub(super) fn goes_on(self, now: Timestamp) -> Change<Self> {
        let (all_left, arrived) = (self.to_send().is_empty(), !self.is_on_its_way());
        match self.status {
            Shipped { .. } if arrived => self.becomes(Delivered { at: now }, told::delivered),
            Paid { .. } if all_left && arrived => {
                self.becomes(Delivered { at: now }, told::delivered)
            }
            Paid { .. } if all_left => Change::to(Self { status: Shipped { at: now }, ..self }),
            Placed | Reserved { .. } | Paid { .. } => Change::to(self),
            Shipped { .. } | Delivered { .. } | Completed { .. } => Change::to(self),
            Cancelled { .. } | Expired { .. } => Change::to(self),
        }
    }

    /// Whether a parcel has left that did not arrive yet.
    pub(super) fn is_on_its_way(&self) -> bool {
        self.parcels.iter().any(|parcel| parcel.delivered_at.is_none())
    }

    /// Staff correct carrier or tracking number of a parcel. One that waits for its money has the
    /// number that it will get.
    pub fn correct_tracking(mut self, number: u32, change: &TrackingChange) -> Outcome {
        let next = self.next_number();
        if let Some(waiting) = self.waiting.as_mut().filter(|_| number == next) {
            let before = waiting.clone();
            let Waiting { carrier, tracking, .. } = before.clone();
            (waiting.carrier, waiting.tracking) = change.of(carrier, tracking);
            let is_news = *waiting != before;
            return Ok(if is_news { Change::to(self) } else { Change::none(self) });
        }
        let found = self.parcels.iter_mut().find(|parcel| parcel.number == number);
        let parcel = found.ok_or(Refusal::UnknownParcel)?;
        let before = parcel.clone();
        let Parcel { carrier, tracking, .. } = before.clone();
        (parcel.carrier, parcel.tracking) = change.of(carrier, tracking);
        if *parcel == before {
            return Ok(Change::none(self));
        }
        let parcel = parcel.clone();
        let event = told::tracking_corrected(&self, &parcel);
        Ok(Change::to(self).telling(&event))
    }

    /// The parcel that is just like this one, if what is left would fill another: then nobody can
    /// tell whether it is meant again or a second one is. Parcels without a tracking number are all
    /// alike: there each key is another parcel.
    fn might_be_another(&self, shipment: &Shipment) -> Option<u32> {
        let goods = shipment.goods.as_ref().filter(|_| shipment.tracking.is_some())?;
        let alike = |sent: &&Parcel| {
            sent.carrier == shipment.carrier
                && sent.tracking == shipment.tracking
                && sent.lines == *goods
        };
        let sent = self.parcels.iter().find(alike)?;
        self.fits_another(goods).then_some(sent.number)
    }

    /// Whether what is left fills a parcel of this.
    fn fits_another(&self, goods: &Goods) -> bool {
        let sends = matches!(self.status, Paid { .. }) && self.waiting.is_none();
        sends && goods.beyond(&self.to_send()).is_none()
    }

    /// Whether just this was sent before, or waits for its money.
    fn has_packed(&self, shipment: &Shipment) -> bool {
        let Shipment { carrier, tracking, goods } = shipment;
        if tracking.is_none() && goods.as_ref().is_some_and(|goods| self.fits_another(goods)) {
            return false;
        }
        let all = || self.to_send().less(&self.waiting_goods()).is_empty();
        let same = |lines: &Goods| goods.as_ref().map_or_else(all, |goods| goods == lines);
        let sent = self.parcels.iter().map(|sent| (&sent.carrier, &sent.tracking, &sent.lines));
        let waiting = self.waiting.iter().map(|one| (&one.carrier, &one.tracking, &one.lines));
        let is_this = |(by, under, lines)| (by, under) == (carrier, tracking) && same(lines);
        sent.chain(waiting).any(is_this)
    }

    fn waiting_goods(&self) -> Goods {
        self.waiting.iter().map(|waiting| &waiting.lines).collect()
    }

    fn packs(&self, shipment: Shipment, now: Timestamp) -> Result<Waiting, Refusal> {
        let Shipment { carrier, tracking, goods } = shipment;
        let to_send = self.to_send();
        let lines = goods.unwrap_or_else(|| to_send.clone());
        self.has(&lines, &to_send, Act::Ship)?;
        if (self.parcels.len() >= MOST || self.is_full()) && lines != to_send {
            return Err(Refusal::Crowded { act: Act::Ship, standing: self.standing() });
        }
        Ok(Waiting { carrier, tracking, lines, since: now })
    }

    fn waits(self, packed: Waiting) -> Change<Self> {
        let event = told::capture_due(&self);
        Change::to(Self { waiting: Some(packed), ..self }).telling(&event)
    }

    fn sends(mut self, packed: Waiting, now: Timestamp) -> Change<Self> {
        let Waiting { carrier, tracking, lines, .. } = packed;
        let number = self.next_number();
        let parcel = Parcel { number, carrier, tracking, lines, sent_at: now, delivered_at: None };
        self.parcels.push(parcel.clone());
        let event = told::shipped(&self, &parcel);
        self.goes_on(now).telling(&event)
    }

    /// The number of the next parcel.
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.parcels.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn arrives(self, is_meant: impl Fn(&Parcel) -> bool, now: Timestamp) -> Change<Self> {
        let mut order = self.clone();
        for parcel in order.parcels.iter_mut().filter(|parcel| is_meant(parcel)) {
            parcel.delivered_at = parcel.delivered_at.or(Some(now));
        }
        if order == self { Change::none(self) } else { order.goes_on(now) }
    }
}
