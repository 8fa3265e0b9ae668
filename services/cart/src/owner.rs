//! Who shops: by the time they are known, what they had as a guest is in their cart.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use common::http::Problem;
use common::identity::Shopper;
use common::store::Cause;
use contracts::auth::Role;
use contracts::{Timestamp, UserId};
use tracing::warn;

use crate::domain::{Cart, Refusal};
use crate::store::Carts;

/// Anyone who is signed in, guests included. Whoever was a guest a moment ago has both carts in
/// one, whether or not cart has heard of it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Whose cart it is.
    pub(crate) id: UserId,
    /// Whether they are a guest, whose cart ends with them.
    is_guest: bool,
}

impl Owner {
    /// Their cart, which they change now; refused when it is closed.
    pub(crate) fn touches(self, cart: Option<Cart>, now: Timestamp) -> Result<Cart, Refusal> {
        let cart = cart.unwrap_or_else(|| Cart::empty(self.id)).in_use()?;
        Ok(Cart { of_guest: self.is_guest, ..cart.touched(now) })
    }
}

impl FromRequestParts<Carts> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, carts: &Carts) -> Result<Self, Problem> {
        let shopper =
            <Shopper as FromRequestParts<Carts>>::from_request_parts(parts, carts).await?;
        if let Some(guest) = shopper.merged_from {
            let cause = Cause::from_request_parts(parts, carts).await?;
            // It is not to keep them from shopping: the event comes as well.
            if let Err(error) = carts.merge(guest, shopper.id, cause).await {
                warn!(user.id = %shopper.id, %error, "a guest's cart could not be merged");
            }
        }
        Ok(Self { id: shopper.id, is_guest: shopper.role == Role::Guest })
    }
}
