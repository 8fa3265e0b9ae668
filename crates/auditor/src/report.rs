//! What came of an audit.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

/// What came of an audit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub(crate) checked: BTreeMap<&'static str, u64>,
    pub(crate) violations: Vec<Violation>,
    /// How many more there are of those that are too many to name each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unnamed: BTreeMap<Rule, u64>,
    /// All violations, those that are not named, too.
    #[serde(skip)]
    pub(crate) marks: HashSet<Mark>,
}

/// Tells a violation from others, in little memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark(u64);

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which one.
    pub rule: Rule,
    /// What it is about. No one's name, address or token is among them.
    pub ids: Vec<String>,
    /// What is wrong.
    pub says: String,
}

/// What has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The counters of a SKU are those that its ledger comes to.
    StockLedger,
    /// What is set aside of a SKU is what live reservations hold, and no more than there is.
    StockReserved,
    /// What the ledger moved for an order is what its reservation says.
    StockOfOrder,
    /// A paid order has its goods sold to it once, and no other order has.
    SoldOnce,
    /// An order that came to nothing holds no goods.
    LiveReservation,
    /// An order that waits for its money has its goods set aside.
    GoodsMissing,
    /// An order that came to its end, or to nothing, has no open attempt to pay.
    OpenAttempt,
    /// Open attempts and refunds are asked about, and orders whose time is up are seen to.
    Hanging,
    /// Goods and money are those of an order that there is.
    UnknownOrder,
    /// A paid order has its money.
    Unpaid,
    /// An order is paid once.
    PaidTwice,
    /// No more goes back than came.
    RefundedTooMuch,
    /// Money of an order that came to nothing goes back.
    MoneyKept,
    /// What order knows of its money is what payment says.
    MoneyDiffers,
    /// Both halves of every movement of money sum to nothing.
    LedgerBalance,
    /// The ledger of a payment says what became of its attempts and refunds.
    LedgerDiffers,
    /// What the ledger owes is what all orders say that they were paid.
    MoneyInSum,
    /// What was told is in its stream.
    MessageLost,
    /// Every event of an aggregate was told.
    SequenceGap,
    /// No two events of an aggregate bear the same number.
    SequenceTwice,
    /// No event bears a number that its aggregate has not counted to.
    SequenceBeyond,
    /// The last state that was told is the newest.
    StateStale,
    /// Every copy is there.
    CopyMissing,
    /// Every copy is what its source says.
    CopyDiffers,
    /// Every checkout became an order.
    CheckoutLost,
    /// What was committed is told in time.
    OutboxLate,
    /// Nothing was given up that a person has to look at.
    DeadLetter,
    /// Every notice of a provider could be applied.
    WebhookPutAside,
    /// Every mail was sent.
    MailStuck,
    /// Every request that moves money has its outcome.
    ReceiptStarted,
    /// Everything that was told was heard.
    ConsumerLag,
}

impl Rule {
    /// Everything that has to hold.
    pub const ALL: [Self; 31] = [
        Self::StockLedger,
        Self::StockReserved,
        Self::StockOfOrder,
        Self::SoldOnce,
        Self::LiveReservation,
        Self::GoodsMissing,
        Self::OpenAttempt,
        Self::Hanging,
        Self::UnknownOrder,
        Self::Unpaid,
        Self::PaidTwice,
        Self::RefundedTooMuch,
        Self::MoneyKept,
        Self::MoneyDiffers,
        Self::LedgerBalance,
        Self::LedgerDiffers,
        Self::MoneyInSum,
        Self::MessageLost,
        Self::SequenceGap,
        Self::SequenceTwice,
        Self::SequenceBeyond,
        Self::StateStale,
        Self::CopyMissing,
        Self::CopyDiffers,
        Self::CheckoutLost,
        Self::OutboxLate,
        Self::DeadLetter,
        Self::WebhookPutAside,
        Self::MailStuck,
        Self::ReceiptStarted,
        Self::ConsumerLag,
    ];
}

impl Report {
    /// What does not hold.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Whether everything holds.
    pub fn is_content(&self) -> bool {
        self.violations.is_empty()
    }

    /// How many things of each kind were looked at.
    pub fn checked(&self) -> &BTreeMap<&'static str, u64> {
        &self.checked
    }
}

impl Mark {
    /// That of a violation of this rule, about these.
    pub(crate) fn of(rule: Rule, ids: &[String]) -> Self {
        let mut hasher = DefaultHasher::new();
        (rule, ids).hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Violation { rule, ids, says } in &self.violations {
            writeln!(f, "{rule}: {says} [{}]", ids.join(" "))?;
        }
        for (rule, more) in &self.unnamed {
            writeln!(f, "{rule}: and {more} more")?;
        }
        let checked: Vec<_> =
            self.checked.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let verdict = if self.is_content() { "everything holds" } else { "not everything holds" };
        write!(f, "{verdict}; looked at {}", checked.join(", "))
    }
}
