//! What the auditor is told.

use std::path::PathBuf;
use std::time::Duration;

use auditor::{Bounds, Bus, Source, Sources};
use clap::Parser;
use secrecy::SecretString;

/// Proves across services that the shop keeps its promises: reads their databases and the bus, and
/// changes nothing.
///
/// Ends with 0 when everything holds, 1 when not everything does, and 2 when it could not be looked.
#[derive(Debug, Parser)]
#[command(name = "auditor", version)]
pub(crate) struct Args {
    /// The MongoDB of all services, where they share one.
    #[arg(
        long,
        env = "MONGODB_URI",
        hide_env_values = true,
        default_value = "mongodb://localhost:27017/?replicaSet=rs0"
    )]
    mongodb_uri: SecretString,

    /// The MongoDB of auth, if it has one of its own.
    #[arg(long, env = "AUTH_MONGODB_URI", hide_env_values = true)]
    auth_uri: Option<SecretString>,

    /// The MongoDB of product, if it has one of its own.
    #[arg(long, env = "PRODUCT_MONGODB_URI", hide_env_values = true)]
    product_uri: Option<SecretString>,

    /// The MongoDB of cart, if it has one of its own.
    #[arg(long, env = "CART_MONGODB_URI", hide_env_values = true)]
    cart_uri: Option<SecretString>,

    /// The MongoDB of order, if it has one of its own.
    #[arg(long, env = "ORDER_MONGODB_URI", hide_env_values = true)]
    order_uri: Option<SecretString>,

    /// The MongoDB of payment, if it has one of its own.
    #[arg(long, env = "PAYMENT_MONGODB_URI", hide_env_values = true)]
    payment_uri: Option<SecretString>,

    /// The names of the five databases, such as `auth=auth_1`; by default those of the services.
    #[arg(long = "database", value_name = "SERVICE=NAME", value_parser = named)]
    databases: Vec<(String, String)>,

    /// The NATS server.
    #[arg(long, env = "NATS_URL", hide_env_values = true, default_value = "nats://localhost:4222")]
    nats_url: SecretString,

    /// Who asks the NATS server.
    #[arg(long, env = "NATS_USER", requires = "nats_password")]
    nats_user: Option<String>,

    /// Their password.
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true)]
    nats_password: Option<SecretString>,

    /// A file with the certificates, in PEM, of the authorities that sign those of NATS.
    #[arg(long, env = "NATS_CA_FILE")]
    nats_ca_file: Option<PathBuf>,

    /// Nobody has done anything for a while: what one service told, all others have to have heard.
    #[arg(long)]
    quiet: bool,

    /// A committed event is told after this.
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration)]
    outbox_age: Duration,

    /// A request that moves money has its outcome after this.
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration)]
    started_age: Duration,

    /// What is open or whose time is up is seen to after this.
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration)]
    waiting_age: Duration,

    /// Unless the shop is quiet, it is looked twice, with this in between.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    pause: Duration,

    /// Say it in JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// What is said on the way, on standard error.
    #[arg(long, env = "SOUK_LOG", default_value = "auditor=info")]
    pub(crate) log: String,
}

impl Args {
    /// Where everything is.
    pub(crate) fn sources(&self) -> Sources {
        let source = |service: &str, own: &Option<SecretString>| Source {
            uri: own.clone().unwrap_or_else(|| self.mongodb_uri.clone()),
            database: self.database(service),
        };
        let credentials = self.nats_user.clone().zip(self.nats_password.clone());
        Sources {
            auth: source("auth", &self.auth_uri),
            product: source("product", &self.product_uri),
            cart: source("cart", &self.cart_uri),
            order: source("order", &self.order_uri),
            payment: source("payment", &self.payment_uri),
            bus: Bus {
                url: self.nats_url.clone(),
                credentials,
                ca_file: self.nats_ca_file.clone(),
            },
        }
    }

    fn database(&self, service: &str) -> String {
        let named = self.databases.iter().find(|(of, _)| of == service);
        named.map_or_else(|| service.to_owned(), |(_, name)| name.clone())
    }

    /// How much time the shop may take.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            quiet: self.quiet,
            outbox_age: self.outbox_age,
            started_age: self.started_age,
            waiting_age: self.waiting_age,
            pause: self.pause,
            ..Bounds::default()
        }
    }
}

fn named(text: &str) -> Result<(String, String), String> {
    let (service, name) = text.split_once('=').ok_or("no `=` in it")?;
    Ok((service.to_owned(), name.to_owned()))
}
