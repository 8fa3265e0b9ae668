//! One asking for a change, as it waits to be decided together with others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use contracts::Timestamp;
use tokio::sync::oneshot;

use super::plan::Plan;
use super::scope::{Saved, Scope};
use super::{Answer, Kept, Receipt, StoreError, UpdateError};
use crate::document::Key;
use crate::{Change, Clock};

/// How far a call means to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A whole change: a receipt of any kind ends it.
    Whole,
    /// The second half of an effect outside: a started receipt is what it waits for.
    Second,
}

/// What became of a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// What it decided (a change or a refusal) stands.
    Stands,
    /// It was done before.
    Before(Kept),
    /// It was not done.
    Failed(UpdateError<()>),
}

/// A call whose types are forgotten, so that calls of all kinds can wait in one queue.
pub(crate) trait Call: Send {
    fn keys(&self) -> Vec<Key>;
    fn receipt(&self) -> &Receipt;
    fn mode(&self) -> Mode;
    /// Decides on what the plan holds and adds to it. `Some` when the call's fate needs no commit.
    fn decide(&mut self, plan: &mut Plan, clock: &Clock) -> Option<Fate>;
    /// Tells the caller.
    fn settle(self: Box<Self>, fate: Fate);
}

/// What a caller hears: the value unless it was done before, and what is said.
pub(crate) struct Outcome<T> {
    pub(crate) value: Option<T>,
    pub(crate) kept: Kept,
}

/// A call with its types.
pub(crate) struct Typed<S, T, R, D, A> {
    pub(crate) scope: S,
    pub(crate) receipt: Receipt,
    pub(crate) mode: Mode,
    pub(crate) decide: D,
    pub(crate) render: A,
    pub(crate) decided: Option<Result<(T, Kept), R>>,
    pub(crate) caller: oneshot::Sender<Result<Outcome<T>, UpdateError<R>>>,
}

impl<S, T, R, D, A> Typed<S, T, R, D, A>
where
    S: Scope,
    D: Fn(S::Things, Timestamp) -> Result<Change<T>, R>,
    A: Fn(&Saved<'_, T>) -> Kept,
{
    /// Lets the domain decide; a panic in it is the caller's trouble, not everybody's.
    fn ask(&self, plan: &Plan, clock: &Clock) -> Result<Result<Change<T>, R>, StoreError> {
        let things = self.scope.read(&plan.view)?;
        let now = clock.now();
        catch_unwind(AssertUnwindSafe(|| (self.decide)(things, now)))
            .map_err(|_| StoreError::Panicked { at: now })
    }

    fn enter(
        &self,
        change: Change<T>,
        plan: &mut Plan,
        clock: &Clock,
    ) -> Result<(T, Kept), StoreError> {
        let value = plan.take(change, self.receipt.cause(), clock)?;
        let kept = (self.render)(&Saved { value: &value, view: &plan.view });
        if let Some(key) = &self.receipt.key {
            plan.keep(key, kept.clone(), clock);
        }
        Ok((value, kept))
    }
}

impl<S, T, R, D, A> Call for Typed<S, T, R, D, A>
where
    S: Scope,
    T: Send,
    R: Send,
    D: Fn(S::Things, Timestamp) -> Result<Change<T>, R> + Send,
    A: Fn(&Saved<'_, T>) -> Kept + Send,
{
    fn keys(&self) -> Vec<Key> {
        self.scope.keys().into_iter().map(|key| key.0).collect()
    }

    fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn decide(&mut self, plan: &mut Plan, clock: &Clock) -> Option<Fate> {
        if !self.scope.holds(&plan.view) {
            return Some(Fate::Failed(UpdateError::Stale));
        }
        let entered = match self.ask(plan, clock) {
            Ok(Ok(change)) => self.enter(change, plan, clock),
            Ok(Err(refusal)) => {
                self.decided = Some(Err(refusal));
                return None;
            }
            Err(error) => Err(error),
        };
        match entered {
            Ok(decided) => {
                self.decided = Some(Ok(decided));
                None
            }
            Err(error) => Some(Fate::Failed(UpdateError::Store(error))),
        }
    }

    fn settle(self: Box<Self>, fate: Fate) {
        let result = match fate {
            Fate::Stands => match self.decided {
                Some(Ok((value, kept))) => Ok(Outcome { value: Some(value), kept }),
                Some(Err(refusal)) => Err(UpdateError::Refused(refusal)),
                None => Err(UpdateError::Store(StoreError::Shut)),
            },
            Fate::Before(kept) => Ok(Outcome { value: None, kept }),
            Fate::Failed(error) => Err(error.without_refusal()),
        };
        // A caller that went away does not want to know.
        let _ = self.caller.send(result);
    }
}

impl UpdateError<()> {
    fn without_refusal<R>(self) -> UpdateError<R> {
        match self {
            // The committer itself never refuses: only a domain does.
            Self::Refused(()) | Self::Busy => UpdateError::Busy,
            Self::KeyReused => UpdateError::KeyReused,
            Self::Stale => UpdateError::Stale,
            Self::Store(error) => UpdateError::Store(error),
        }
    }
}

/// What is kept for a call that has nothing to say.
pub(crate) fn nothing_said<T>(_: &Saved<'_, T>) -> Kept {
    Kept::Answered { answer: Answer::empty(204) }
}
