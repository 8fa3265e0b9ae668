//! A fleet that comes back from its backups.

use std::path::Path;

use testkit::fleet::{Options, Service};
use testkit::process::Process;
use testkit::{Fleet, Shopper, Staff, World, tools};

use super::mongosh::script;
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
        let pods = self.dev.pods().find(|pods| pods.name() == format!("order-{act}")).unwrap();
        let container = pods.running().next().unwrap();
        let told = environment(&self.dev, pods, container);
        let spec = script(self.mongosh, container, SCRIPTS);
        let spec = told.into_iter().fold(spec, |spec, it| spec.env(it.name, it.value));
        let log = self.world.dir().join(format!("{act}.log"));
        let spec = spec
            .env("SERVICE", database)
            .env("MONGODB_URI", self.world.mongo_uri())
            .env("BACKUPS", self.world.dir().join("backups"))
            .env("HOME", self.world.dir())
            .log(&log);
        let code = Process::start(&spec).unwrap().wait().await;
        assert_eq!(code, 0, "{act} of {database}: {}", std::fs::read_to_string(log).unwrap());
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
    let Some(mongosh) = tools::mongosh().await else { return };
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
    let Some(mongosh) = tools::mongosh().await else { return };
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
