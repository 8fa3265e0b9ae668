//! What a product is, and how staff change it.

use std::collections::BTreeSet;

use common::{Change, Document};
use contracts::{ProductId, Sku, Timestamp, UserId, product};
use serde::{Deserialize, Serialize};

use super::draft::{Draft, Edit, VariantEdit};
use super::options::Options;
use super::variants::Desk;
use super::words::{
    Category, Description, Image, OptionName, OptionValue, Price, Slug, Tag, Title,
};
use super::{Address, Addresses, CatalogueEntry, Refusal, Shelf};

/// Something the shop sells, in one variant or in several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Names it.
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name for people.
    pub title: Title,
    /// What is said about it.
    pub description: Description,
    /// The stock it stands on.
    pub category: Option<Category>,
    /// Words under which it is found.
    pub tags: Vec<Tag>,
    /// Where its pictures are.
    pub images: Vec<Image>,
    /// What tells its variants apart, in the order in which it is asked for.
    pub options: Vec<OptionName>,
    /// What can be bought of it.
    pub variants: Vec<Variant>,
    /// Whether it is off the shelves; shoppers do not see it then.
    pub archived: bool,
    /// When it first went on sale.
    pub created_at: Timestamp,
}

/// One form in which a product is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// What the warehouse counts.
    pub sku: Sku,
    /// What tells it from the others.
    pub options: Options,
    /// What one piece costs.
    pub price: Price,
    /// Whether it cannot be bought, while the product's other variants can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_sale: bool,
    /// SKUs that it bore before they were corrected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_skus: Vec<Sku>,
}

/// A product with what there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The product.
    pub product: Product,
    /// The stock of its variants.
    pub stock: Shelf,
}

impl Document for Product {
    const COLLECTION: &'static str = "products";
    /// 1: knows variants that are off sale, and former SKUs.
    const SHAPE: i64 = 1;
    type Id = ProductId;

    fn id(&self) -> ProductId {
        self.id
    }

    fn shape(&self) -> i64 {
        let is_new = |variant: &Variant| variant.off_sale || !variant.former_skus.is_empty();
        if self.variants.iter().any(is_new) { Self::SHAPE } else { 0 }
    }
}

impl Product {
    /// Puts a product on sale, with the first stock of its variants.
    pub fn create(
        id: ProductId,
        draft: Draft,
        addresses: &Addresses,
        stock: &Shelf,
        actor: UserId,
        now: Timestamp,
    ) -> Result<Change<Listing>, Refusal> {
        let slug = Address::free(draft.slugs(id), addresses)?;
        let mut product = Self {
            id,
            slug,
            title: draft.title,
            description: draft.description,
            category: draft.category,
            tags: without_repeats(draft.tags),
            images: draft.images,
            options: Vec::new(),
            variants: Vec::new(),
            archived: false,
            created_at: now,
        };
        let variants = draft.variants.into_iter().map(VariantEdit::from).collect();
        let desk = Desk { addresses, actor, now };
        let known = product.vary(variants, stock, &desk)?;
        product.distinguish(draft.options)?;
        Ok(addressed(product.listed(known, None)))
    }

    /// Changes a product as staff say; its new variants come with their first stock.
    pub fn edit(
        self,
        edit: Edit,
        entry: Option<&CatalogueEntry>,
        stock: &Shelf,
        desk: &Desk<'_>,
    ) -> Result<Change<Listing>, Refusal> {
        let slug = edit.slug.map(Slug::from);
        let is_new = slug.as_ref().map(|slug| Address::is_new(slug, self.id, desk.addresses));
        let is_new = is_new.transpose()?.unwrap_or(false);
        let before = self.clone();
        let mut product = Self {
            slug: slug.unwrap_or(self.slug),
            title: edit.title.unwrap_or(self.title),
            description: edit.description.unwrap_or(self.description),
            category: edit.category.unwrap_or(self.category),
            tags: edit.tags.map_or(self.tags, without_repeats),
            images: edit.images.unwrap_or(self.images),
            archived: edit.archived.unwrap_or(self.archived),
            ..self
        };
        let known = product.vary(edit.variants, stock, desk)?;
        product.distinguish(edit.options)?;
        if product == before {
            return Ok(Change::none(Listing { product, stock: stock.clone() }));
        }
        let listed = product.listed(known, entry);
        Ok(if is_new { addressed(listed) } else { listed })
    }

    /// Takes a product off the shelves; what orders were promised of it stays promised.
    pub fn archive(self, entry: Option<CatalogueEntry>) -> Change<Self> {
        if self.archived {
            return Change::none(self);
        }
        let product = Self { archived: true, ..self };
        let (told, entry) =
            (product.told(), entry.map(|it| CatalogueEntry { archived: true, ..it }));
        let change = Change::to(product).telling(&told);
        entry.iter().fold(change, Change::with)
    }

    /// Frees the slugs and SKUs of an archived product, so that others may bear them. Nothing may be
    /// left of its stock. It keeps what is said of it, under a slug of its own, and has no variants.
    pub fn free(
        self,
        addresses: &Addresses,
        stock: &Shelf,
        entry: Option<&CatalogueEntry>,
    ) -> Result<Change<Listing>, Refusal> {
        if !self.archived {
            return Err(Refusal::NotArchived);
        }
        if self.variants.is_empty() {
            return Ok(Change::none(Listing { product: self, stock: stock.clone() }));
        }
        let mut freed = Change::none(Shelf::new());
        for variant in &self.variants {
            let Some(item) = stock.get(variant.sku.as_str()).cloned() else { continue };
            let (on_hand, reserved) = (item.on_hand, item.reserved);
            if on_hand > 0 || reserved > 0 {
                return Err(Refusal::StockLeft { sku: item.sku, on_hand, reserved });
            }
            freed = freed.and(item.retire(None));
        }
        let own = addresses.values().filter(|address| address.product_id == self.id);
        let freed = own.fold(freed, |freed, address| freed.without::<Address>(&address.id()));
        let slug = Slug::told_apart(None, self.id);
        let bare = Self { slug, variants: Vec::new(), ..self };
        Ok(addressed(bare.listed(freed, entry)))
    }

    /// The product as others copy it.
    pub fn told(&self) -> product::State {
        let text =
            |(name, value): (&OptionName, &OptionValue)| (name.to_string(), value.to_string());
        let variant = |variant: &Variant| product::Variant {
            sku: variant.sku.clone(),
            options: variant.options.iter().map(text).collect(),
            price: variant.price.money(),
            off_sale: variant.off_sale,
            former_skus: variant.former_skus.clone(),
        };
        product::State {
            product_id: self.id,
            slug: self.slug.to_string(),
            title: self.title.to_string(),
            variants: self.variants.iter().map(variant).collect(),
            archived: self.archived,
        }
    }

    pub(super) fn listed(
        self,
        known: Change<Shelf>,
        before: Option<&CatalogueEntry>,
    ) -> Change<Listing> {
        let told = self.told();
        let entry = CatalogueEntry::of(&self, &known.value, before);
        let change = known.with(&self).with(&entry).telling_of::<Self, _>(&told);
        change.map(|stock| Listing { product: self, stock })
    }
}

/// The slug leads to the product from now on.
fn addressed(listed: Change<Listing>) -> Change<Listing> {
    let product = &listed.value.product;
    let address = Address::leading(&product.slug, product.id);
    listed.with(&address)
}

fn without_repeats<T: Ord + Clone>(mut items: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(item.clone()));
    items
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::StockItem;
    use crate::domain::histories::{noon, product_id, sku, staff};

    fn price(amount: i64) -> Value {
        json!({"amount": amount, "currency": "EUR"})
    }

    fn mug() -> Draft {
        serde_json::from_value(json!({
            "title": "Enamel mug",
            "description": "Two handles.",
            "category": "kitchen",
            "variants": [
                {"sku": "MUG", "options": {"colour": "blue"}, "price": price(1250), "on_hand": 3},
            ],
        }))
        .unwrap()
    }

    fn created(draft: Draft, addresses: &Addresses) -> Result<Change<Listing>, Refusal> {
        Product::create(product_id(), draft, addresses, &Shelf::new(), staff(), noon())
    }

    fn edited(edit: Value, shelf: &Shelf) -> Result<Change<Listing>, Refusal> {
        let edit = serde_json::from_value(edit).unwrap();
        let mug = created(mug(), &Addresses::new()).unwrap().value.product;
        let desk = Desk { addresses: &Addresses::new(), actor: staff(), now: noon() };
        mug.edit(edit, None, shelf, &desk)
    }

    /// The slug belongs to another product.
    fn taken(slug: &str) -> Addresses {
        let other = format!("prd_{:032x}", 9).parse().unwrap();
        let address = Address::leading(&slug.to_owned().try_into().unwrap(), other);
        [(address.id(), address)].into()
    }

    #[test]
    fn a_new_product_is_told_with_its_stock_and_takes_its_slug() {
        let change = created(mug(), &Addresses::new()).unwrap();

        let product = &change.value.product;
        assert_eq!(
            (product.slug.as_str(), product.description.as_str()),
            ("enamel-mug", "Two handles.")
        );
        assert_eq!(product.options.len(), 1);
        assert_eq!(change.told::<product::State>(), [product.told()]);
        assert_eq!(change.told::<product::Stock>()[0].available, 3);
        let addresses: Vec<_> = change.writes::<Address>().iter().map(Address::id).collect();
        assert_eq!(addresses, ["sku:mug", "slug:enamel-mug"]);
    }

    #[test]
    fn two_products_of_one_title_are_told_apart_unless_the_slug_was_chosen() {
        let slug = Slug::of(&mug().title).map(|slug| slug.try_into().unwrap());
        let named = Draft { slug, ..mug() };

        let apart = created(mug(), &taken("enamel-mug")).unwrap();
        let refused = created(named, &taken("enamel-mug")).unwrap_err();

        assert_eq!(apart.value.product.slug.as_str(), "enamel-mug-000000000001");
        assert!(matches!(refused, Refusal::SlugTaken { .. }));
    }

    #[test]
    fn an_edit_changes_what_it_names_and_a_price_may_become_nothing() {
        let edit = json!({"variants": [{"sku": "MUG", "price": price(0)}], "category": null});

        let product = edited(edit, &Shelf::new()).unwrap().value.product;

        assert_eq!(product.variants[0].price.money().amount, 0);
        assert_eq!(product.variants[0].options.len(), 1);
        assert_eq!((product.category, product.description.as_str()), (None, "Two handles."));
    }

    #[test]
    fn an_edit_that_changes_nothing_says_nothing() {
        assert!(edited(json!({"title": "Enamel mug"}), &Shelf::new()).unwrap().is_none());
    }

    #[test]
    fn a_variant_is_added_with_its_first_stock_under_a_sku_of_its_own() {
        let red = json!({"variants": [{"sku": "RED", "price": price(1), "on_hand": 2}]});
        let other =
            StockItem::begin(sku("RED"), product_id(), 1.try_into().unwrap(), staff(), noon());

        let added = edited(red.clone(), &Shelf::new()).unwrap();
        let refused = edited(red, &[("RED".into(), other.value)].into()).unwrap_err();

        assert_eq!(added.value.product.variants.len(), 2);
        assert_eq!(added.told::<product::Stock>()[0].available, 2);
        assert_eq!(refused, Refusal::SkuTaken { at: 0, sku: sku("RED") });
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let red = json!({"sku": "RED", "price": price(1)});
        for edit in [
            json!({"variants": [{"sku": "RED"}]}),
            json!({"variants": [red, red]}),
            json!({"variants": [{"sku": "MUG", "on_hand": 5}]}),
            json!({"options": ["size"]}),
        ] {
            assert!(edited(edit.clone(), &Shelf::new()).is_err(), "{edit}");
        }
    }
}
