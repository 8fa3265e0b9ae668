//! The shell that the images of MongoDB bring, and the scripts that it runs in a cluster.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use testkit::Scratch;
use testkit::process::Spec;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::super::cluster::{Container, list};
use crate::workspace::root;

/// The one that is installed where there is none.
const PACKAGE: &str = "mongosh@2.12.0";

/// mongosh, found on this machine or installed by npm; none where there is neither, which is said.
pub(super) async fn mongosh() -> Option<PathBuf> {
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
    let tools = root().join("target/tools");
    let home = tools.join(PACKAGE.replace('@', "-"));
    let program = |home: &Path| home.join("node_modules/.bin/mongosh");
    if !program(&home).is_file() {
        std::fs::create_dir_all(&tools).unwrap();
        let scratch = Scratch::within(&tools).unwrap();
        let folder = scratch.path().join("ready");
        let npm = Command::new(on_path("npm")?)
            .args(["install", "--silent", "--no-audit", "--no-fund"])
            .args(["--ignore-scripts", "--omit=optional", "--prefix"])
            .arg(&folder)
            .arg(PACKAGE)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&npm.stderr);
        assert!(npm.status.success(), "npm cannot install {PACKAGE}: {said}");
        // Perhaps somebody else was faster.
        let _ = std::fs::rename(&folder, &home);
    }
    Some(program(&home))
}

/// What a container runs, with this mongosh and the script from its place in the workspace.
pub(super) fn script(mongosh: &Path, container: Container<'_>, scripts: &str) -> Spec {
    let command = list(&container.0["command"]).filter_map(|word| word.as_str());
    let words: Vec<_> = command.collect();
    assert_eq!(words[0], "mongosh");
    let scripts = root().join(scripts).display().to_string();
    let args = words[1..].iter().map(|word| word.replace("/scripts", &scripts));
    Spec::new(mongosh).args(args)
}
