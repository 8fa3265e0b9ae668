//! Proves that the shop on this machine keeps its promises.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;

use crate::workspace::root;

const HELP: &str = "\
Finds the shop that `cargo xtask up` runs, builds the auditor and lets it look. MONGODB_URI and NATS_URL name \
servers that are not the shop's own.

Everything after `--` is for the auditor, such as `-- --quiet --json`; `-- --help` says what there is. Ends as it \
does: 0 when everything holds, 1 when not everything does, 2 when it could not be looked.";

/// What is looked at, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Where the shop keeps its things [default: .souk in the workspace].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Build with optimisation.
    #[arg(long)]
    release: bool,

    /// The databases, where they are not those of the shop.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true, value_name = "URI")]
    mongodb_uri: Option<String>,

    /// The bus, where it is not that of the shop.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL")]
    nats_url: Option<String>,

    /// For the auditor.
    #[arg(last = true)]
    rest: Vec<OsString>,
}

/// A part of a running shop, as `cargo xtask up` tells of it.
#[derive(Debug, Deserialize)]
struct Part {
    name: String,
    uri: Option<String>,
}

/// Goes on as the auditor, so that its verdict is this command's.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = args.data.clone().unwrap_or_else(|| root().join(".souk"));
    let mongodb = server(args.mongodb_uri.as_ref(), &folder, "mongod")?;
    let nats = server(args.nats_url.as_ref(), &folder, "nats-server")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let failed = Command::new(cargo)
        .args(["run", "--quiet", "--package", "auditor", "--bin", "auditor", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .args(args.release.then_some("--release"))
        .arg("--")
        .args(&args.rest)
        .env("MONGODB_URI", mongodb)
        .env("NATS_URL", nats)
        .exec();
    Err(failed).context("starting cargo")
}

/// Where a server is: the one that was named, or that of the shop that runs.
fn server(named: Option<&String>, folder: &Path, name: &str) -> anyhow::Result<String> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    let file = folder.join("fleet.json");
    let told = std::fs::read(&file).with_context(|| {
        format!("no shop runs in {}: `cargo xtask up` opens one", folder.display())
    })?;
    let parts: Vec<Part> = serde_json::from_slice(&told).context("reading what runs")?;
    let server = parts.into_iter().find(|part| part.name == name).and_then(|part| part.uri);
    server.ok_or_else(|| anyhow!("the {name} of the shop was lent to it: say where it is"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use testkit::Scratch;

    use super::*;

    #[test]
    fn the_servers_are_those_that_were_named_else_those_of_the_shop_that_runs() {
        let scratch = Scratch::new().unwrap();
        let parts = json!([
            { "name": "mongod", "pid": 1, "uri": "mongodb://127.0.0.1:1/" },
            { "name": "auth", "pid": 2, "uri": null },
        ]);
        std::fs::write(scratch.path().join("fleet.json"), parts.to_string()).unwrap();
        let at = |named: Option<&str>, name| {
            server(named.map(ToOwned::to_owned).as_ref(), scratch.path(), name)
        };

        assert_eq!(at(None, "mongod").unwrap(), "mongodb://127.0.0.1:1/");
        assert_eq!(at(Some("mongodb://there/"), "mongod").unwrap(), "mongodb://there/");
        assert!(at(None, "nats-server").unwrap_err().to_string().contains("was lent"));
    }

    #[test]
    fn where_no_shop_runs_it_is_said_how_to_open_one() {
        let scratch = Scratch::new().unwrap();

        let refusal = server(None, scratch.path(), "mongod").unwrap_err().to_string();

        assert!(refusal.contains("cargo xtask up"), "{refusal}");
    }
}
