//! Points and sagas, and who died where.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use common::crash::Point;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use testkit::fleet::Service;

use super::cell::rehearse;
use super::plan::{Cell, Death, Seed};
use super::saga::Saga;
use super::stall::{Passes, Stall, Terms};

/// Where services die that tell again what they told.
const RETELLING: [Point; 9] = [
    Point::Declared,
    Point::FactsRetold,
    Point::StateRetold,
    Point::BeforeCommit,
    Point::AfterCommit,
    Point::BeforePublish,
    Point::AfterPublish,
    Point::BeforeTold,
    Point::AfterTold,
];

/// What is played, in several shops side by side.
pub(super) struct Matrix {
    stalls: Vec<(Terms, Vec<Saga>)>,
    seed: Seed,
    /// How many cells of each saga; all when it is none.
    cells: Option<usize>,
}

/// What came of one saga.
struct Outcome {
    what: String,
    /// Where somebody was to die; nowhere in a rehearsal.
    at: Option<(Point, Saga)>,
    /// Whether somebody did, or what was wrong at the end.
    came: Result<bool, String>,
}

/// What came of all.
pub(super) struct Report(Vec<Outcome>);

impl Matrix {
    /// Some sagas, each with some deaths.
    pub(super) fn sample(mut seed: Seed, (sagas, cells): (usize, usize)) -> Self {
        let sagas: Vec<_> = seed.shuffled(&Saga::chosen()).into_iter().take(sagas).collect();
        let terms = [Terms::AtOnce, Terms::AtShipping, Terms::Hasty];
        let of = |terms| {
            let these = sagas.iter().copied().filter(|saga| saga.terms() == terms);
            (terms, these.collect::<Vec<_>>())
        };
        let stalls = terms.map(of).into_iter().filter(|(_, sagas)| !sagas.is_empty()).collect();
        Self { stalls, seed, cells: Some(cells) }
    }

    /// Every point in every saga that comes by it.
    pub(super) fn whole(seed: Seed) -> Self {
        let of = |terms| {
            let these = Saga::chosen().into_iter().filter(move |saga| saga.terms() == terms);
            these.collect::<Vec<_>>()
        };
        let at_once = of(Terms::AtOnce);
        let parts = at_once.chunks(at_once.len().div_ceil(3).max(1));
        let mut stalls: Vec<_> = parts.map(|part| (Terms::AtOnce, part.to_vec())).collect();
        stalls.extend([Terms::AtShipping, Terms::Hasty].map(|terms| (terms, of(terms))));
        stalls.retain(|(_, sagas)| !sagas.is_empty());
        Self { stalls, seed, cells: None }
    }

    /// Plays it; what is not begun within `enough` is left out.
    pub(super) async fn run(&self, enough: Option<Duration>) -> Report {
        let until = enough.map(|enough| Instant::now() + enough);
        let stalls = self.stalls.iter().enumerate();
        let played = join_all(stalls.map(|(number, (terms, sagas))| {
            self.plays(*terms, sagas, self.seed.beside(number), until)
        }));
        Report(played.await.into_iter().flatten().collect())
    }

    async fn plays(
        &self,
        terms: Terms,
        sagas: &[Saga],
        mut seed: Seed,
        until: Option<Instant>,
    ) -> Vec<Outcome> {
        let stall = Stall::open(terms).await;
        let (mut outcomes, mut number) = (Vec::new(), 0);
        for &saga in sagas {
            number += 1;
            let cells = match caught(Box::pin(cells_of(&stall, saga, number, &mut seed))).await {
                Ok(cells) => cells,
                Err(wrong) => {
                    let what = format!("{saga:?} in which nobody dies");
                    outcomes.push(Outcome { what, at: None, came: Err(wrong) }.said());
                    continue;
                }
            };
            for cell in seed.shuffled(&cells).into_iter().take(self.cells.unwrap_or(usize::MAX)) {
                if until.is_some_and(|until| until < Instant::now()) {
                    return outcomes;
                }
                outcomes.push(self.cell(&stall, &cell, &mut number).await.said());
            }
        }
        outcomes
    }

    /// Plays a cell. In the whole matrix nobody outlives a point that the rehearsal came by: who did
    /// so has a second chance to die, at the first time.
    async fn cell(&self, stall: &Stall, cell: &Cell, number: &mut usize) -> Outcome {
        let mut play = async |cell: &Cell| {
            *number += 1;
            caught(Box::pin(cell.plays(stall, *number))).await
        };
        let mut came = play(cell).await;
        if came == Ok(false) && cell.is_sure && self.cells.is_none() {
            println!("{cell}: was not reached; once more");
            came = match play(&cell.at_first()).await {
                Ok(false) => Err("nobody died, and the rehearsal came by".to_owned()),
                came => came,
            };
        }
        let at = cell.point().map(|point| (point, cell.saga));
        Outcome { what: cell.to_string(), at, came }
    }
}

/// The cells of a saga, by how it goes when nobody dies.
async fn cells_of(stall: &Stall, saga: Saga, number: usize, seed: &mut Seed) -> Vec<Cell> {
    if saga == Saga::Retold {
        return RETELLING.map(|point| retelling(point, seed)).into();
    }
    let passes: Passes = rehearse(stall, saga, number).await;
    Cell::of(saga, &passes, seed)
}

/// What it comes to, or why it panics.
async fn caught<T>(playing: impl Future<Output = T>) -> Result<T, String> {
    let played = AssertUnwindSafe(playing).catch_unwind().await;
    played.map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()))
            .unwrap_or_default()
    })
}

fn retelling(point: Point, seed: &mut Seed) -> Cell {
    // Orders and payments are nobody's copies: what they tell are facts.
    let service = match point {
        Point::StateRetold | Point::BeforeCommit | Point::AfterCommit => Service::Product,
        _ => [Service::Order, Service::Payment, Service::Product][seed.below(3)],
    };
    let deaths = vec![Death { point, nth: 1 }];
    Cell { saga: Saga::Retold, service, deaths, is_sure: false }
}

impl Outcome {
    /// Shows that there is progress.
    fn said(self) -> Self {
        let came = match &self.came {
            Ok(true) => "ended well",
            Ok(false) => "was not reached",
            Err(wrong) => wrong,
        };
        println!("{}: {came}", self.what);
        self
    }
}

impl Report {
    /// What did not end as it should.
    pub(super) fn wrong(&self) -> Vec<String> {
        let wrong = |outcome: &Outcome| {
            outcome.came.as_ref().err().map(|wrong| format!("{}: {wrong}", outcome.what))
        };
        self.0.iter().filter_map(wrong).collect()
    }

    /// How many died.
    pub(super) fn deaths(&self) -> usize {
        self.0.iter().filter(|outcome| outcome.came == Ok(true)).count()
    }

    /// The points at which nobody died.
    pub(super) fn unreached(&self) -> Vec<Point> {
        let reached = self.reached();
        Point::ALL.iter().copied().filter(|point| !reached.contains_key(point)).collect()
    }

    /// In which sagas somebody died at each point.
    fn reached(&self) -> BTreeMap<Point, Vec<Saga>> {
        let mut reached: BTreeMap<Point, Vec<Saga>> = BTreeMap::new();
        let died = self.0.iter().filter(|outcome| outcome.came == Ok(true));
        for (point, saga) in died.filter_map(|outcome| outcome.at) {
            reached.entry(point).or_default().push(saga);
        }
        reached
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (point, sagas) in self.reached() {
            writeln!(f, "{:>20}: {sagas:?}", point.name())?;
        }
        let (all, died, wrong) = (self.0.len(), self.deaths(), self.wrong().len());
        write!(f, "{all} sagas, {died} with a death, {wrong} did not end well")
    }
}
