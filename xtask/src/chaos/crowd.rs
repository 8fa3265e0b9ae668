//! Who comes to the shop, and what for.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::dice::Dice;
use super::person::{Person, Street};
use super::visitor::Visitor;

/// Nobody stays longer.
const CLOSING: Duration = Duration::from_mins(4);

/// A kind of shopper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Buys, and gets the goods.
    Buyer,
    /// Is declined, and pays with another card.
    Declined,
    /// Gives the order up before paying.
    Waverer,
    /// Gives the order up after paying.
    Regretter,
    /// Never pays.
    Abandoner,
    /// Pays at the last moment, or after it.
    Late,
    /// Pays in a way that goes wrong at the provider.
    Unlucky,
    /// Gets the goods, and sends some back.
    Returner,
    /// Gets money back for a piece that is not sent.
    Refunded,
    /// Comes as a guest, and registers with something in the cart.
    Registrar,
    /// Has an account, and remembers it after the checkout.
    Regular,
    /// Sends everything twice.
    Repeater,
    /// Wants what hardly any is left of.
    Hunter,
}

impl Kind {
    /// Each as often as it is likely.
    const LIKELY: [Self; 20] = [
        Self::Buyer,
        Self::Buyer,
        Self::Buyer,
        Self::Declined,
        Self::Waverer,
        Self::Regretter,
        Self::Regretter,
        Self::Abandoner,
        Self::Late,
        Self::Late,
        Self::Unlucky,
        Self::Unlucky,
        Self::Returner,
        Self::Refunded,
        Self::Registrar,
        Self::Regular,
        Self::Repeater,
        Self::Repeater,
        Self::Hunter,
        Self::Hunter,
    ];

    /// Who comes as this visitor.
    pub(crate) fn of(dice: &mut Dice) -> Self {
        dice.pick(&Self::LIKELY)
    }

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Declined => "declined",
            Self::Waverer => "waverer",
            Self::Regretter => "regretter",
            Self::Abandoner => "abandoner",
            Self::Late => "late payer",
            Self::Unlucky => "unlucky payer",
            Self::Returner => "returner",
            Self::Refunded => "refunded",
            Self::Registrar => "registrar",
            Self::Regular => "regular",
            Self::Repeater => "repeater",
            Self::Hunter => "hunter",
        }
    }
}

/// Lets so many come each second for so long, however slow the shop is, and waits until all left.
pub(crate) async fn arrive(
    street: &Arc<Street>,
    staff: &Arc<Person>,
    (seed, rate): (u64, u32),
    (begin, length): (Instant, Duration),
) -> anyhow::Result<()> {
    let mut here = JoinSet::new();
    for number in 0..u32::try_from(length.as_millis())? * rate / 1000 {
        sleep_until(begin + Duration::from_secs(1) * number / rate).await;
        let mut dice = Dice::of(seed, &format!("visitor {number}"));
        let kind = Kind::of(&mut dice);
        let (street, staff) = (Arc::clone(street), Arc::clone(staff));
        here.spawn(async move {
            let visit = Visitor::visits(&street, &staff, kind, (seed, number), dice);
            let visited = timeout(CLOSING, visit).await;
            let visited = visited.unwrap_or_else(|_| Err(anyhow::anyhow!("the shop closed")));
            street.record.left(kind.name(), &visited);
        });
    }
    while let Some(left) = here.join_next().await {
        left?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn in_ten_minutes_all_kinds_come() {
        let kind = |number| Kind::of(&mut Dice::of(7, &format!("visitor {number}"))).name();

        let kinds: BTreeSet<_> = (0..3000).map(kind).collect();

        assert_eq!(
            kinds.len(),
            Kind::LIKELY.iter().map(|kind| kind.name()).collect::<BTreeSet<_>>().len()
        );
    }
}
