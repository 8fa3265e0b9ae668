//! The shell that the images of MongoDB bring.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::OnceCell;

use super::cache;
use crate::Scratch;

/// The one that is installed where there is none.
const PACKAGE: &str = "mongosh@2.12.0";

/// mongosh, where `SOUK_MONGOSH` says, found on this machine or installed by npm; none where there
/// is neither, which is said.
///
/// # Panics
/// When npm cannot install it.
pub async fn mongosh() -> Option<PathBuf> {
    static FOUND: OnceCell<Option<PathBuf>> = OnceCell::const_new();
    let found = FOUND.get_or_init(async || {
        let told = std::env::var_os("SOUK_MONGOSH").map(PathBuf::from);
        match told.or_else(|| on_path("mongosh")) {
            Some(mongosh) => Some(mongosh),
            None => install().await,
        }
    });
    let found = found.await.clone();
    if found.is_none() {
        eprintln!("not tried: there is neither mongosh nor npm, which would install it");
    }
    found
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Installs it below `target/tools`; whoever does so at the same time keeps the first.
async fn install() -> Option<PathBuf> {
    let tools = cache();
    let home = tools.join(PACKAGE.replace('@', "-"));
    let program = |home: &Path| home.join("node_modules/.bin/mongosh");
    if !program(&home).is_file() {
        let npm = on_path("npm")?;
        std::fs::create_dir_all(&tools).expect("the cache of tools can be written");
        let scratch = Scratch::within(&tools).expect("the cache of tools can be written");
        let folder = scratch.path().join("ready");
        let npm = Command::new(npm)
            .args(["install", "--silent", "--no-audit", "--no-fund"])
            .args(["--ignore-scripts", "--omit=optional", "--prefix"])
            .arg(&folder)
            .arg(PACKAGE)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("npm can be started");
        let said = String::from_utf8_lossy(&npm.stderr);
        assert!(npm.status.success(), "npm cannot install {PACKAGE}: {said}");
        // Perhaps somebody else was faster.
        let _ = std::fs::rename(&folder, &home);
    }
    Some(program(&home))
}
