//! One tool, and what it looks at.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::tools::Tools;

/// A tool that looks at files and fails when it finds something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    /// What it is about.
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    pub(super) args: &'static [&'static str],
    /// The files it is given, from the workspace; `folder/*` is each file in the folder.
    pub(super) on: &'static [&'static str],
}

impl Check {
    /// Runs the tool below this folder; the error is what it says.
    pub(super) async fn run(&self, tools: &Tools, root: &Path) -> anyhow::Result<()> {
        let mut command = tools.command(self.program);
        command.current_dir(root).args(self.args).args(self.files(root)?);
        let output = command.output().await.with_context(|| format!("running {}", self.program))?;
        let said = [output.stdout, output.stderr].concat();
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&said).trim());
        Ok(())
    }

    fn files(&self, root: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = vec![];
        for on in self.on {
            match on.strip_suffix("/*") {
                Some(folder) => files.extend(within(root, folder)?),
                None => files.push(PathBuf::from(on)),
            }
        }
        Ok(files)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.program)
    }
}

/// Each file of a folder, in order; a check of nothing would pass for ever.
pub(super) fn within(root: &Path, folder: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root.join(folder)).with_context(|| folder.to_owned())?;
    let mut files = vec![];
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(Path::new(folder).join(entry.file_name()));
        }
    }
    ensure!(!files.is_empty(), "{folder} is empty");
    files.sort();
    Ok(files)
}
