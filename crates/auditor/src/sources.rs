//! Where everything is.

use std::path::PathBuf;

use common::Clock;
use contracts::Timestamp;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use secrecy::SecretString;

use crate::Error;
use crate::rows::View;

/// Where everything is: the database of each service, and the bus.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Accounts, sign-ins and keys.
    pub auth: Source,
    /// Products, stock and reservations.
    pub product: Source,
    /// Carts.
    pub cart: Source,
    /// Orders.
    pub order: Source,
    /// Payments and their ledger.
    pub payment: Source,
    /// What was told.
    pub bus: Bus,
}

/// A service's database.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where its mongod is, with whatever lets one in.
    pub uri: SecretString,
    /// Its name there.
    pub database: String,
}

/// The bus.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Where the nats-server is.
    pub url: SecretString,
    /// Who asks and their password, unless anyone may.
    pub credentials: Option<(String, SecretString)>,
    /// A PEM file with further authorities that sign the server's certificate.
    pub ca_file: Option<PathBuf>,
}

/// The databases as they were at one moment each.
#[derive(Debug)]
pub(crate) struct Views {
    pub(crate) auth: View,
    pub(crate) product: View,
    pub(crate) cart: View,
    pub(crate) order: View,
    pub(crate) payment: View,
}

impl Sources {
    /// The databases of these names on one mongod, and a bus that asks nobody who they are.
    pub fn on(mongodb: &str, nats: &str, database: impl Fn(&str) -> String) -> Self {
        let source = |service| Source { uri: mongodb.into(), database: database(service) };
        Self {
            auth: source("auth"),
            product: source("product"),
            cart: source("cart"),
            order: source("order"),
            payment: source("payment"),
            bus: Bus { url: nats.into(), credentials: None, ca_file: None },
        }
    }

    pub(crate) async fn open(&self) -> Result<Views, Error> {
        // Who copies comes before who is copied: so no copy is newer than its source, ever.
        let cart = View::open("cart", &self.cart).await?;
        let order = View::open("order", &self.order).await?;
        let payment = View::open("payment", &self.payment).await?;
        let product = View::open("product", &self.product).await?;
        let auth = View::open("auth", &self.auth).await?;
        Ok(Views { auth, product, cart, order, payment })
    }
}

impl Views {
    /// All of them.
    pub(crate) fn each(&self) -> [&View; 5] {
        [&self.auth, &self.product, &self.cart, &self.order, &self.payment]
    }
}

/// What time it is.
pub(crate) fn now() -> Timestamp {
    Clock::system().now()
}

/// The database, and the moment at which it is looked at.
pub(crate) async fn moment(
    client: &Client,
    source: &Source,
) -> mongodb::error::Result<mongodb::bson::Timestamp> {
    let mut session = client.start_session().snapshot(true).await?;
    let frame = client.database(&source.database).collection::<Document>("frame");
    frame.find_one(doc! {}).session(&mut session).await?;
    let unknown = || mongodb::error::Error::custom("the server does not know the moment");
    session.snapshot_time().ok_or_else(unknown)
}
