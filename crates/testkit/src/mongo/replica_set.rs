//! A replica set of three, whose members can be lost one by one.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::doc;

use super::{BOUND, Mongod, PAUSE, REPLICA_SET, WHAT, admin_at, is_primary, spec};
use crate::part::Part;
use crate::process::Process;
use crate::proxy::Proxy;
use crate::{StartError, ports};

/// How many members there are: one can be lost.
const MEMBERS: usize = 3;
/// Gigabytes.
const CACHE: f64 = 0.25;
/// Milliseconds without a word of the primary until another is elected.
const ELECTION: i32 = 3_000;

/// Three mongods on 127.0.0.1. Clients and the members themselves reach each through a [`Proxy`].
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Member>,
}

/// A mongod, and the line on which it is reached.
#[derive(Debug)]
struct Member {
    mongod: Mongod,
    line: Proxy,
}

impl ReplicaSet {
    /// Starts all members on new data in this folder, and waits for a primary.
    pub async fn start(binary: &Path, data: &Path) -> Result<Self, StartError> {
        let mut members = vec![];
        for number in 0..MEMBERS {
            let member = Member::start(binary, &data.join(number.to_string())).await;
            members.push(member.map_err(StartError::io(WHAT))?);
        }
        let set = Self { members };
        let first = &set.members[0].mongod;
        first.server.until(BOUND, set.initiate()).await?;
        Ok(set)
    }

    /// Where clients find it; transactions work there.
    pub fn uri(&self) -> String {
        let hosts: Vec<_> = self.members.iter().map(Member::host).collect();
        format!("mongodb://{}/?replicaSet={REPLICA_SET}", hosts.join(","))
    }

    /// Which member is primary, if one is just now.
    pub async fn primary(&self) -> Option<usize> {
        for (number, member) in self.members.iter().enumerate() {
            let admin = admin_at(member.mongod.port).await.ok()?;
            let asked = tokio::time::timeout(Duration::from_secs(1), is_primary(&admin));
            if member.process().is_running() && asked.await == Ok(true) {
                return Some(number);
            }
        }
        None
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Never.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The process of a member, to pause it or to see whether it runs.
    pub fn process(&self, member: usize) -> Arc<Process> {
        self.members[member].process()
    }

    /// The line on which a member is reached.
    pub fn line(&self, member: usize) -> &Proxy {
        &self.members[member].line
    }

    /// Starts a member again on its data, and waits until it answers; ends it first when it runs.
    pub async fn restart(&self, member: usize) -> Result<(), StartError> {
        let mongod = &self.members[member].mongod;
        mongod.server.start_again().await?;
        mongod.server.until(BOUND, mongod.answers()).await
    }

    /// Has a member give up being primary, if it is.
    pub async fn step_down(&self, member: usize) {
        let Ok(admin) = admin_at(self.members[member].mongod.port).await else { return };
        // What is not primary refuses, and that is as well.
        let _ = admin.run_command(doc! { "replSetStepDown": 10, "force": true }).await;
    }

    /// Tries until there is a primary: members may not listen yet.
    async fn initiate(&self) {
        let members = self.members.iter().zip(0..);
        let members: Vec<_> =
            members.map(|(member, id)| doc! { "_id": id, "host": member.host() }).collect();
        let settings = doc! { "electionTimeoutMillis": ELECTION, "heartbeatIntervalMillis": 500 };
        let config = doc! { "_id": REPLICA_SET, "members": members, "settings": settings };
        while self.primary().await.is_none() {
            if let Ok(admin) = admin_at(self.members[0].mongod.port).await {
                // It is refused once it was done.
                let _ = admin.run_command(doc! { "replSetInitiate": config.clone() }).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Member {
    async fn start(binary: &Path, data: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(data)?;
        let port = ports::free();
        let line = Proxy::to(port).await?;
        let log = data.join("mongod.log");
        let server = Part::start(WHAT, spec(binary, data, port, CACHE), log);
        Ok(Self { mongod: Mongod { server: server.map_err(io::Error::other)?, port }, line })
    }

    /// Where the others find it.
    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.line.port())
    }

    fn process(&self) -> Arc<Process> {
        self.mongod.process()
    }
}
