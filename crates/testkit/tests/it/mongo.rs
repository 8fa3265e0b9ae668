//! The mongod.

use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection};
use testkit::mongo::ReplicaSet;
use testkit::{Scratch, World, eventually};

const SOON: std::time::Duration = std::time::Duration::from_mins(1);

/// Writes two documents in one transaction.
#[expect(clippy::disallowed_methods, reason = "it tries the server, not the store")]
async fn write_both(uri: &str, database: &str) -> mongodb::error::Result<()> {
    let client = Client::with_uri_str(uri).await?;
    let things: Collection<Document> = client.database(database).collection("things");
    let mut session = client.start_session().await?;
    session.start_transaction().await?;
    things.insert_one(doc! { "n": 1 }).session(&mut session).await?;
    things.insert_one(doc! { "n": 2 }).session(&mut session).await?;
    session.commit_transaction().await
}

async fn count(uri: &str, database: &str) -> u64 {
    let client = Client::with_uri_str(uri).await.unwrap();
    let things: Collection<Document> = client.database(database).collection("things");
    things.count_documents(doc! {}).await.unwrap()
}

#[tokio::test]
async fn transactions_work() {
    let world = World::start().await;
    let database = world.database("testkit");

    write_both(world.mongo_uri(), &database).await.unwrap();

    assert_eq!(count(world.mongo_uri(), &database).await, 2);
}

/// Tests have clocks of their own: what expired by the server's has often just been written.
#[tokio::test]
async fn what_expires_stays_as_long_as_a_test_wants_it() {
    let world = World::start().await;
    let admin = Client::with_uri_str(world.mongo_uri()).await.unwrap().database("admin");

    let asked = doc! { "getParameter": 1, "ttlMonitorEnabled": 1 };
    let parameter = admin.run_command(asked).await.unwrap();

    assert!(!parameter.get_bool("ttlMonitorEnabled").unwrap());
}

#[tokio::test]
async fn what_was_committed_outlives_a_kill() {
    let world = World::start_alone().await;
    let mongod = world.mongod().unwrap();
    write_both(world.mongo_uri(), "testkit").await.unwrap();

    mongod.kill().await;
    assert!(!mongod.process().is_running());
    mongod.restart().await.unwrap();

    assert_eq!(count(world.mongo_uri(), "testkit").await, 2);
}

#[tokio::test]
async fn data_may_come_back_at_another_port() {
    let world = World::start().await;
    let binary = testkit::tools::mongod(&|_| ()).await.unwrap();
    let data = world.dir().join("mongo");
    let first = testkit::mongo::Mongod::start(&binary, &data, None).await.unwrap();
    write_both(&first.uri(), "testkit").await.unwrap();
    first.stop().await;

    let second = testkit::mongo::Mongod::start(&binary, &data, None).await.unwrap();

    assert_ne!(first.uri(), second.uri());
    assert_eq!(count(&second.uri(), "testkit").await, 2);
}

#[tokio::test]
async fn databases_are_dropped_with_the_world() {
    let (first, second) = (World::start().await, World::start().await);
    let (left, kept) = (first.database("testkit"), second.database("testkit"));
    write_both(first.mongo_uri(), &left).await.unwrap();
    write_both(second.mongo_uri(), &kept).await.unwrap();

    drop(first);

    assert_eq!(count(second.mongo_uri(), &left).await, 0);
    assert_eq!(count(second.mongo_uri(), &kept).await, 2);
}

#[tokio::test]
async fn a_replica_set_goes_on_without_one_of_its_members() {
    let scratch = Scratch::new().unwrap();
    let binary = testkit::tools::mongod(&|_| ()).await.unwrap();
    let set = ReplicaSet::start(&binary, scratch.path()).await.unwrap();
    write_both(&set.uri(), "testkit").await.unwrap();

    let first = set.primary().await.unwrap();
    set.process(first).kill().await;
    let second = eventually("another primary", SOON, async || {
        set.primary().await.filter(|member| *member != first)
    })
    .await;
    write_both(&set.uri(), "testkit").await.unwrap();
    set.restart(first).await.unwrap();
    set.line(second).cut();
    eventually("a third primary", SOON, async || write_both(&set.uri(), "testkit").await.ok())
        .await;
    set.line(second).mend();

    assert_eq!(count(&set.uri(), "testkit").await % 2, 0);
    assert!(count(&set.uri(), "testkit").await >= 6);
}
