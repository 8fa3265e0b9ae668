//! A line between two programs that can be cut.

use std::future::pending;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ports;

/// Passes on what is said to one port of 127.0.0.1 and what is answered, until it is told not to.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    /// Ends with the proxy.
    _serving: JoinSet<()>,
}

/// How a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// All is passed on.
    #[default]
    Open,
    /// Every connection ends at once, as if nobody were there.
    Closed,
    /// Connections stay, and nothing is passed on.
    Silent,
}

impl Proxy {
    /// Listens on a free port for a server at this one, which need not be there yet.
    pub async fn to(server: u16) -> io::Result<Self> {
        Self::slow(server, Duration::ZERO).await
    }

    /// The same, but every answer takes so much longer.
    pub async fn slow(server: u16, delay: Duration) -> io::Result<Self> {
        let port = ports::free();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let (line, watched) = watch::channel(Line::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, server, delay, watched));
        Ok(Self { port, line, _serving: serving })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection; new ones are welcome.
    pub fn reset(&self) {
        self.line.send_replace(Line::Open);
    }

    /// Resets every connection, and new ones too, until it is mended.
    pub fn cut(&self) {
        self.line.send_replace(Line::Closed);
    }

    /// Passes nothing on until it is mended, and says nothing about it.
    pub fn silence(&self) {
        self.line.send_replace(Line::Silent);
    }

    /// Passes on again; connections from before are reset.
    pub fn mend(&self) {
        self.reset();
    }
}

async fn serve(listener: TcpListener, server: u16, delay: Duration, line: watch::Receiver<Line>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                connections.spawn(pass(client, server, delay, line.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Passes on between both, until one has no more to say or the line changes.
async fn pass(
    mut client: TcpStream,
    server: u16,
    delay: Duration,
    mut line: watch::Receiver<Line>,
) {
    let how = *line.borrow_and_update();
    let mut there = match how {
        Line::Open => TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await.ok(),
        Line::Closed | Line::Silent => None,
    };
    let passed = async {
        match (&mut there, how) {
            (Some(there), _) => drop(copy_both(&mut client, there, delay).await),
            (None, Line::Silent) => pending().await,
            (None, Line::Open | Line::Closed) => {}
        }
    };
    let ended = tokio::select! {
        () = passed => there.is_some(),
        _ = line.changed() => false,
    };
    // The connections stay, and nobody reads them.
    while !ended && *line.borrow_and_update() == Line::Silent && line.changed().await.is_ok() {}
    if !ended {
        reset(&client);
        there.as_ref().into_iter().for_each(reset);
    }
}

/// Passes on both ways until both have no more to say; what the server says comes later by `delay`.
async fn copy_both(
    client: &mut TcpStream,
    server: &mut TcpStream,
    delay: Duration,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let asking = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    let answering = async {
        let mut answer = vec![0; 64 * 1024];
        loop {
            let length = from_server.read(&mut answer).await?;
            if length == 0 {
                return to_client.shutdown().await;
            }
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            to_client.write_all(&answer[..length]).await?;
        }
    };
    tokio::try_join!(asking, answering).map(drop)
}

/// Lets a connection end with a reset rather than in good order.
fn reset(connection: &TcpStream) {
    // One that has ended already needs none.
    let _ = connection.set_zero_linger();
}
