//! Folders for a while.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::unique::unique;

/// Deletes the folder when stdin ends, patiently: what ran in there may still be ending.
const GUARD: &str = "
    read -r _
    tries=100
    while [ \"$tries\" -gt 0 ] && [ -e \"$1\" ]; do
        rm -rf -- \"$1\" 2>/dev/null || sleep 0.2
        tries=$((tries - 1))
    done";

/// A folder of its own that is deleted when this is dropped, and when this process dies in any way.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    guard: Child,
}

impl Scratch {
    /// Makes an empty folder where the system keeps what is temporary.
    pub fn new() -> io::Result<Self> {
        Self::within(&std::env::temp_dir())
    }

    /// Makes an empty folder in this one.
    pub fn within(parent: &Path) -> io::Result<Self> {
        let path = parent.join(format!("souk-{}", unique()));
        std::fs::create_dir(&path)?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "souk"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { path, guard })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes it neither now nor later, and says where it is.
    pub fn keep(mut self) -> io::Result<PathBuf> {
        self.guard.kill()?;
        self.guard.wait()?;
        Ok(self.path.clone())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Whether it succeeds: what is left of the folder harms nobody.
        let _ = self.guard.wait();
    }
}
