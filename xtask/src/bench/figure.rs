//! The figures that a run comes down to, and how far each is from its limit.

use super::page::Table;

/// What a bare router answers each second.
pub(crate) const HTTP: &str = "bare axum: answers";
/// What the raw driver finds by id each second.
pub(crate) const FINDS: &str = "raw driver: find by id";
/// What the raw driver replaces each second, one by one and safely.
pub(crate) const REPLACES: &str = "raw driver: replace, majority";
/// How many times the raw driver writes all that a purchase writes in one transaction.
pub(crate) const PURCHASES_AT_ONCE: &str = "raw driver: a purchase in one transaction";
/// How many times the raw driver writes it with a transaction for each step, as services do.
pub(crate) const PURCHASES_BY_STEP: &str = "raw driver: a purchase, a transaction for each step";
/// The same, by turns with the shop.
pub(crate) const PURCHASES_IN_TURN: &str = "raw driver: the same steps, by turns with the shop";
/// How many messages the broker acknowledges when 64 are under way.
pub(crate) const PUBLISHES: &str = "raw JetStream: acknowledged, 64 in flight";
/// How many passwords are hashed each second on the threads that auth has.
pub(crate) const HASHES: &str = "raw argon2id: hashes";

/// One number that a measurement comes down to.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The figure that it cannot be much better than.
    pub(crate) limit: Option<&'static str>,
}

impl Figure {
    /// So many each second, against this limit.
    pub(crate) fn rate(what: &'static str, value: f64, limit: Option<&'static str>) -> Self {
        Self { what, value, unit: "/s", limit }
    }

    /// A number of something.
    pub(crate) fn of(what: &'static str, value: f64, unit: &'static str) -> Self {
        Self { what, value, unit, limit: None }
    }
}

/// All figures, each against its limit where that was measured, too.
pub(crate) fn table(figures: &[Figure]) -> Table {
    let row = |figure: &Figure| {
        let limit = figure.limit.and_then(|name| figures.iter().find(|it| it.what == name));
        let ratio = limit.filter(|limit| limit.value > 0.0);
        let ratio = ratio.map(|limit| format!("{:.2}", figure.value / limit.value));
        vec![
            figure.what.to_owned(),
            format!("{} {}", number(figure.value), figure.unit),
            limit.map(|limit| limit.what.to_owned()).unwrap_or_default(),
            ratio.unwrap_or_default(),
        ]
    };
    let columns = vec!["what", "figure", "limit", "ratio to it"];
    Table { title: "Figures", columns, rows: figures.iter().map(row).collect() }
}

/// How a sentence says whether a target is met.
pub(crate) const fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

/// As it stands in a table: three digits or more.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_beside_its_limit_where_that_was_measured() {
        let figures = [
            Figure::rate(HTTP, 8000.0, None),
            Figure::rate("products by id", 2000.0, Some(HTTP)),
            Figure::rate("orders by id", 20.0, Some(FINDS)),
        ];

        let table = table(&figures);

        let cells: Vec<_> = table.rows.iter().map(|row| row.join("|")).collect();
        let beside = format!("products by id|2000 /s|{HTTP}|0.25");
        assert_eq!(cells, [format!("{HTTP}|8000 /s||"), beside, "orders by id|20.0 /s||".into()]);
    }
}
