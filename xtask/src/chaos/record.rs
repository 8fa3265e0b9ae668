//! What shoppers saw: answers by status, how long they took, and errands that were given up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::crowd::Kind;

/// Nothing is waited for longer; what takes longer counts as this.
const LONGEST: Duration = Duration::from_mins(2);

/// Takes down what many see at the same time.
#[derive(Debug, Default)]
pub(crate) struct Record {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: BTreeMap<&'static str, Seen>,
    /// By kind of shopper: how many there were, and how many got what they came for.
    errands: BTreeMap<&'static str, (u64, u64)>,
    given_up: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Seen {
    /// In microseconds, to three digits.
    times: Histogram<u64>,
    answers: BTreeMap<String, u64>,
}

impl Default for Seen {
    fn default() -> Self {
        let longest = u64::try_from(LONGEST.as_micros()).unwrap_or(u64::MAX);
        let times = Histogram::new_with_bounds(1, longest, 3);
        let answers = BTreeMap::new();
        Self { times: times.expect("1 µs to 2 min to three digits"), answers }
    }
}

impl Record {
    /// Somebody asked, and after so long there was this answer.
    pub(crate) fn answered(&self, asked: &'static str, answer: &str, time: Duration) {
        let micros = u64::try_from(time.min(LONGEST).as_micros()).unwrap_or(u64::MAX);
        let mut inner = self.lock();
        let seen = inner.asked.entry(asked).or_default();
        seen.times.saturating_record(micros);
        *seen.answers.entry(answer.to_owned()).or_default() += 1;
    }

    /// A shopper left, with or without what they came for.
    pub(crate) fn left(&self, kind: &'static str, outcome: &anyhow::Result<()>) {
        let mut inner = self.lock();
        let (came, content) = inner.errands.entry(kind).or_default();
        *came += 1;
        *content += u64::from(outcome.is_ok());
        if let Err(reason) = outcome {
            *inner.given_up.entry(reason.to_string()).or_default() += 1;
        }
    }

    /// What a shop did not do at all that works: one in which nobody gets anything breaks no
    /// promise, either. So many orders were paid.
    pub(crate) fn lacks(&self, paid: usize) -> Option<String> {
        let inner = self.lock();
        let buyers = [Kind::Buyer, Kind::Regretter].map(Kind::name);
        let of = buyers.iter().filter_map(|kind| inner.errands.get(kind));
        let (came, content) = of.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        if paid == 0 {
            Some("no order was paid".to_owned())
        } else if came > 0 && content == 0 {
            Some(format!("of {came} who came to buy, nobody got what they came for"))
        } else {
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        writeln!(
            f,
            "{:12} {:>7} {:>7} {:>7} {:>7}  answers",
            "asked", "times", "p50", "p99", "max"
        )?;
        for (asked, Seen { times, answers }) in &inner.asked {
            let quantile = |q| milliseconds(times.value_at_quantile(q));
            let answers: Vec<_> =
                answers.iter().map(|(it, count)| format!("{it}×{count}")).collect();
            let (half, most, max) = (quantile(0.5), quantile(0.99), milliseconds(times.max()));
            let count = times.len();
            writeln!(
                f,
                "{asked:12} {count:>7} {half:>7} {most:>7} {max:>7}  {}",
                answers.join(" ")
            )?;
        }
        writeln!(
            f,
            "(milliseconds of each try)\n\n{:16} {:>6} {:>8}",
            "shoppers", "came", "content"
        )?;
        for (kind, (came, content)) in &inner.errands {
            writeln!(f, "{kind:16} {came:>6} {content:>8}")?;
        }
        if !inner.given_up.is_empty() {
            writeln!(f, "\nwhy shoppers gave up")?;
        }
        inner.given_up.iter().try_for_each(|(why, count)| writeln!(f, "{count:>6} × {why}"))
    }
}

fn milliseconds(micros: u64) -> String {
    format!("{:.1}", Duration::from_micros(micros).as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_status_and_errands_by_what_came_of_them() {
        let record = Record::default();
        record.answered("pay", "201", Duration::from_millis(20));
        record.answered("pay", "201", Duration::from_millis(20));
        record.answered("pay", "none", Duration::from_secs(12));
        record.left("buyer", &Ok(()));
        record.left("buyer", &Err(anyhow::anyhow!("no order")));

        let page = record.to_string();

        assert!(page.contains("201×2 none×1"), "{page}");
        assert!(page.contains("buyer                 2        1"), "{page}");
        assert!(page.contains("1 × no order"), "{page}");
    }

    #[test]
    fn a_shop_that_sells_nothing_is_none_that_keeps_its_promises() {
        let record = Record::default();
        let gave_up = || Err(anyhow::anyhow!("a good card was declined"));
        record.left("waverer", &Ok(()));
        assert!(record.lacks(0).is_some());
        assert_eq!(record.lacks(1), None);

        record.left("buyer", &gave_up());
        record.left("regretter", &gave_up());
        assert!(record.lacks(1).is_some_and(|lacks| lacks.contains("of 2 who came")));

        record.left("regretter", &Ok(()));
        assert_eq!(record.lacks(1), None);
    }
}
