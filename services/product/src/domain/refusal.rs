//! Why staff cannot do what they asked for.

use contracts::Sku;

use super::words::{OptionName, Slug};

/// Why a product or its stock stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such product.
    #[error("there is no such product")]
    NoProduct,
    /// Another product bears the slug.
    #[error("another product is called {slug} in URLs")]
    SlugTaken {
        /// The slug.
        slug: Slug,
    },
    /// Something else is counted under the SKU.
    #[error("{sku} is the SKU of something else")]
    SkuTaken {
        /// Which of the variants that were sent, from 0.
        at: usize,
        /// The SKU.
        sku: Sku,
    },
    /// Two variants bear the same SKU.
    #[error("{sku} is the SKU of two variants")]
    SkuTwice {
        /// Which of the variants that were sent, from 0.
        at: usize,
        /// The SKU.
        sku: Sku,
    },
    /// A variant is to change that the product does not have.
    #[error("{sku} is none of the product's variants, so its SKU cannot change")]
    NotThere {
        /// Which of the variants that were sent, from 0.
        at: usize,
        /// The SKU.
        sku: Sku,
    },
    /// Two variants on sale have the same options.
    #[error("{sku} and {other} have the same options: variants of a product differ in them")]
    SameOptions {
        /// Which of the variants that were sent, from 0.
        at: usize,
        /// Its SKU.
        sku: Sku,
        /// The SKU of the other one.
        other: Sku,
    },
    /// A product that shoppers see has something to buy.
    #[error("a product that is not archived has a variant")]
    NoVariants,
    /// Names are freed of archived products only.
    #[error("the product is not archived, so its names are in use")]
    NotArchived,
    /// Pieces are left under a SKU that is to be freed.
    #[error("{on_hand} pieces of {sku} are left, {reserved} of them promised to orders")]
    StockLeft {
        /// The SKU.
        sku: Sku,
        /// Pieces in the house, promised ones included.
        on_hand: u32,
        /// Pieces promised to orders.
        reserved: u32,
    },
    /// A variant has an option that the product does not have.
    #[error("{name} is none of the product's options")]
    NoOption {
        /// The SKU of the variant.
        sku: Sku,
        /// The option.
        name: OptionName,
    },
    /// A new variant has no price.
    #[error("a new variant needs a price")]
    NoPrice {
        /// Which of the variants that were sent, from 0.
        at: usize,
    },
    /// The stock of a variant that is there already cannot be set with an edit.
    #[error("{sku} is there already: adjust its stock instead")]
    NotInitial {
        /// Which of the variants that were sent, from 0.
        at: usize,
        /// The SKU.
        sku: Sku,
    },
    /// A product has a bounded number of variants and options.
    #[error("a product has at most {most} {what}")]
    TooLong {
        /// What there would be too many of.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// The product has no such variant.
    #[error("{sku} is none of the product's variants")]
    NoVariant {
        /// The SKU.
        sku: Sku,
    },
    /// Fewer pieces are available than are to go.
    #[error("only {available} pieces are available")]
    TooFew {
        /// How many are.
        available: u32,
    },
    /// More pieces would be there than are counted.
    #[error("with {on_hand} pieces there, so many more are not counted")]
    TooMany {
        /// How many there are.
        on_hand: u32,
    },
}
