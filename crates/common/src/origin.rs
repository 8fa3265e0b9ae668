//! Who a task works for: a request of a client, or the service itself.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

tokio::task_local! {
    static REQUEST: RequestOrigin;
}

/// Completes when the client of the request that the running task answers hung up and the request
/// may be given up; never for a change, nor in the service's own tasks.
pub async fn given_up() {
    match RequestOrigin::current() {
        Some(request) => request.abandoned().await,
        None => pending().await,
    }
}

/// The request that the running task answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestOrigin {
    /// Cancelled when the client hung up, where nothing is lost by answering it no more.
    abandoned: CancellationToken,
    has_read: Arc<AtomicBool>,
}

impl RequestOrigin {
    /// A request that may be given up once `abandoned` is cancelled and nothing was begun for it.
    pub(crate) fn new(abandoned: CancellationToken) -> Self {
        Self { abandoned, has_read: Arc::default() }
    }

    /// The request that the running task answers; `None` in the service's own tasks.
    pub(crate) fn current() -> Option<Self> {
        REQUEST.try_with(Clone::clone).ok()
    }

    /// Runs `work` for this request.
    pub(crate) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        REQUEST.scope(self, work).await
    }

    /// Completes when the client hung up and the request may be given up.
    pub(crate) async fn abandoned(&self) {
        self.abandoned.cancelled().await;
    }

    /// Whether this is the first database read of the request.
    pub(crate) fn begins_to_read(&self) -> bool {
        !self.has_read.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn request_is_given_up_when_its_client_hangs_up() {
        let hung_up = CancellationToken::new();
        let request = RequestOrigin::new(hung_up.clone());
        let waits = async || tokio::time::timeout(std::time::Duration::ZERO, given_up()).await;

        assert!(request.clone().scope(waits()).await.is_err());
        hung_up.cancel();
        assert!(request.scope(waits()).await.is_ok());
        assert!(waits().await.is_err(), "the service's own task is no request's");
    }
}
