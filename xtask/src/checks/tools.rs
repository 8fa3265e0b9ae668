//! The tools that look at files, in just these versions.

use std::path::PathBuf;
use std::process::Stdio;

use testkit::tools;
use tokio::process::Command;

const ALWAYS: &str = include_str!("requirements.txt");
const HARDENING: &str = include_str!("checkov.txt");

/// Where the tools lie.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    folders: Vec<PathBuf>,
}

impl Tools {
    /// Installs what is not there yet; the tool for hardening is large.
    pub(super) async fn install(hardening: bool) -> anyhow::Result<Self> {
        let mut folders = vec![tools::packages("checks", ALWAYS, &say).await?];
        if hardening {
            folders.push(tools::packages("checkov", HARDENING, &say).await?);
        }
        Ok(Self { folders })
    }

    /// A command that ends with us; what is not among the tools is looked for on the PATH.
    pub(super) fn command(&self, program: &str) -> Command {
        let home = self.folders.iter().find(|folder| folder.join("bin").join(program).is_file());
        let mut command = match home {
            Some(home) => Command::new(home.join("bin").join(program)),
            None => Command::new(program),
        };
        if let Some(home) = home {
            command.env("PYTHONPATH", home);
        }
        command.env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

fn say(line: &str) {
    eprintln!("{line}");
}
