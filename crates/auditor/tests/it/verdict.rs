//! The program ends as it found the shop.

use auditor::Rule;
use mongodb::Client;
use mongodb::bson::doc;
use testkit::World;
use testkit::fleet::Service;
use testkit::process::{Process, Spec};

/// Looks at the shop of these databases; gives its exit code and what it said.
async fn looked(world: &World, mongodb: &str, databases: &[(Service, String)]) -> (i32, String) {
    let log = world.dir().join("audit.log");
    let named = databases.iter().map(|(service, name)| format!("--database={service}={name}"));
    let spec = Spec::new(env!("CARGO_BIN_EXE_auditor"))
        .arg("--quiet")
        .args(named)
        .env("MONGODB_URI", mongodb)
        .env("NATS_URL", world.nats().url())
        .log(&log);
    std::fs::write(&log, "").unwrap();
    let code = Process::start(&spec).unwrap().wait().await;
    (code, std::fs::read_to_string(&log).unwrap())
}

#[tokio::test]
async fn the_program_ends_with_1_when_not_everything_holds_and_with_2_when_it_cannot_look() {
    let world = World::start().await;
    let databases = Service::ALL.map(|service| (service, world.database(service.name())));
    let client = Client::with_uri_str(world.mongo_uri()).await.unwrap();
    for (_, database) in &databases {
        client.database(database).create_collection("frame").await.unwrap();
    }
    let (content, said) = looked(&world, world.mongo_uri(), &databases).await;
    assert_eq!(content, 0, "{said}");

    let payment = databases.iter().find(|(service, _)| *service == Service::Payment).unwrap();
    let notices = client.database(&payment.1).collection("webhooks");
    notices.insert_one(doc! { "_id": "sandbox:1", "state": "put_aside" }).await.unwrap();
    let (found, said) = looked(&world, world.mongo_uri(), &databases).await;
    assert_eq!(found, 1, "{said}");
    assert!(said.contains(&Rule::WebhookPutAside.to_string()), "{said}");

    let away = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200&replicaSet=rs0";
    let (blind, said) = looked(&world, away, &databases).await;
    assert_eq!(blind, 2, "{said}");
}
