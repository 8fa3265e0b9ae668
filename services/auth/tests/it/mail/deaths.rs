//! Mails of a process that is killed: none is lost, and none tells of what did not happen.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use testkit::process::{Process, Spec};
use testkit::{Answer, Client, MailServer, World, eventually, ports};

use crate::house::{ALICE, OLD_KEY, PASSWORD, person};

const VERIFY: &str = "Is this your address?";
const UNANSWERED: &str = "unanswered@example.com";
/// Longer than it takes to start, and to take over what a dead process had in hand.
const SOON: Duration = Duration::from_mins(1);

/// What the process stands on.
struct Ground {
    world: World,
    server: MailServer,
    database: String,
}

/// The real program, running.
struct Running {
    process: Process,
    door: Client,
}

impl Ground {
    async fn prepare() -> Self {
        let world = World::start().await;
        let server = MailServer::start(world.dir()).await.unwrap();
        let database = world.database("auth");
        Self { world, server, database }
    }

    /// Starts the program, which dies at a point if it is told one.
    async fn starts(&self, dies_at: Option<&str>) -> Running {
        let (http, ops) = (ports::free(), ports::free());
        let spec = Spec::new(env!("CARGO_BIN_EXE_auth"))
            .env("MONGODB_URI", self.world.mongo_uri())
            .env("NATS_URL", self.world.nats().url())
            .env("SOUK_DATABASE", &self.database)
            .env("SOUK_HTTP", format!("127.0.0.1:{http}"))
            .env("SOUK_OPS", format!("127.0.0.1:{ops}"))
            .env("SOUK_SMTP_URL", self.server.url())
            .env("JWT_KEY", OLD_KEY)
            .log(self.world.dir().join(format!("auth-{http}.log")));
        let spec = match dies_at {
            Some(point) => spec.env("SOUK_CRASH_AT", point),
            None => spec,
        };
        let process = Process::start(&spec).unwrap();
        let ready = Client::at(format!("http://127.0.0.1:{ops}"));
        eventually("it is ready", SOON, async || {
            ready.get("/ready").send().await.ok().filter(Answer::is_ok)
        })
        .await;
        Running { process, door: Client::at(format!("http://127.0.0.1:{http}")) }
    }

    /// Waits until so many mails were handed over; gives whom each is for and its name.
    async fn mails(&self, many: usize) -> Vec<(String, String)> {
        let mails = eventually("the mails are sent", SOON, async || {
            Some(self.server.mails()).filter(|mails| mails.len() >= many)
        })
        .await;
        assert_eq!(mails.len(), many);
        let told = mails.iter().inspect(|mail| assert_eq!(mail.headers["subject"], VERIFY));
        told.map(|mail| (mail.to[0].clone(), mail.headers["message-id"].clone())).collect()
    }

    async fn stored(&self) -> mongodb::Collection<Document> {
        let client = mongodb::Client::with_uri_str(self.world.mongo_uri()).await.unwrap();
        client.database(&self.database).collection("mails")
    }
}

impl Running {
    /// Registers while the process dies over it.
    async fn dies_registering(self, email: &str) {
        let form = person(email, PASSWORD);
        let answer = self.door.post("/api/auth/register").json(&form).send().await;
        assert!(answer.is_err(), "it lives: {answer:?}");
        self.process.wait().await;
    }

    async fn registers(&self, email: &str) -> u16 {
        self.door.post("/api/auth/register").json(&person(email, PASSWORD)).await.status
    }
}

#[tokio::test]
async fn a_mail_is_sent_though_the_process_died_when_it_was_written() {
    let ground = Ground::prepare().await;
    ground.starts(Some("after_commit:1")).await.dies_registering(ALICE).await;
    assert_eq!(ground.server.mails().len(), 0);

    let again = ground.starts(None).await;

    assert_eq!(ground.mails(1).await[0].0, ALICE);
    assert_eq!(again.registers(ALICE).await, 409, "it was committed");
    assert_eq!(again.process.stop().await, 0);
    assert_eq!(ground.server.mails().len(), 1);
}

#[tokio::test]
async fn nothing_is_told_of_what_died_with_the_process() {
    let ground = Ground::prepare().await;
    ground.starts(Some("uncommitted:1")).await.dies_registering(ALICE).await;

    let again = ground.starts(None).await;
    assert_eq!(again.registers("bob@example.com").await, 201);

    assert_eq!(ground.mails(1).await[0].0, "bob@example.com");
    assert_eq!(again.registers(ALICE).await, 201, "it was not committed");
    assert_eq!(ground.mails(2).await[1].0, ALICE);
    assert_eq!(again.process.stop().await, 0);
}

#[tokio::test]
async fn a_mail_comes_twice_under_one_name_when_the_process_died_before_it_heard_that_it_was_taken()
{
    let ground = Ground::prepare().await;
    let first = ground.starts(None).await;
    assert_eq!(first.registers(UNANSWERED).await, 201);
    ground.mails(1).await;
    first.process.kill().await;
    let mails = ground.stored().await;
    let waiting = mails.find_one(doc! { "state": "waiting", "tries": 1 }).await.unwrap();
    assert!(waiting.is_some(), "nobody knows that it was taken");

    // As if the minute until the next try were over.
    let due = doc! { "$set": { "at": "2026-01-31T08:00:00.000Z" } };
    mails.update_many(doc! {}, due).await.unwrap();
    let again = ground.starts(None).await;

    let sent = ground.mails(2).await;
    assert_eq!(sent[0], sent[1], "whoever reads both sees one");
    eventually("it is known to be sent", SOON, async || {
        mails.find_one(doc! { "state": "sent" }).await.unwrap()
    })
    .await;
    assert_eq!(again.process.stop().await, 0);
    assert_eq!(ground.server.mails().len(), 2);
}
