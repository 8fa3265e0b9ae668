//! Prepares a shop on a laptop's cluster: `demo --help`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use demo::{Administrator, ApiServer, Credentials, Shop};

/// Prepares a shop on a laptop's cluster.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create the Secret of the first administrator with a random password, unless there is one.
    Administrator {
        /// The email address of the administrator.
        #[arg(long, env = "SOUK_ADMIN_EMAIL", default_value = "admin@souk.example")]
        email: String,
        /// The API server of the cluster.
        #[arg(long, env = "SOUK_API_SERVER", default_value = "https://kubernetes.default.svc")]
        api_server: String,
        /// The folder with `token`, `namespace` and `ca.crt` of a service account.
        #[arg(long, default_value = "/var/run/secrets/kubernetes.io/serviceaccount")]
        account: PathBuf,
    },
    /// Sell what the catalogue has and the shop has not.
    Load {
        /// Where auth answers.
        #[arg(long, env = "SOUK_AUTH_URL")]
        auth: String,
        /// Where product answers.
        #[arg(long, env = "SOUK_PRODUCT_URL")]
        product: String,
        /// The email address of a member of staff.
        #[arg(long, env = "SOUK_ADMIN_EMAIL", hide_env_values = true)]
        email: String,
        /// The password of that member of staff.
        #[arg(long, env = "SOUK_ADMIN_PASSWORD", hide_env_values = true)]
        password: String,
        /// How long a service that does not answer is waited for, in seconds.
        #[arg(long, env = "SOUK_DEMO_WAIT", default_value_t = 900)]
        wait: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Administrator { email, api_server, account } => {
            let server = ApiServer::open(&api_server, &account)?;
            let created = Administrator::random(&email)?.create(&server).await?;
            println!(
                "{}",
                if created { "the administrator's Secret is created" } else { "there is one" }
            );
            Ok(())
        }
        Command::Load { auth, product, email, password, wait } => {
            let shop = Shop { auth, product, wait: Duration::from_secs(wait) };
            demo::load(&shop, &Credentials { email, password }, &|line| println!("{line}")).await
        }
    }
}
