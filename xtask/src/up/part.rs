//! The processes that make up the shop: two servers and five services.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use testkit::StartError;
use testkit::mongo::Mongod;
use testkit::nats::NatsServer;
use testkit::process::Process;

use super::instance::Instance;

/// A process of the shop, with what it takes to start it again.
#[derive(Debug)]
pub(crate) enum Part {
    Mongod { server: Mongod, log: PathBuf },
    NatsServer { server: NatsServer, log: PathBuf },
    Service(Instance),
}

/// What other tools are told of a part; what does not apply to it is null.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) pid: Option<u32>,
    pub(crate) http: Option<String>,
    pub(crate) ops: Option<String>,
    pub(crate) log: Option<PathBuf>,
    pub(crate) uri: Option<String>,
}

impl Part {
    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Mongod { .. } => "mongod",
            Self::NatsServer { .. } => "nats-server",
            Self::Service(service) => service.name(),
        }
    }

    /// The service, unless it is one of the servers.
    pub(crate) fn service(&self) -> Option<&Instance> {
        match self {
            Self::Service(service) => Some(service),
            Self::Mongod { .. } | Self::NatsServer { .. } => None,
        }
    }

    /// Starts it, and waits until it is ready; ends it first when it runs.
    pub(crate) async fn restart(&self) -> Result<(), StartError> {
        match self {
            Self::Mongod { server, .. } => server.restart().await,
            Self::NatsServer { server, .. } => server.restart().await,
            Self::Service(service) => service.restart().await,
        }
    }

    /// The process that was started last.
    pub(crate) fn process(&self) -> Option<Arc<Process>> {
        match self {
            Self::Mongod { server, .. } => Some(server.process()),
            Self::NatsServer { server, .. } => Some(server.process()),
            Self::Service(service) => service.process(),
        }
    }

    /// What other tools are told of it.
    pub(crate) fn entry(&self) -> Entry {
        let (uri, log) = match self {
            Self::Mongod { server, log } => (Some(server.uri()), log.clone()),
            Self::NatsServer { server, log } => (Some(server.url()), log.clone()),
            Self::Service(service) => (None, service.log().to_owned()),
        };
        let url = |address| format!("http://{address}");
        Entry {
            name: self.name(),
            pid: self.process().filter(|it| it.is_running()).map(|it| it.pid()),
            http: self.service().map(|service| url(service.http())),
            ops: self.service().map(|service| url(service.ops())),
            log: Some(log),
            uri,
        }
    }
}
