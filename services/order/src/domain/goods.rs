//! Pieces of goods, counted.

use std::collections::BTreeMap;

use contracts::product::Pieces;
use contracts::{Quantity, Sku};
use serde::{Deserialize, Serialize};

/// How many pieces of each SKU; of what is not named there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods(BTreeMap<Sku, u32>);

impl Goods {
    /// How many pieces there are of this.
    pub fn of(&self, sku: &Sku) -> u32 {
        self.0.get(sku).copied().unwrap_or(0)
    }

    /// Whether there is not one piece.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What there is, and how many pieces of it.
    pub fn iter(&self) -> impl Iterator<Item = (&Sku, u32)> {
        self.0.iter().map(|(sku, pieces)| (sku, *pieces))
    }

    /// These and those.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        [self, other].into_iter().collect()
    }

    /// These without those; there is never less than nothing.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        self.each(|sku, pieces| pieces.saturating_sub(other.of(sku)))
    }

    /// Of each as many as are in both.
    #[must_use]
    pub fn at_most(&self, limit: &Self) -> Self {
        self.each(|sku, pieces| pieces.min(limit.of(sku)))
    }

    /// The first of which there are more than in the other.
    pub fn beyond(&self, limit: &Self) -> Option<&Sku> {
        self.iter().find(|(sku, pieces)| *pieces > limit.of(sku)).map(|(sku, _)| sku)
    }

    /// As others are told of them.
    pub fn pieces(&self) -> Vec<Pieces> {
        self.iter().flat_map(|(sku, pieces)| portions(sku, pieces)).collect()
    }

    fn each(&self, pieces: impl Fn(&Sku, u32) -> u32) -> Self {
        self.iter().map(|(sku, before)| (sku.clone(), pieces(sku, before))).collect()
    }
}

/// No line that is told holds more pieces than a [`Quantity`] does.
fn portions(sku: &Sku, pieces: u32) -> Vec<Pieces> {
    let mut told = Vec::new();
    let mut left = pieces;
    while let Ok(quantity) = Quantity::new(left.min(Quantity::MAX)) {
        told.push(Pieces { sku: sku.clone(), quantity });
        left -= quantity.get();
    }
    told
}

/// What is named twice counts together; nothing of something is not there.
impl FromIterator<(Sku, u32)> for Goods {
    fn from_iter<I: IntoIterator<Item = (Sku, u32)>>(goods: I) -> Self {
        let mut sums = BTreeMap::<Sku, u32>::new();
        for (sku, pieces) in goods.into_iter().filter(|(_, pieces)| *pieces > 0) {
            let sum = sums.entry(sku).or_default();
            *sum = sum.saturating_add(pieces);
        }
        Self(sums)
    }
}

impl FromIterator<Pieces> for Goods {
    fn from_iter<I: IntoIterator<Item = Pieces>>(pieces: I) -> Self {
        pieces.into_iter().map(|Pieces { sku, quantity }| (sku, quantity.get())).collect()
    }
}

impl<'a> FromIterator<&'a Goods> for Goods {
    fn from_iter<I: IntoIterator<Item = &'a Goods>>(goods: I) -> Self {
        let each = goods.into_iter().flat_map(Goods::iter);
        each.map(|(sku, pieces)| (sku.clone(), pieces)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods(pieces: &[(&str, u32)]) -> Goods {
        pieces.iter().map(|(sku, pieces)| (sku.parse().unwrap(), *pieces)).collect()
    }

    #[test]
    fn pieces_of_one_sku_count_together() {
        let mixed = goods(&[("A", 1), ("B", 2), ("A", 3), ("C", 0)]);

        assert_eq!(mixed, goods(&[("A", 4), ("B", 2)]));
        assert_eq!(mixed.plus(&goods(&[("B", 1)])), goods(&[("A", 4), ("B", 3)]));
        assert_eq!(mixed.less(&goods(&[("A", 4), ("B", 1), ("C", 1)])), goods(&[("B", 1)]));
        assert_eq!(mixed.at_most(&goods(&[("A", 1), ("C", 1)])), goods(&[("A", 1)]));
        assert_eq!(mixed.beyond(&goods(&[("A", 4)])), Some(&"B".parse().unwrap()));
        assert_eq!(goods(&[]).beyond(&goods(&[])), None);
    }

    #[test]
    fn many_pieces_are_told_in_portions() {
        let told = goods(&[("A", 2000)]).pieces();

        let quantities: Vec<_> = told.iter().map(|pieces| pieces.quantity.get()).collect();
        assert_eq!(quantities, [999, 999, 2]);
        assert_eq!(told.into_iter().collect::<Goods>(), goods(&[("A", 2000)]));
    }
}
