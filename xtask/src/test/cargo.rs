//! Runs cargo, and lets it not outlive us.

use std::env;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::ensure;
use testkit::process::{Process, Spec};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStdout;

/// A cargo command.
#[derive(Clone, Debug)]
pub(crate) struct Cargo {
    spec: Spec,
    line: String,
}

impl Cargo {
    /// `cargo <command>`, by the cargo that runs us.
    pub(crate) fn new(command: &str) -> Self {
        Self { spec: Spec::new(Self::program()).arg(command), line: format!("cargo {command}") }
    }

    /// `cargo <command>` that compiles the workspace with clippy and fails on any warning.
    ///
    /// Why not `cargo clippy`: it compiles every dependency and every crate once more, only to
    /// check them; this way lints and tests share one build.
    pub(crate) fn linting(command: &str) -> Self {
        Self::new(command)
            .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
            .env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings")
    }

    /// The cargo that runs us.
    pub(super) fn program() -> PathBuf {
        env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
    }

    /// With more arguments.
    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        for arg in args {
            self.spec = self.spec.arg(arg);
            self.line = format!("{} {arg}", self.line);
        }
        self
    }

    /// With one more variable in its environment.
    pub(crate) fn env(self, name: &str, value: impl Into<std::ffi::OsString>) -> Self {
        Self { spec: self.spec.env(name, value), ..self }
    }

    /// The command as one would type it.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Runs it, passes on what it says, and shows each line to `hear`.
    pub(crate) async fn run(&self, mut hear: impl FnMut(&str)) -> anyhow::Result<()> {
        let (process, stdout) = Process::stream(&self.spec)?;
        let mut stdout = BufReader::new(ChildStdout::from_std(stdout)?);
        let mut line = vec![];
        while stdout.read_until(b'\n', &mut line).await? > 0 {
            std::io::stdout().write_all(&line)?;
            hear(&String::from_utf8_lossy(&line));
            line.clear();
        }
        ensure!(process.wait().await == 0, "`{}` failed", self.line);
        Ok(())
    }
}
