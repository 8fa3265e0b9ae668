//! What a service sends to those who follow something (server-sent events).

use reqwest::Response;
use serde_json::Value;

/// The events of one answer, as they come.
#[derive(Debug)]
pub struct Events {
    asked: String,
    response: Response,
    /// What came of the next event so far.
    bytes: Vec<u8>,
}

/// An event as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// What to come back with.
    pub id: String,
    /// Its name.
    pub event: String,
    /// What it bears; null when that is no JSON.
    pub data: Value,
}

impl Events {
    pub(crate) fn of(asked: String, response: Response) -> Self {
        Self { asked, response, bytes: Vec::new() }
    }

    /// The next event, as soon as it is there; `None` when there are no more. Comments, and blocks
    /// without data, are passed over.
    ///
    /// # Panics
    /// When the connection breaks, or nothing comes within the time that a client has.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
                if let Some(sent) = Sent::read(&String::from_utf8_lossy(&block)) {
                    return Some(sent);
                }
                continue;
            }
            let chunk = self.response.chunk().await;
            let chunk = chunk.unwrap_or_else(|error| panic!("{} broke: {error:?}", self.asked));
            self.bytes.extend_from_slice(&chunk?);
        }
    }

    /// The events up to the first that fits, that one among them.
    ///
    /// # Panics
    /// When they end before.
    pub async fn until(&mut self, mut fits: impl FnMut(&Sent) -> bool) -> Vec<Sent> {
        let mut seen = Vec::new();
        while let Some(sent) = self.next().await {
            let fit = fits(&sent);
            seen.push(sent);
            if fit {
                return seen;
            }
        }
        panic!("{} ended without what was waited for: {seen:?}", self.asked)
    }

    /// All events that still come until there are no more.
    pub async fn rest(mut self) -> Vec<Sent> {
        let mut rest = Vec::new();
        while let Some(sent) = self.next().await {
            rest.push(sent);
        }
        rest
    }
}

impl Sent {
    fn read(block: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
        };
        let data = field("data")?;
        Some(Self {
            id: field("id").unwrap_or_default(),
            event: field("event").unwrap_or_default(),
            data: serde_json::from_str(&data).unwrap_or_default(),
        })
    }
}
