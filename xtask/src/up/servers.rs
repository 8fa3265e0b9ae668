//! The two servers that the services stand on: started here, or lent by somebody.

use testkit::mongo::Mongod;
use testkit::nats::NatsServer;
use testkit::tools;

use super::Args;
use super::data::Data;
use super::part::Part;
use super::patience::{first_pauses, patiently};
use super::progress::{phase, say};

/// Where a server is, and the process when it was started here.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) uri: String,
    pub(crate) part: Option<Part>,
}

/// Starts the servers that nobody lends, side by side: mongod and nats-server.
pub(crate) async fn start(args: &Args, data: &Data) -> anyhow::Result<[Server; 2]> {
    let mongod = server(args.mongodb_uri.as_ref(), "mongod", mongod(data));
    let nats_server = server(args.nats_url.as_ref(), "nats-server", nats_server(data));
    let (mongod, nats_server) = tokio::try_join!(mongod, nats_server)?;
    Ok([mongod, nats_server])
}

async fn server(
    lent: Option<&String>,
    name: &str,
    start: impl Future<Output = anyhow::Result<Server>>,
) -> anyhow::Result<Server> {
    match lent {
        Some(uri) => {
            say(format_args!("{name}: the one that was given"));
            Ok(Server { uri: uri.clone(), part: None })
        }
        None => phase(format_args!("starting {name}"), start).await,
    }
}

async fn mongod(data: &Data) -> anyhow::Result<Server> {
    let binary = tools::mongod(&|line: &str| say(line)).await?;
    let folder = data.folder("mongod")?;
    let start = async || Mongod::start(&binary, &folder, None).await;
    let server = patiently(first_pauses(), start).await?;
    let log = folder.join("mongod.log");
    Ok(Server { uri: server.uri(), part: Some(Part::Mongod { server, log }) })
}

async fn nats_server(data: &Data) -> anyhow::Result<Server> {
    let binary = tools::nats_server(&|line: &str| say(line)).await?;
    let folder = data.folder("nats-server")?;
    let start = async || NatsServer::start(&binary, &folder, None).await;
    let server = patiently(first_pauses(), start).await?;
    let log = folder.join("nats-server.log");
    Ok(Server { uri: server.url(), part: Some(Part::NatsServer { server, log }) })
}
