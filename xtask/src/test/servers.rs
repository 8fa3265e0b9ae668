//! The servers that all tests of a run share.

use std::path::PathBuf;

use testkit::mongo::Mongod;
use testkit::{Scratch, tools};

use super::cargo::Cargo;

/// One mongod for the whole run, and the binaries of which tests start their own servers.
pub(crate) struct Servers {
    mongod: Mongod,
    binaries: [(&'static str, PathBuf); 2],
    _data: Scratch,
}

impl Servers {
    /// Finds or installs the servers, and starts the mongod on data that goes with it.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let mongod = tools::mongod(&report).await?;
        let nats_server = tools::nats_server(&report).await?;
        let data = Scratch::new()?;
        Ok(Self {
            mongod: Mongod::start_for_tests(&mongod, data.path()).await?,
            binaries: [("SOUK_MONGOD", mongod), ("SOUK_NATS_SERVER", nats_server)],
            _data: data,
        })
    }

    /// Lets the tests that this runs find them.
    pub(crate) fn tell(&self, test: Cargo) -> Cargo {
        let test = test.env("MONGODB_URI", self.mongod.uri());
        let binaries = self.binaries.iter();
        binaries.fold(test, |test, (variable, binary)| test.env(variable, binary))
    }
}

fn report(line: &str) {
    eprintln!("{line}");
}
