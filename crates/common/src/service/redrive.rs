//! Going through what is dead, for an operator.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Service;
use super::act::say;
use super::error::RunError;
use crate::bus::{DeadLetter, DeadLetters, RedriveError};
use crate::config::Redrive;

/// How long it waits for letters that another redrive has taken.
const ELSEWHERE: Duration = Duration::from_secs(5);
/// Between two looks whether they are back.
const PAUSE: Duration = Duration::from_millis(100);

/// What came of the letters that were asked for.
#[derive(Default)]
struct Tally {
    listed: usize,
    handled: usize,
    failed: usize,
}

impl Service {
    /// Lists the dead letters that are asked for, or handles them anew and tells what comes of it.
    pub(super) async fn redrive(&self, wanted: &Redrive) -> Result<(), RunError> {
        let mut letters = self.bus.dead_letters(&self.plan.subscriptions).await?;
        let unknown = wanted.consumer.as_deref().filter(|consumer| !letters.has(consumer));
        let (mut tally, began) = (Tally::default(), Instant::now());
        let published = wanted.handles().then(|| self.publish());
        loop {
            let page = letters.take().await?;
            // Those that the automatic redrive looks at are back in a moment.
            let elsewhere = page.is_empty() && letters.taken_elsewhere().await? > 0;
            if elsewhere && began.elapsed() < ELSEWHERE {
                sleep(PAUSE).await;
                continue;
            }
            if page.is_empty() {
                break;
            }
            for letter in page {
                tally.see(&mut letters, letter, wanted).await;
            }
        }
        let elsewhere = letters.put_back().await?;
        if let Some(published) = published {
            self.published(published).await?;
        }
        Ok(tally.outcome(wanted, unknown, elsewhere)?)
    }
}

impl Tally {
    /// Does with a letter what is asked for.
    async fn see(&mut self, letters: &mut DeadLetters, letter: DeadLetter, wanted: &Redrive) {
        if !wanted.is(&letter) {
            return letters.keep(letter);
        }
        let line = letter.to_string();
        if !wanted.handles() {
            self.listed += 1;
            say(&line);
            return letters.keep(letter);
        }
        match letters.redrive(letter).await {
            Ok(()) => {
                self.handled += 1;
                say(&format!("handled: {line}"));
            }
            Err(error) => {
                self.failed += 1;
                say(&format!("failed: {line}; now: {error}"));
            }
        }
    }

    /// Says what came of it; errs when that is not what was asked for.
    fn outcome(
        &self,
        wanted: &Redrive,
        unknown: Option<&str>,
        elsewhere: usize,
    ) -> Result<(), RedriveError> {
        let Self { listed, handled, failed } = *self;
        let found = listed + handled + failed > 0;
        match (wanted.id, unknown) {
            _ if failed > 0 => return Err(RedriveError::StillDead(failed)),
            (Some(_), _) if !found && elsewhere > 0 => return Err(RedriveError::Held(elsewhere)),
            (Some(id), _) if !found => return Err(RedriveError::NotDead(id)),
            (None, Some(name)) if !found => return Err(RedriveError::Unknown(name.to_owned())),
            _ if wanted.handles() => say(&format!("{handled} handled")),
            _ => say(&format!("{listed} dead")),
        }
        if elsewhere > 0 {
            say(&format!(
                "besides, {elsewhere} that another redrive holds, or did within two minutes"
            ));
        }
        Ok(())
    }
}

impl Redrive {
    /// Whether letters are handled, not only listed.
    fn handles(&self) -> bool {
        self.all || self.id.is_some()
    }

    /// Whether a letter is one of those that are asked for.
    fn is(&self, letter: &DeadLetter) -> bool {
        self.consumer.as_ref().is_none_or(|consumer| *consumer == letter.consumer)
            && self.id.is_none_or(|id| letter.id == Some(id))
    }
}
