//! A fleet that comes back from its backups.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mongodb::bson::{Document, doc};
use testkit::fleet::{Options, Service};
use testkit::process::Process;
use testkit::{Fleet, Shopper, Staff, World};

use super::mongosh::{mongosh, script};
use super::*;

const SCRIPTS: &str = "infra/k8s/base/backup/scripts";

/// What runs the scripts of the manifests on the databases of a fleet.
struct Keeper<'a> {
    mongosh: &'a Path,
    world: &'a World,
    dev: Cluster,
    databases: Vec<String>,
}

impl Keeper<'_> {
    /// Backs up every database, or restores it.
    async fn run(&self, act: &str) {
        for database in &self.databases {
            self.run_on(act, database).await;
        }
    }

    async fn run_on(&self, act: &str, database: &str) {
        let (code, said) = self.try_on(act, database).await;
        assert_eq!(code, 0, "{act} of {database}: {said}");
    }

    /// How it ends, and what it says.
    async fn try_on(&self, act: &str, database: &str) -> (i32, String) {
        let pods = self.dev.pods().find(|pods| pods.name() == format!("order-{act}")).unwrap();
        let container = pods.running().next().unwrap();
        let told = environment(&self.dev, pods, container);
        let spec = script(self.mongosh, container, SCRIPTS);
        let spec = told.into_iter().fold(spec, |spec, it| spec.env(it.name, it.value));
        let log = self.world.dir().join(format!("{act}.log"));
        let spec = spec
            .env("SERVICE", database)
            .env("MONGODB_URI", self.world.mongo_uri())
            .env("BACKUPS", self.backups())
            .env("HOME", self.world.dir())
            .log(&log);
        let code = Process::start(&spec).unwrap().wait().await;
        (code, std::fs::read_to_string(log).unwrap())
    }

    fn backups(&self) -> PathBuf {
        self.world.dir().join("backups")
    }

    /// Rewrites the only backup of a database, as this program of `sed` does.
    fn rewrite(&self, database: &str, sed: &str) {
        let script = "cd \"$0\" && gunzip *.gz && sed -i \"$1\" *.ndjson && gzip *.ndjson";
        let mut bash = std::process::Command::new("bash");
        let status = bash.args(["-c", script]).arg(self.backups().join(database)).arg(sed).status();
        assert!(status.unwrap().success());
    }
}

fn with_databases(databases: &[String]) -> Options {
    Service::ALL.into_iter().zip(databases).fold(Options::default(), |options, (service, name)| {
        options.env(service, "SOUK_DATABASE", name.clone())
    })
}

async fn stop(fleet: &Fleet) {
    for service in Service::ALL {
        fleet.stop(service).await;
    }
}

/// Empties the databases and the bus.
async fn lose(world: &World, databases: &[String]) {
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    for database in databases {
        client.database(database).drop().await.unwrap();
    }
    world.nats().wipe().await.unwrap();
}

/// The bus forgot everything: each service tells again what it told.
async fn tell_again(fleet: &Fleet) {
    for service in Service::ALL {
        for what in [&["replay", "--since", "72h"][..], &["replay", "--state"]] {
            let (code, said) = fleet.run(service, what).await.unwrap();
            assert_eq!(code, 0, "{service}: {said}");
        }
    }
}

#[tokio::test]
async fn a_fleet_goes_on_from_its_backups_on_an_empty_bus() {
    let Some(mongosh) = mongosh().await else { return };
    let world = World::start().await;
    let databases: Vec<_> = Service::ALL.iter().map(|it| world.database(it.name())).collect();
    let fleet = Fleet::start(&world, with_databases(&databases)).await;
    let staff = Staff::sign_in(&fleet.client()).await;
    staff.sells("Mug", &[("MUG", 1250, 9)]).await;
    let shopper = Shopper::register(&fleet.client(), "a@example.com", "correct horse").await;
    let paid = shopper.buys("MUG", 2, "pm_card_visa").await.text_of("id");
    shopper.add("MUG", 3).await;
    let open = shopper.checkout().await;
    shopper.until(&open, "reserved").await;
    stop(&fleet).await;
    let dev = dev().await;
    let keeper = Keeper { mongosh: &mongosh, world: &world, dev, databases: databases.clone() };
    keeper.run("backup").await;

    lose(&world, &databases).await;
    keeper.run("restore").await;
    let fleet = Fleet::start(&world, with_databases(&databases)).await;
    tell_again(&fleet).await;

    let shopper = Shopper::sign_in(&fleet.client(), "a@example.com", "correct horse").await;
    assert_eq!(shopper.order(&paid).await["status"], "paid");
    shopper.pay(&open, "pm_card_visa").await;
    shopper.until(&open, "paid").await;
    assert_eq!(shopper.buys("MUG", 4, "pm_card_visa").await["status"], "paid");
    let mug = fleet.client().get("/api/products/mug").await.ok();
    assert_eq!(mug["variants"][0]["available"], 0);
}

#[tokio::test]
async fn an_order_hears_again_what_was_told_since_its_backup() {
    let Some(mongosh) = mongosh().await else { return };
    let world = World::start().await;
    let databases: Vec<_> = Service::ALL.iter().map(|it| world.database(it.name())).collect();
    let fleet = Fleet::start(&world, with_databases(&databases)).await;
    let staff = Staff::sign_in(&fleet.client()).await;
    staff.sells("Mug", &[("MUG", 1250, 9)]).await;
    let shopper = Shopper::guest(&fleet.client()).await;
    shopper.add("MUG", 2).await;
    let order = shopper.checkout().await;
    shopper.until(&order, "reserved").await;
    let dev = dev().await;
    let keeper = Keeper { mongosh: &mongosh, world: &world, dev, databases: databases.clone() };
    keeper.run_on("backup", &fleet.database(Service::Order)).await;
    shopper.pay(&order, "pm_card_visa").await;
    shopper.until(&order, "paid").await;

    fleet.stop(Service::Order).await;
    keeper.run_on("restore", &fleet.database(Service::Order)).await;
    fleet.start_again(Service::Order).await.unwrap();

    shopper.until(&order, "paid").await;
    assert_eq!(shopper.payments(&order).await.len(), 1);
}

/// What breaks lines for some who read them, and for others does not.
const BROKEN: &str = "a mug\u{2028}of two\u{2029}lines\r\nand a half";

#[tokio::test]
async fn no_character_tears_a_backup_apart() {
    let Some(mongosh) = mongosh().await else { return };
    let world = World::start().await;
    let database = world.database("product");
    let keeper = Keeper { mongosh: &mongosh, world: &world, dev: dev().await, databases: vec![] };
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    let things = client.database(&database).collection::<Document>("things");
    things.insert_one(doc! { "_id": "prd_1", "title": BROKEN }).await.unwrap();
    keeper.run_on("backup", &database).await;

    // As it is written now, and with the characters themselves.
    for sed in ["", "s/\\\\u2028/\u{2028}/; s/\\\\u2029/\u{2029}/"] {
        keeper.rewrite(&database, sed);
        client.database(&database).drop().await.unwrap();
        let (code, said) = keeper.try_on("restore", &database).await;

        assert_eq!(code, 0, "{said}");
        assert!(said.contains("what it was 0.0 hours ago"), "{said}");
        let thing = things.find_one(doc! { "_id": "prd_1" }).await.unwrap().unwrap();
        assert_eq!(thing.get_str("title").unwrap(), BROKEN);
    }
}

#[tokio::test]
async fn a_backup_that_is_spoilt_replaces_nothing() {
    let Some(mongosh) = mongosh().await else { return };
    let world = World::start().await;
    let database = world.database("order");
    let keeper = Keeper { mongosh: &mongosh, world: &world, dev: dev().await, databases: vec![] };
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    let orders = client.database(&database).collection::<Document>("orders");
    let ids = ["ord_1", "ord_2", "ord_3"];
    orders.insert_many(ids.map(|id| doc! { "_id": id })).await.unwrap();

    let faults = [
        ("/ord_1/d", "holds 2 documents, not 3"),
        ("s/\"ord_2\"/\"ord_2/", "Unterminated string"),
        ("$d", "is not complete"),
        ("1s/order/cart/", "is a backup of"),
    ];
    for (sed, reason) in faults {
        keeper.run_on("backup", &database).await;
        keeper.rewrite(&database, sed);
        let (code, said) = keeper.try_on("restore", &database).await;

        assert_ne!(code, 0, "{sed}: {said}");
        assert!(said.contains(reason), "{sed}: {said}");
        assert_eq!(orders.count_documents(doc! {}).await.unwrap(), 3, "{sed}");
        std::fs::remove_dir_all(keeper.backups()).unwrap();
    }
}

#[tokio::test]
async fn what_a_backup_that_broke_off_left_behind_goes_after_a_day() {
    let Some(mongosh) = mongosh().await else { return };
    let world = World::start().await;
    let database = world.database("cart");
    let keeper = Keeper { mongosh: &mongosh, world: &world, dev: dev().await, databases: vec![] };
    let folder = keeper.backups().join(&database);
    std::fs::create_dir_all(&folder).unwrap();
    let left = |name: &str, hours: u64| {
        let file = File::create(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(hours)).unwrap();
    };
    left("old.ndjson.gz.part", 25);
    left("by-somebody-who-is-at-it.ndjson.gz.part", 1);

    keeper.run_on("backup", &database).await;

    assert!(!folder.join("old.ndjson.gz.part").exists());
    assert!(folder.join("by-somebody-who-is-at-it.ndjson.gz.part").exists());
}
