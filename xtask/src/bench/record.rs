//! What was measured: how long each step took, and what went wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::page::Table;

/// Nothing is waited for longer; what takes longer counts as this.
const LONGEST: Duration = Duration::from_mins(2);

/// Takes down what many measure at the same time.
#[derive(Debug, Default)]
pub(crate) struct Record {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// In microseconds, to three digits.
    times: BTreeMap<&'static str, Histogram<u64>>,
    troubles: BTreeMap<String, u64>,
}

/// How long a step took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantiles {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Record {
    /// A step took so long.
    pub(crate) fn took(&self, step: &'static str, time: Duration) {
        let micros = u64::try_from(time.min(LONGEST).as_micros()).unwrap_or(u64::MAX);
        self.lock().times.entry(step).or_insert_with(empty).saturating_record(micros);
    }

    /// Something went otherwise than it should.
    pub(crate) fn trouble(&self, what: impl Into<String>) {
        *self.lock().troubles.entry(what.into()).or_default() += 1;
    }

    /// How many went wrong.
    pub(crate) fn troubles(&self) -> u64 {
        self.lock().troubles.values().sum()
    }

    /// How long a step took, for half, for 99 of 100 and at most.
    pub(crate) fn quantiles(&self, step: &str) -> Quantiles {
        let inner = self.lock();
        let Some(times) = inner.times.get(step) else { return Quantiles::default() };
        let [p50, p99, max] =
            [times.value_at_quantile(0.5), times.value_at_quantile(0.99), times.max()]
                .map(Duration::from_micros);
        Quantiles { p50, p99, max }
    }

    /// The times of these steps, in this order, in milliseconds.
    pub(crate) fn table(&self, title: &'static str, steps: &[(&'static str, &str)]) -> Table {
        let inner = self.lock();
        let row = |(step, means): &(&'static str, &str)| {
            let times = inner.times.get(step)?;
            let ms = |micros: u64| milliseconds(Duration::from_micros(micros));
            let quantile = |q| ms(times.value_at_quantile(q));
            Some(vec![
                (*step).to_owned(),
                (*means).to_owned(),
                times.len().to_string(),
                quantile(0.5),
                quantile(0.9),
                quantile(0.99),
                ms(times.max()),
            ])
        };
        let columns = ["step", "from … to", "count", "p50 ms", "p90 ms", "p99 ms", "max ms"];
        Table { title, columns: columns.to_vec(), rows: steps.iter().filter_map(row).collect() }
    }

    /// What went wrong, and how often.
    pub(crate) fn table_of_troubles(&self) -> Table {
        let inner = self.lock();
        let row = |(what, times): (&String, &u64)| vec![what.clone(), times.to_string()];
        let rows = inner.troubles.iter().map(row).collect();
        Table { title: "What went wrong", columns: vec!["what", "how often"], rows }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty() -> Histogram<u64> {
    let longest = u64::try_from(LONGEST.as_micros()).unwrap_or(u64::MAX);
    Histogram::new_with_bounds(1, longest, 3).expect("1 µs to 2 min to three digits")
}

/// As it stands in a table.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_the_99th_is_told_from_the_last() {
        let record = Record::default();
        for number in 1..=100 {
            record.took("pay", Duration::from_millis(number));
        }

        let table = record.table("Steps", &[("pay", "asked … answered"), ("never", "")]);

        let cells: Vec<_> = table.rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(cells, ["pay asked … answered 100 50.0 90.0 99.0 100.0"]);
    }
}
