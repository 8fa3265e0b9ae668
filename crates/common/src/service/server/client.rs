//! The other end of a connection, which may not take what it is sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::http::links::Link;

/// A client that takes nothing for so long while the service stops is left.
const LINGER: Duration = Duration::from_secs(3);
/// How long the head of a request may take once it began.
const HEAD: Duration = Duration::from_secs(10);

type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A client. One that stops reading, or that never ends the head of a request, holds up only
/// itself, and no stop.
pub(super) struct Client {
    stream: TcpStream,
    link: Arc<Link>,
    /// How long it may take nothing of what is sent.
    patience: Duration,
    stopping: CancellationToken,
    /// Runs while it does not take what is sent.
    stalled: Option<Timer>,
    /// Runs from the first byte of a request's head to its last.
    head: Option<Timer>,
}

impl Client {
    pub(super) const fn new(
        stream: TcpStream,
        link: Arc<Link>,
        patience: Duration,
        stopping: CancellationToken,
    ) -> Self {
        Self { stream, link, patience, stopping, stalled: None, head: None }
    }

    /// What became of sending, unless it takes too long.
    fn within<T>(
        &mut self,
        context: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            if self.stalled.take().is_some() {
                self.link.move_on();
            }
            return sent;
        }
        let (stopping, link, patience) = (&self.stopping, &self.link, self.patience);
        let stalled = self.stalled.get_or_insert_with(|| {
            link.stall();
            let stopping = stopping.clone();
            Box::pin(async move {
                let stop = async {
                    stopping.cancelled().await;
                    sleep(LINGER).await;
                };
                tokio::select! { () = sleep(patience) => {}, () = stop => {} }
            })
        });
        stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if !self.link.is_idle() {
            self.head = None;
        } else if read.is_ready() && buffer.filled().len() > before {
            if !self.link.read_head(buffer.filled().len() - before) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            self.head.get_or_insert_with(|| Box::pin(sleep(HEAD)));
        }
        match &mut self.head {
            Some(head) if read.is_pending() => {
                head.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
            _ => read,
        }
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within(context, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.within(context, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(context);
        self.within(context, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.within(context, ended)
    }
}
