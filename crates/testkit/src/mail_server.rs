//! A real mail server that keeps what it is handed: aiosmtpd.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::part::Part;
use crate::process::Spec;
use crate::tools::{self, Cause};
use crate::{StartError, ports};

const WHAT: &str = "aiosmtpd";
const BOUND: Duration = Duration::from_mins(1);
const REQUIREMENTS: &str = include_str!("mail_server/requirements.txt");
const SERVE: &str = include_str!("mail_server/serve.py");

/// A running mail server on 127.0.0.1. Addresses that begin with `nobody` it refuses for good (550),
/// those that begin with `later` for now (451), and those that begin with `says-554-5-7-1` with this
/// very code. The first mail to one that begins with `unanswered` it takes, and never says so.
#[derive(Debug)]
pub struct MailServer {
    server: Part,
    port: u16,
    folder: PathBuf,
}

/// A mail that was handed over.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// Who sent it, by the envelope.
    pub from: String,
    /// Whom it is for, by the envelope.
    pub to: Vec<String>,
    /// Its headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What it says as text.
    pub text: String,
    /// What it says as HTML.
    pub html: String,
}

impl MailServer {
    /// Starts one that has no mail yet; it keeps its mail in a folder within this one.
    pub async fn start(folder: &Path) -> Result<Self, StartError> {
        let (port, log) = (ports::free(), folder.join("aiosmtpd.log"));
        let folder = folder.join("mails");
        std::fs::create_dir_all(&folder).map_err(StartError::io(WHAT))?;
        let spec = installed().await?.arg(port.to_string()).arg(&folder);
        let mails = Self { server: Part::start(WHAT, spec, log)?, port, folder };
        mails.until_it_greets().await?;
        Ok(mails)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Lets it end in good order.
    pub async fn stop(&self) {
        self.server.process().stop().await;
    }

    /// Starts it again at the same port; ends it first when it runs.
    pub async fn restart(&self) -> Result<(), StartError> {
        self.server.start_again().await?;
        self.until_it_greets().await
    }

    /// The mails that it took so far, in order.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn mails(&self) -> Vec<Mail> {
        let files = std::fs::read_dir(&self.folder).expect("the folder is there");
        let mut files: Vec<_> = files.map(|file| file.expect("a file is there").path()).collect();
        files.retain(|file| file.extension().is_some_and(|it| it == "json"));
        files.sort();
        let read = |file: &PathBuf| {
            let text = std::fs::read(file).expect("a mail can be read");
            serde_json::from_slice(&text).expect("a mail is kept as JSON")
        };
        files.iter().map(read).collect()
    }

    async fn until_it_greets(&self) -> Result<(), StartError> {
        let greeted = async {
            while greeting(self.port).await.is_none_or(|said| said != *b"220") {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        self.server.until(BOUND, greeted).await
    }
}

async fn greeting(port: u16) -> Option<[u8; 3]> {
    let mut said = [0; 3];
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.read_exact(&mut said).await.ok()?;
    Some(said)
}

/// Found in the project's own cache, or installed into it; takes its port and folder as arguments.
async fn installed() -> Result<Spec, StartError> {
    let failed = |cause: Cause| StartError::io(WHAT)(io::Error::other(cause));
    let python = tools::python().await.ok_or(Cause::NoPython).map_err(failed)?;
    let home = tools::packages(WHAT, REQUIREMENTS, &|line| eprintln!("{line}")).await;
    let home = home.map_err(failed)?;
    Ok(Spec::new(python).args(["-c", SERVE]).env("PYTHONPATH", home))
}
