//! What became of each piece: bought = sent + to send + dropped.

use contracts::Sku;

use super::{Act, Goods, Order, Refund, Refusal, Return};

impl Order {
    /// All that was bought.
    pub fn bought(&self) -> Goods {
        self.lines.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect()
    }

    /// What left.
    pub fn sent(&self) -> Goods {
        self.parcels.iter().map(|parcel| &parcel.lines).collect()
    }

    /// What is still to leave, also with the parcel that waits for its money.
    pub fn to_send(&self) -> Goods {
        self.bought().less(&self.sent()).less(&self.dropped)
    }

    /// The pieces whose money went back, or is on its way.
    pub fn refunded_pieces(&self) -> Goods {
        self.pieces_of_refunds(|quantity, _| quantity)
    }

    /// The pieces whose money may be given back.
    pub fn refundable(&self) -> Goods {
        self.bought().less(&self.refunded_pieces())
    }

    /// The pieces that may be sent back: those that the shopper has, and paid for.
    pub fn returnable(&self) -> Goods {
        let claimed: Vec<Goods> = self.returns.iter().map(Return::claims).collect();
        let kept = self.pieces_of_refunds(u32::saturating_sub);
        // The money of what came back is among both.
        let came = claimed.iter().collect::<Goods>();
        self.sent().less(&came).less(&kept.less(&self.returned_and_refunded()))
    }

    /// The pieces that are no longer to be sent and whose money is not on its way: its refund
    /// failed.
    pub(super) fn owed(&self) -> Goods {
        self.dropped.less(&self.pieces_of_refunds(|_, unsent| unsent))
    }

    /// These pieces by the names that they have in this order: SKUs that differ in case only are
    /// one SKU, and count together.
    pub(super) fn spelled(&self, goods: &Goods) -> Goods {
        let bought = self.bought();
        let name = |sku: &Sku| match bought.of(sku) {
            0 => bought.iter().map(|(name, _)| name).find(|name| name.is_same_as(sku)),
            _ => None,
        };
        goods.iter().map(|(sku, pieces)| (name(sku).unwrap_or(sku).clone(), pieces)).collect()
    }

    /// These pieces are some, were bought, and are no more than there are for this.
    pub(super) fn has(&self, goods: &Goods, limit: &Goods, act: Act) -> Result<(), Refusal> {
        if goods.is_empty() {
            return Err(Refusal::NoPieces);
        }
        self.knows(goods)?;
        goods.beyond(limit).map_or(Ok(()), |sku| Err(self.too_many(act, sku, limit)))
    }

    /// All of this was bought.
    pub(super) fn knows(&self, goods: &Goods) -> Result<(), Refusal> {
        let bought = self.bought();
        let unknown = goods.iter().find(|(sku, _)| bought.of(sku) == 0);
        unknown.map_or(Ok(()), |(sku, _)| Err(Refusal::NotBought(sku.clone())))
    }

    pub(super) fn too_many(&self, act: Act, sku: &Sku, limit: &Goods) -> Refusal {
        let (sku, left) = (sku.clone(), limit.of(sku));
        Refusal::TooMany { act, sku, left, standing: self.standing() }
    }

    fn returned_and_refunded(&self) -> Goods {
        let arrivals = self.returns.iter().filter_map(Return::arrival);
        let theirs: Vec<_> = arrivals.filter_map(|arrival| arrival.refund).collect();
        pieces(self.payment.refunds.iter().filter(|refund| theirs.contains(&refund.id)), |n, _| n)
    }

    fn pieces_of_refunds(&self, count: impl Fn(u32, u32) -> u32) -> Goods {
        pieces(self.payment.refunds.iter(), count)
    }
}

/// The pieces of the refunds that did not fail: of each line all, or those that were not sent.
fn pieces<'a>(refunds: impl Iterator<Item = &'a Refund>, count: impl Fn(u32, u32) -> u32) -> Goods {
    let lines = refunds.filter(|refund| refund.is_live()).flat_map(|refund| &refund.lines);
    lines.map(|line| (line.sku.clone(), count(line.quantity, line.unsent))).collect()
}
