//! The double-entry ledger of money: it balances, and says what became of attempts and refunds.

use std::collections::BTreeMap;

use contracts::{Currency, Money, PaymentId};
use mongodb::bson::doc;

use super::Shop;
use crate::Error;
use crate::findings::Findings;
use crate::merge::least;
use crate::report::Rule;
use crate::rows::{Rows, only};
use crate::shapes::{Account, DisputeState, Entry, Payment, RefundState};

/// What is on each account.
type Balances = BTreeMap<(Account, Currency), i64>;

/// What the shop owes to those who paid, by currency, less what another amount than was asked for
/// brought: of that orders do not know.
pub(super) type Owed = BTreeMap<Currency, i64>;

pub(super) async fn check(shop: &Shop<'_>, out: &mut Findings) -> Result<Owed, Error> {
    let payment = &shop.views.payment;
    let mut payments: Rows<Payment> = payment.by_id("payments", &Payment::FIELDS).await?;
    let by_payment = vec![
        only(&["payment_id", "account", "amount"]),
        doc! { "$sort": { "payment_id": 1, "_id": 1 } },
    ];
    let mut entries: Rows<Entry> = payment.rows("ledger", by_payment).await?;
    let (mut owed, mut whole) = (Owed::new(), Owed::new());
    while let Some(id) = least([payments.key().await?, entries.key().await?]) {
        let said = payments.at(&id).await?;
        let entered = entries.all_at(&id).await?;
        balance(id, &entered, &mut whole, out);
        let balances = balances(&entered);
        if said.as_ref().map(expected).unwrap_or_default() != balances {
            let says = format!(
                "the ledger has {}, and the payment comes to {}",
                words(&balances),
                words(&said.as_ref().map(expected).unwrap_or_default())
            );
            out.add(Rule::LedgerDiffers, [id], says);
        }
        owe(&balances, said.as_ref(), &mut owed);
    }
    if let Some((currency, sum)) = whole.into_iter().find(|(_, sum)| *sum != 0) {
        let says = format!("the whole ledger comes to {}", Money::new(sum, currency));
        out.add(Rule::LedgerBalance, ["ledger"], says);
    }
    out.checked("payments", payments.count());
    out.checked("ledger entries", entries.count());
    Ok(owed)
}

/// Every movement has two halves that sum to nothing.
fn balance(payment: PaymentId, entries: &[Entry], whole: &mut Owed, out: &mut Findings) {
    let mut movements = BTreeMap::<(&str, Currency), i64>::new();
    for Entry { id, amount: Money { amount, currency }, .. } in entries {
        let movement = id.rsplit_once(':').map_or(id.as_str(), |(movement, _)| movement);
        *movements.entry((movement, *currency)).or_default() += amount;
        *whole.entry(*currency).or_default() += amount;
    }
    for ((movement, currency), sum) in movements.into_iter().filter(|(_, sum)| *sum != 0) {
        let says = format!("the halves of {movement} come to {}", Money::new(sum, currency));
        out.add(Rule::LedgerBalance, [payment], says);
    }
}

fn balances(entries: &[Entry]) -> Balances {
    let mut balances = Balances::new();
    for Entry { account, amount, .. } in entries {
        *balances.entry((*account, amount.currency)).or_default() += amount.amount;
    }
    balances.retain(|_, sum| *sum != 0);
    balances
}

/// What a payment's own words come to.
fn expected(payment: &Payment) -> Balances {
    use Account::{CustomerFunds, Disputed, Losses, ProviderClearing};

    let mut balances = Balances::new();
    let mut enter = |from: Account, to: Account, Money { amount, currency }: Money| {
        *balances.entry((from, currency)).or_default() -= amount;
        *balances.entry((to, currency)).or_default() += amount;
    };
    for attempt in &payment.attempts {
        if let Some(came) = attempt.came() {
            enter(CustomerFunds, ProviderClearing, came);
        }
        for dispute in attempt.disputes() {
            match dispute.state {
                DisputeState::Opened => enter(ProviderClearing, Disputed, dispute.amount),
                DisputeState::Lost => enter(ProviderClearing, Losses, dispute.amount),
                DisputeState::Won => {}
            }
        }
    }
    for refund in payment.refunds.iter().filter(|refund| refund.state == RefundState::Done) {
        enter(ProviderClearing, CustomerFunds, refund.amount);
    }
    balances.retain(|_, sum| *sum != 0);
    balances
}

fn owe(balances: &Balances, payment: Option<&Payment>, owed: &mut Owed) {
    for ((account, currency), sum) in balances {
        if *account == Account::CustomerFunds {
            *owed.entry(*currency).or_default() -= sum;
        }
    }
    for attempt in payment.iter().flat_map(|payment| &payment.attempts) {
        let paid = attempt.state == crate::shapes::AttemptState::Captured;
        if let (Some(came), Some(payment), false) = (attempt.came(), payment, paid) {
            let back = payment.back(attempt.id, &[RefundState::Done]);
            *owed.entry(came.currency).or_default() -= came.amount - back;
        }
    }
}

fn words(balances: &Balances) -> String {
    let word = |((account, currency), sum): (&(Account, Currency), &i64)| {
        format!("{} on {}", Money::new(*sum, *currency), account.name())
    };
    let words: Vec<_> = balances.iter().map(word).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

impl Account {
    fn name(self) -> &'static str {
        match self {
            Self::ProviderClearing => "provider_clearing",
            Self::CustomerFunds => "customer_funds",
            Self::Disputed => "disputed",
            Self::Losses => "losses",
        }
    }
}
