//! The variants of a product: added, changed, taken off sale, and given other SKUs.

use std::collections::BTreeSet;

use common::Change;
use contracts::{Sku, Timestamp, UserId};

use super::draft::{OPTIONS, VARIANTS, VariantEdit};
use super::options::{Options, keys, named};
use super::words::OptionName;
use super::{
    Address, Addresses, Adjustment, CatalogueEntry, Product, Refusal, Shelf, StockItem, Variant,
};

/// Who changes a product, when, and which names are taken.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The addresses that the change may need.
    pub addresses: &'a Addresses,
    /// Who.
    pub actor: UserId,
    /// When.
    pub now: Timestamp,
}

impl Product {
    /// The SKU of its variant, as it is spelled there, that this one names in whatever case.
    pub fn borne(&self, sku: &Sku) -> Option<Sku> {
        let variant = self.variants.iter().find(|variant| variant.sku.is_same_as(sku));
        variant.map(|variant| variant.sku.clone())
    }

    /// Staff counted pieces of a variant in or out.
    pub fn count(
        &self,
        counted: Adjustment,
        stock: &Shelf,
        entry: Option<CatalogueEntry>,
        actor: UserId,
        now: Timestamp,
    ) -> Result<Change<StockItem>, Refusal> {
        let item = self.borne(&counted.sku).and_then(|sku| stock.get(sku.as_str()).cloned());
        let item = item.filter(|item| item.product_id == self.id);
        let item = item.ok_or_else(|| Refusal::NoVariant { sku: counted.sku.clone() })?;
        let change = item.adjust(counted, actor, now)?;
        let entry = entry.and_then(|entry| entry.with_stock([&change.value].into_iter()));
        Ok(entry.iter().fold(change, Change::with))
    }

    /// Changes the variants that it has and adds the others, with their first stock.
    pub(super) fn vary(
        &mut self,
        sent: Vec<VariantEdit>,
        stock: &Shelf,
        desk: &Desk<'_>,
    ) -> Result<Change<Shelf>, Refusal> {
        let mut known = Change::none(stock.clone());
        let mut seen = BTreeSet::new();
        let mut apart = Vec::new();
        for (at, edit) in sent.into_iter().enumerate() {
            let sku = Sku::from(edit.sku.clone());
            if !seen.insert(sku.folded()) {
                return Err(Refusal::SkuTwice { at, sku });
            }
            let place = self.variants.iter().position(|variant| variant.sku.is_same_as(&sku));
            if let Some(place) = place {
                let may_clash = edit.options.is_some() || edit.on_sale == Some(true);
                known = self.change(place, at, edit, known, desk)?;
                apart.extend(may_clash.then_some((at, place)));
            } else {
                known = self.add(at, edit, known, desk)?;
                apart.push((at, self.variants.len() - 1));
            }
        }
        bounded("variants", self.variants.len(), VARIANTS)?;
        apart.into_iter().try_for_each(|(at, place)| self.differs(at, place))?;
        Ok(known)
    }

    /// Says what tells the variants apart: what staff name, else also all that the variants name.
    pub(super) fn distinguish(&mut self, given: Option<Vec<OptionName>>) -> Result<(), Refusal> {
        if self.variants.is_empty() && !self.archived {
            return Err(Refusal::NoVariants);
        }
        let is_whole = given.is_some();
        if let Some(given) = given {
            self.options = Vec::new();
            for name in given {
                self.spelled(name);
            }
        }
        for at in 0..self.variants.len() {
            let mut options = Options::new();
            for (name, value) in std::mem::take(&mut self.variants[at].options) {
                if is_whole && named(&self.options, &name).is_none() {
                    let sku = self.variants[at].sku.clone();
                    return Err(Refusal::NoOption { sku, name });
                }
                let spelled = self.spelled(name.clone());
                let name = if options.contains_key(&spelled) { name } else { spelled };
                options.insert(name, value);
            }
            self.variants[at].options = options;
        }
        bounded("options", self.options.len(), OPTIONS)
    }

    /// The option as the product spells it, which it does from now on if it did not have it.
    fn spelled(&mut self, name: OptionName) -> OptionName {
        if let Some(known) = named(&self.options, &name) {
            return known.clone();
        }
        self.options.push(name.clone());
        name
    }

    fn add(
        &mut self,
        at: usize,
        new: VariantEdit,
        known: Change<Shelf>,
        desk: &Desk<'_>,
    ) -> Result<Change<Shelf>, Refusal> {
        let sku = Sku::from(new.sku);
        if new.new_sku.is_some() {
            return Err(Refusal::NotThere { at, sku });
        }
        let price = new.price.ok_or(Refusal::NoPrice { at })?;
        let item = self.claimed(at, &sku, &known.value, desk)?;
        let pieces = new.on_hand.unwrap_or_default();
        self.variants.push(Variant {
            sku: sku.clone(),
            options: new.options.unwrap_or_default(),
            price,
            off_sale: new.on_sale == Some(false),
            former_skus: Vec::new(),
        });
        let begun = item.first(pieces, desk.actor, desk.now);
        Ok(keep(known, begun).with(&Address::bearing(&sku, self.id)))
    }

    fn change(
        &mut self,
        place: usize,
        at: usize,
        edit: VariantEdit,
        known: Change<Shelf>,
        desk: &Desk<'_>,
    ) -> Result<Change<Shelf>, Refusal> {
        if edit.on_hand.is_some() {
            return Err(Refusal::NotInitial { at, sku: edit.sku.into() });
        }
        let variant = &mut self.variants[place];
        variant.price = edit.price.unwrap_or(variant.price);
        variant.off_sale = edit.on_sale.map_or(variant.off_sale, |on_sale| !on_sale);
        if let Some(options) = edit.options {
            variant.options = options;
        }
        match edit.new_sku.map(Sku::from) {
            Some(sku) if sku != variant.sku => self.rename(place, at, &sku, known, desk),
            Some(_) | None => Ok(known),
        }
    }

    /// The variant bears another SKU from now on. What can be sold moves over; pieces promised to
    /// orders stay under the SKU that these name, and follow when they are given back.
    fn rename(
        &mut self,
        place: usize,
        at: usize,
        sku: &Sku,
        known: Change<Shelf>,
        desk: &Desk<'_>,
    ) -> Result<Change<Shelf>, Refusal> {
        let former = self.variants[place].sku.clone();
        let mut others = self.variants.iter().enumerate().filter(|(other, _)| *other != place);
        if others.any(|(_, other)| other.sku.is_same_as(sku)) {
            return Err(Refusal::SkuTaken { at, sku: sku.clone() });
        }
        let target = self.claimed(at, sku, &known.value, desk)?;
        let source = known.value.get(former.as_str()).cloned();
        let source = source.unwrap_or_else(|| StockItem::empty(former.clone(), self.id));
        let (given, got) = handed_over(source, target, desk.now);
        let left = given.value.clone().retire(Some(sku.clone()));
        let known = keep(keep(keep(known, given), left), got);
        let known = known.without::<Address>(&Address::of_sku(&former));
        let variant = &mut self.variants[place];
        variant.former_skus.retain(|it| it != sku);
        variant.former_skus.push(former);
        variant.sku = sku.clone();
        Ok(known.with(&Address::bearing(sku, self.id)))
    }

    /// The stock of a SKU that no variant bears, for one of this product.
    fn claimed(
        &self,
        at: usize,
        sku: &Sku,
        stock: &Shelf,
        desk: &Desk<'_>,
    ) -> Result<StockItem, Refusal> {
        let address = desk.addresses.get(&Address::of_sku(sku));
        if address.is_some_and(|address| address.product_id != self.id) {
            return Err(Refusal::SkuTaken { at, sku: sku.clone() });
        }
        match stock.get(sku.as_str()).cloned() {
            None => Ok(StockItem::empty(sku.clone(), self.id)),
            Some(item) if item.is_free() => Ok(item.taken_over(self.id, desk.now)),
            Some(_) => Err(Refusal::SkuTaken { at, sku: sku.clone() }),
        }
    }

    /// What is on sale differs from all else that is in its options.
    fn differs(&self, at: usize, place: usize) -> Result<(), Refusal> {
        let variant = &self.variants[place];
        let others = self.variants.iter().enumerate().filter(|(other, _)| *other != place);
        let mut on_sale = others.map(|(_, other)| other).filter(|other| !other.off_sale);
        let options = keys(&variant.options);
        let same = on_sale.find(|other| !variant.off_sale && keys(&other.options) == options);
        match same {
            Some(other) => {
                let (sku, other) = (variant.sku.clone(), other.sku.clone());
                Err(Refusal::SameOptions { at, sku, other })
            }
            None => Ok(()),
        }
    }
}

/// Passes all that is available of one SKU to another.
fn handed_over(
    from: StockItem,
    to: StockItem,
    now: Timestamp,
) -> (Change<StockItem>, Change<StockItem>) {
    let pieces = i64::from(from.available());
    if pieces == 0 {
        let told = to.told();
        return (Change::none(from), Change::to(to).telling(&told));
    }
    let (former, sku) = (from.sku.clone(), to.sku.clone());
    let given = from.transfer(-pieces, Some(&sku), now);
    (given, to.transfer(pieces, Some(&former), now))
}

fn keep(mut known: Change<Shelf>, item: Change<StockItem>) -> Change<Shelf> {
    known.value.insert(item.value.sku.to_string(), item.value.clone());
    known.and(item)
}

fn bounded(what: &'static str, count: usize, most: usize) -> Result<(), Refusal> {
    if count <= most { Ok(()) } else { Err(Refusal::TooLong { what, most }) }
}
