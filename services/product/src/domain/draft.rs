//! What staff send to put a product on sale, or to change one.

use contracts::{ProductId, Sku};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::new_names::{NewSku, NewSlug};
use super::options::{Options, distinct, given_distinct};
use super::words::{Category, Description, Image, OnHand, OptionName, Price, Slug, Tag, Title};

/// How many variants, options, tags and pictures a product has at most.
pub(super) const VARIANTS: usize = 100;
pub(super) const OPTIONS: usize = 10;
const TAGS: usize = 50;
const IMAGES: usize = 20;

/// A product that is to go on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Its name for people.
    pub title: Title,
    /// Its name in URLs; made of the title when not given.
    #[serde(default)]
    #[schema(value_type = Option<Slug>)]
    pub slug: Option<NewSlug>,
    /// What is said about it.
    #[serde(default)]
    pub description: Description,
    /// The shelf it stands on.
    #[serde(default)]
    pub category: Option<Category>,
    /// Words under which it is found.
    #[serde(default, deserialize_with = "at_most::<TAGS, _, _>")]
    #[schema(max_items = 50)]
    pub tags: Vec<Tag>,
    /// Its pictures, the first one first.
    #[serde(default, deserialize_with = "at_most::<IMAGES, _, _>")]
    #[schema(max_items = 20)]
    pub images: Vec<Image>,
    /// What tells its variants apart; gathered from the variants when not given.
    #[serde(default, deserialize_with = "given_at_most::<OPTIONS, _, _>")]
    #[schema(nullable = false, max_items = 10)]
    pub options: Option<Vec<OptionName>>,
    /// What can be bought of it.
    #[serde(deserialize_with = "some_at_most::<VARIANTS, _, _>")]
    #[schema(min_items = 1, max_items = 100)]
    pub variants: Vec<NewVariant>,
}

/// One form in which a product is to be sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariant {
    /// What the warehouse counts; nothing else in the shop bears it.
    pub sku: NewSku,
    /// What tells it from the others.
    #[serde(default, deserialize_with = "distinct")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub options: Options,
    /// What one piece costs.
    pub price: Price,
    /// How many pieces there are; none when not given.
    #[serde(default)]
    pub on_hand: OnHand,
}

/// A change of a product. What is absent stays; a category of null is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Its name for people.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<Title>,
    /// Its name in URLs; the earlier ones go on to lead to it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Slug, nullable = false, required = false)]
    pub slug: Option<NewSlug>,
    /// What is said about it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<Description>,
    /// The shelf it stands on; null takes it off all shelves.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Category>)]
    pub category: Option<Option<Category>>,
    /// Words under which it is found, instead of those it has.
    #[serde(
        default,
        deserialize_with = "given_at_most::<TAGS, _, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, max_items = 50)]
    pub tags: Option<Vec<Tag>>,
    /// Its pictures, instead of those it has.
    #[serde(
        default,
        deserialize_with = "given_at_most::<IMAGES, _, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, max_items = 20)]
    pub images: Option<Vec<Image>>,
    /// What tells its variants apart, instead of what did.
    #[serde(
        default,
        deserialize_with = "given_at_most::<OPTIONS, _, _>",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, max_items = 10)]
    pub options: Option<Vec<OptionName>>,
    /// Variants that change or are added; those that are not named stay as they are.
    #[serde(
        default,
        deserialize_with = "at_most::<VARIANTS, _, _>",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schema(max_items = 100)]
    pub variants: Vec<VariantEdit>,
    /// Whether it is taken off the shelves, or put back.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived: Option<bool>,
}

/// A change of a variant the product has, or one that is added to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantEdit {
    /// Which one.
    pub sku: NewSku,
    /// What tells it from the others, instead of what did.
    #[serde(default, deserialize_with = "given_distinct", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BTreeMap<String, String>, nullable = false, required = false)]
    pub options: Option<Options>,
    /// What one piece costs; a new variant has to have one.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub price: Option<Price>,
    /// How many pieces of a new variant there are; those of others are adjusted instead.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub on_hand: Option<OnHand>,
    /// The SKU that it is to bear instead. Its stock comes along, and carts and orders that name the
    /// former one still mean it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Sku, nullable = false, required = false)]
    pub new_sku: Option<NewSku>,
    /// Whether it can be bought; the other variants stay as they are.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub on_sale: Option<bool>,
}

impl Draft {
    /// The slugs the product may get, the best one first.
    pub fn slugs(&self, id: ProductId) -> Vec<Slug> {
        if let Some(slug) = &self.slug {
            return vec![slug.clone().into()];
        }
        let suggested = Slug::of(&self.title);
        let apart = Slug::told_apart(suggested.as_ref(), id);
        let suggested = suggested.filter(|slug| !slug.is_reserved());
        suggested.into_iter().chain([apart]).collect()
    }
}

impl Edit {
    /// The SKUs that it names.
    pub fn skus(&self) -> Vec<Sku> {
        let named = |variant: &VariantEdit| [Some(variant.sku.clone()), variant.new_sku.clone()];
        self.variants.iter().flat_map(named).flatten().map(Sku::from).collect()
    }
}

impl From<NewVariant> for VariantEdit {
    fn from(new: NewVariant) -> Self {
        let NewVariant { sku, options, price, on_hand } = new;
        let (options, price, on_hand) = (Some(options), Some(price), Some(on_hand));
        Self { sku, options, price, on_hand, new_sku: None, on_sale: None }
    }
}

/// A value that is there: null is not the same as absent.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

fn at_most<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let items = Vec::deserialize(deserializer)?;
    if items.len() <= MOST {
        Ok(items)
    } else {
        Err(D::Error::custom(format_args!("there are at most {MOST}")))
    }
}

fn some_at_most<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let items = at_most::<MOST, D, T>(deserializer)?;
    if items.is_empty() { Err(D::Error::custom("there is at least one")) } else { Ok(items) }
}

fn given_at_most<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    at_most::<MOST, D, T>(deserializer).map(Some)
}
