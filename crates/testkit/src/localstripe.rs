//! A stand-in for Stripe that remembers: localstripe, which knows its interface of payments.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::part::Part;
use crate::process::Spec;
use crate::tools::{self, Cause};
use crate::{StartError, ports};

const WHAT: &str = "localstripe";
const BOUND: Duration = Duration::from_mins(1);
/// localstripe and all that it needs, in versions that were tried together.
const REQUIREMENTS: &str = include_str!("localstripe/requirements.txt");
const SERVE: &str = include_str!("localstripe/serve.py");
/// Something it serves to anybody.
const ANYTHING: &str = "/js.stripe.com/v3/";

/// A running localstripe on 127.0.0.1, which takes any key that begins with `sk_`. It has no
/// idempotency keys and checks little.
#[derive(Debug)]
pub struct LocalStripe {
    server: Part,
    port: u16,
}

impl LocalStripe {
    /// Starts one that knows nothing yet; what it says is written to this folder.
    pub async fn start(folder: &Path) -> Result<Self, StartError> {
        let port = ports::free();
        let spec = installed().await?.arg(port.to_string());
        let server = Part::start(WHAT, spec, folder.join("localstripe.log"))?;
        let stripe = Self { server, port };
        stripe.server.until_answers(&format!("{}{ANYTHING}", stripe.url()), BOUND).await?;
        Ok(stripe)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Found in the project's own cache, or installed into it; takes its port as an argument.
async fn installed() -> Result<Spec, StartError> {
    let failed = |cause: Cause| StartError::io(WHAT)(io::Error::other(cause));
    let python = tools::python().await.ok_or(Cause::NoPython).map_err(failed)?;
    let home = tools::packages(WHAT, REQUIREMENTS, &|line| eprintln!("{line}")).await;
    let home = home.map_err(failed)?;
    Ok(Spec::new(python).args(["-c", SERVE]).env("PYTHONPATH", home))
}
