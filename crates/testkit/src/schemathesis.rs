//! Asks a service whatever its own document lets one ask, and much that it does not: schemathesis.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::process::{Process, Spec};
use crate::tools::{self, Cause};
use crate::{Scratch, StartError};

const WHAT: &str = "schemathesis";
/// schemathesis and all that it needs, in versions that were tried together.
const REQUIREMENTS: &str = include_str!("schemathesis/requirements.txt");
const HOOKS: &str = include_str!("schemathesis/hooks.py");
const CONFIG: &str = include_str!("schemathesis/schemathesis.toml");
const RUN: &str = "from schemathesis.cli import schemathesis; schemathesis()";

/// Compares what a service answers with what its `OpenAPI` document says that it answers.
///
/// It sends what the document allows, which has to be taken, and what it does not, which has to be
/// refused; no answer is a 5xx, and each has a status, a type and a shape that the document knows.
#[derive(Debug)]
pub struct Schemathesis {
    spec: Spec,
    /// Its own settings.
    home: Scratch,
}

/// One run against one service.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where the document is, such as `http://127.0.0.1:3000/api/cart/openapi.json`.
    pub document: String,
    /// The access token it asks with.
    pub token: String,
    /// What is there: `{"<beginning of a path>": {"<parameter>": "<value>"}}`.
    pub known: Value,
    /// Only the paths that this regular expression finds, or only the others.
    pub paths: Paths,
    /// How many requests it makes up of each kind.
    pub examples: u32,
    /// The same makes up the same.
    pub seed: u64,
}

/// Which paths are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Paths {
    /// All.
    All,
    /// Those that this regular expression finds.
    With(&'static str),
    /// All but those.
    Without(&'static str),
}

impl Schemathesis {
    /// Found in the project's own cache, or installed into it; `None` where there is no Python 3.11
    /// that it could run on, which is said. Where all is to be tried, and where nobody reads what is
    /// said (`CI`), that is an error.
    pub async fn find() -> Result<Option<Self>, StartError> {
        let failed = |cause: Cause| StartError::io(WHAT)(io::Error::other(cause));
        let python = tools::python().await.ok_or(Cause::NoPython).map_err(failed)?;
        let home = Scratch::new().map_err(StartError::io(WHAT))?;
        if !is_new_enough(python) {
            let why = "schemathesis wants Python 3.11 or newer";
            if crate::full() || std::env::var_os("CI").is_some() {
                return Err(StartError::io(WHAT)(io::Error::other(why)));
            }
            eprintln!("not tried: {why}");
            return Ok(None);
        }
        let packages = tools::packages(WHAT, REQUIREMENTS, &|line| eprintln!("{line}")).await;
        for (name, text) in [("hooks.py", HOOKS), ("schemathesis.toml", CONFIG)] {
            std::fs::write(home.path().join(name), text).map_err(StartError::io(WHAT))?;
        }
        let spec = Spec::new(python)
            .args(["-c", RUN, "--no-color", "--config-file"])
            .arg(home.path().join("schemathesis.toml"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", path(&[&packages.map_err(failed)?, home.path()]))
            .env("SCHEMATHESIS_HOOKS", "hooks");
        Ok(Some(Self { spec, home }))
    }

    /// Lets it ask, and says what it found; nothing, when all was as the document says.
    pub async fn run(&self, run: &Run) -> io::Result<Result<(), String>> {
        let log = self.home.path().join("run.log");
        let spec = self.spec.clone().log(&log).env("SOUK_KNOWN", run.known.to_string());
        let spec = spec.args(["run", &run.document, "--header"]);
        let spec = spec.arg(format!("Authorization: Bearer {}", run.token));
        let spec = spec.args(["--continue-on-failure", "--seed", &run.seed.to_string()]);
        let spec = spec.args(["--max-examples", &run.examples.to_string()]).args(match run.paths {
            Paths::All => vec![],
            Paths::With(found) => vec!["--include-path-regex", found],
            Paths::Without(found) => vec!["--exclude-path-regex", found],
        });
        std::fs::write(&log, "")?;
        let code = Process::start(&spec)?.wait().await;
        let said = std::fs::read_to_string(&log)?;
        Ok(if code == 0 { Ok(()) } else { Err(said) })
    }
}

/// Whether this Python is 3.11 or newer.
fn is_new_enough(python: &str) -> bool {
    let asked = "import sys; sys.exit(sys.version_info < (3, 11))";
    let ended = std::process::Command::new(python).args(["-c", asked]).status();
    ended.is_ok_and(|status| status.success())
}

fn path(folders: &[&Path]) -> std::ffi::OsString {
    std::env::join_paths(folders).unwrap_or_default()
}
