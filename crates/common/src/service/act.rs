//! What a process can be started for instead of serving.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Service;
use super::error::RunError;
use crate::config::{Act, Replay};

/// Between two looks whether all is told.
const PAUSE: Duration = Duration::from_millis(100);

impl Service {
    /// Declares, and does what is asked for.
    pub(super) async fn act(mut self) -> Result<(), RunError> {
        #[cfg(debug_assertions)]
        crate::crash::arm(self.config.crash_at);
        Box::pin(self.memory.declare(&self.bus, &self.plan.subscriptions)).await?;
        self.memory.note_declared().await?;
        info!("streams and consumers declared");
        match self.config.act.take() {
            Some(Act::Replay(replay)) => self.replay(replay).await,
            Some(Act::Redrive(redrive)) => Box::pin(self.redrive(&redrive)).await,
            None => Ok(()),
        }
    }

    async fn replay(&self, replay: Replay) -> Result<(), RunError> {
        let published = self.publish();
        if let Some(since) = replay.since {
            let mut replay = self.store.replay_facts(self.clock().now().minus(since)).await?;
            let mut facts = 0;
            loop {
                let page = replay.next_page(&self.store).await?;
                if page == 0 {
                    break;
                }
                facts += page;
                self.none_unpublished().await?;
            }
            say(&format!("{facts} facts are told again"));
        }
        if replay.state {
            let mut states = 0;
            for retell in &self.plan.retellers {
                states += retell(self.store(), self.bus()).await?;
            }
            say(&format!("{states} states are told again"));
        }
        self.published(published).await
    }

    /// Publishes from now on what is committed and, unless another replica does it, what is left
    /// unpublished.
    pub(super) fn publish(&self) -> CancellationToken {
        let published = CancellationToken::new();
        if let Some(relay) = self.store.relay(self.bus()) {
            self.life.telling.spawn("relay", relay.run(published.clone()));
        }
        let recovery = self.recovery(published.clone()).run(self.store(), published.clone());
        self.life.telling.spawn("outbox", recovery);
        published
    }

    /// Publishes what is left of what was there when it began, and ends the publishing.
    pub(super) async fn published(&self, published: CancellationToken) -> Result<(), RunError> {
        self.none_unpublished().await?;
        published.cancel();
        self.life.telling.ended().await;
        Ok(())
    }

    /// Waits until nothing is unpublished of what was there when it began.
    async fn none_unpublished(&self) -> Result<(), RunError> {
        let began = self.clock().now();
        while self
            .store
            .outbox_age()
            .await?
            .is_some_and(|age| self.clock().now().minus(age) <= began)
        {
            sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// Says it to the operator who waits for it.
#[expect(clippy::print_stdout, reason = "this is what was asked for")]
pub(super) fn say(what: &str) {
    println!("{what}");
}
