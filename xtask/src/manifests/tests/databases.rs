//! The databases as a cluster keeps them, on real servers.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually, full, ports, tools};

use super::mongosh::{mongosh, script};
use super::*;

const SCRIPTS: &str = "infra/k8s/base/mongo/scripts";
const SOON: Duration = Duration::from_mins(1);
/// Longer than 6 characters, and the same for all members.
const KEY: &str = "bm9ib2R5LWVsc2Uta25vd3MtdGhpcw";

/// The members of order's replica set, and what keeps the first.
struct Set {
    mongosh: PathBuf,
    dev: Cluster,
    scratch: Scratch,
    ports: Vec<u16>,
    members: Vec<Process>,
}

impl Set {
    /// Starts so many members; none knows of the others.
    async fn start(members: usize) -> Option<Self> {
        let mongosh = mongosh().await?;
        let ports = (0..members).map(|_| ports::free()).collect();
        let (dev, scratch) = (dev().await, Scratch::new().unwrap());
        let mut set = Self { mongosh, dev, scratch, ports, members: vec![] };
        for number in 0..members {
            set.members.push(set.member(number).await);
        }
        Some(set)
    }

    fn pods(&self) -> cluster::Pods<'_> {
        self.dev.pods().find(|pods| pods.name() == "order-mongo").unwrap()
    }

    fn container(&self, name: &str) -> cluster::Container<'_> {
        self.pods().running().find(|container| container.name() == name).unwrap()
    }

    /// mongod with the arguments of the manifest, on folders of this machine.
    async fn member(&self, number: usize) -> Process {
        let folder = self.scratch.path().join(number.to_string());
        let keyfile = folder.join("keyfile");
        std::fs::create_dir_all(&folder).unwrap();
        if !keyfile.exists() {
            std::fs::write(&keyfile, KEY).unwrap();
            std::fs::set_permissions(&keyfile, Permissions::from_mode(0o400)).unwrap();
        }
        let mongod = self.container("mongod");
        let told = environment(&self.dev, self.pods(), mongod);
        let args = list(&mongod.0["args"]).filter_map(|arg| arg.as_str()).map(|arg| {
            let known = told.iter().fold(arg.to_owned(), |arg, variable| {
                arg.replace(&format!("$({})", variable.name), &variable.value)
            });
            let arg = known.replace("/data/db", &folder.display().to_string());
            let arg = arg.replace("/keyfile/keyfile", &keyfile.display().to_string());
            arg.replace("--bind_ip_all", "--bind_ip=127.0.0.1")
        });
        let spec = Spec::new(tools::mongod(&|line| eprintln!("{line}")).await.unwrap())
            .args(args)
            .arg(format!("--port={}", self.ports[number]))
            .log(folder.join("mongod.log"));
        Process::start(&spec).unwrap()
    }

    fn address(&self, number: usize) -> String {
        format!("127.0.0.1:{}", self.ports[number])
    }

    /// The keeper of one pod, with the secrets of the manifest; the password is the service's.
    fn keeper(&self, number: usize, password: &str) -> Process {
        let keeper = self.container("keeper");
        let spec = script(&self.mongosh, keeper, SCRIPTS);
        let told = environment(&self.dev, self.pods(), keeper);
        let spec = told.into_iter().fold(spec, |spec, it| spec.env(it.name, it.value));
        let members: Vec<_> = (0..self.ports.len()).map(|it| self.address(it)).collect();
        let spec = spec
            .env("POD", format!("order-mongo-{number}"))
            .env("OWN", self.address(number))
            .env("MEMBERS", members.join(","))
            .env("MONGODB_PASSWORD", password)
            .env("BACKUP_PASSWORD", "backup")
            .env("AUDITOR_PASSWORD", "auditor")
            .env("KEEPS_UP", self.keeps_up(number))
            .env("HOME", self.scratch.path())
            .env("PAUSE_MS", "200");
        Process::start(&spec.log(self.scratch.path().join("keeper.log"))).unwrap()
    }

    /// The file that says that a member keeps up.
    fn keeps_up(&self, number: usize) -> PathBuf {
        self.scratch.path().join(format!("keeps-up-{number}"))
    }

    async fn until_it_keeps_up(&self, number: usize) {
        let file = self.keeps_up(number);
        eventually("it keeps up", SOON, async || file.exists().then_some(())).await;
    }

    async fn as_user(&self, user: &str, password: &str) -> Client {
        let address = self.address(0);
        let how = "directConnection=true&serverSelectionTimeoutMS=5000&authSource";
        let database = if user == "admin" { "admin" } else { "order" };
        let uri = format!("mongodb://{user}:{password}@{address}/?{how}={database}");
        Client::with_uri_str(uri).await.unwrap()
    }

    /// Waits until a user gets in with this password.
    async fn until_known(&self, user: &str, password: &str) -> Client {
        let client = self.as_user(user, password).await;
        eventually("the user is known", SOON, async || {
            client.database("order").list_collection_names().await.ok().map(drop)
        })
        .await;
        client
    }

    /// How many bytes mongosh wrote of what it did.
    fn records(&self) -> u64 {
        let files = std::fs::read_dir(self.scratch.path().join(".mongodb/mongosh")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }

    /// How many members are primary or up to date.
    async fn healthy(&self) -> Option<usize> {
        let admin = self.as_user("admin", super::super::environment::SECRET).await;
        let status = doc! { "replSetGetStatus": 1 };
        let status = admin.database("admin").run_command(status).await.ok()?;
        let members = status.get_array("members").ok()?.iter().filter_map(|it| it.as_document());
        let is_well = |it: &&Document| matches!(it.get_i32("state"), Ok(1 | 2));
        Some(members.filter(is_well).count())
    }
}

#[tokio::test]
async fn a_database_becomes_what_its_secrets_say_as_often_as_it_is_told() {
    let Some(set) = Set::start(1).await else { return };
    let keeper = set.keeper(0, "first");
    let order = set.until_known("order", "first").await;
    let orders = order.database("order").collection("orders");
    orders.insert_one(doc! { "_id": "ord_1" }).await.unwrap();
    set.until_it_keeps_up(0).await;

    let foreign = order.database("payment").collection("payments");
    assert!(foreign.insert_one(doc! { "_id": "pay_1" }).await.is_err());
    for reader in ["backup", "auditor"] {
        let reads = set.until_known(reader, reader).await;
        let read = reads.database("order").collection::<Document>("orders");
        assert_eq!(read.count_documents(doc! {}).await.unwrap(), 1);
        assert!(read.insert_one(doc! {}).await.is_err(), "{reader} writes");
        assert!(read.delete_many(doc! {}).await.is_err(), "{reader} deletes");
    }

    assert!(set.records() < 16_384, "mongosh keeps a record of what it does");

    keeper.kill().await;
    let _keeper = set.keeper(0, "second");
    let again = set.until_known("order", "second").await;
    let orders = again.database("order").collection::<Document>("orders");
    assert_eq!(orders.count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test]
async fn three_members_become_one_set_and_take_in_one_that_lost_its_data() {
    if !full() {
        return;
    }
    let Some(mut set) = Set::start(3).await else { return };
    let keeper = set.keeper(0, "first");
    set.until_known("order", "first").await;
    eventually("three members", SOON, async || (set.healthy().await? == 3).then_some(())).await;
    let order = set.as_user("order", "first").await;
    let orders = order.database("order").collection("orders");
    orders.insert_one(doc! { "_id": "ord_1" }).await.unwrap();

    keeper.kill().await;
    set.members[0].kill().await;
    let folder = set.scratch.path().join("0");
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_file(set.keeps_up(0)).unwrap();
    set.members[0] = set.member(0).await;
    let _keeper = set.keeper(0, "first");

    set.until_it_keeps_up(0).await;
    eventually("three members", SOON, async || (set.healthy().await? == 3).then_some(())).await;
    let order = set.as_user("order", "first").await;
    let orders = order.database("order").collection::<Document>("orders");
    assert_eq!(orders.count_documents(doc! {}).await.unwrap(), 1);
}
