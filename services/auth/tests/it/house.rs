//! A shop of nothing but its auth service, and those who knock at its door.

use std::time::Duration;

use auth::Config;
use common::Clock;
use common::config::ServiceConfig;
use common::service::Running;
use contracts::auth::SessionRevoked;
use futures_util::TryStreamExt as _;
use mongodb::Database;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use testkit::{Answer, Client, Peer, World, eventually};

/// Longer than anything takes that happens at all.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// When every test begins.
const MORNING: &str = "2026-01-31T08:00:00Z";

pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const OLD_KEY: &str = "the old secret of at least 32 characters";
pub(crate) const NEW_KEY: &str = "the new secret of at least 32 characters";

/// What the service stands on, and how it is configured.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) clock: Clock,
    pub(crate) peer: Peer,
    database: String,
}

/// A replica of the service.
pub(crate) struct Replica {
    running: Running,
}

impl House {
    pub(crate) async fn build() -> Self {
        let world = World::start().await;
        let peer = Peer::join(&world).await;
        let (clock, database) = (Clock::manual(MORNING.parse().unwrap()), world.database("auth"));
        Self { world, clock, peer, database }
    }

    /// A house and its only replica.
    pub(crate) async fn with_a_door() -> (Self, Replica) {
        let house = Self::build().await;
        let replica = house.opens(house.config()).await;
        (house, replica)
    }

    /// Signs with the old key, and appoints nobody.
    pub(crate) fn config(&self) -> Config {
        let servers = (self.world.mongo_uri(), self.world.nats().url());
        let service = ServiceConfig::for_tests(servers.0, &self.database, &servers.1);
        Config {
            service: ServiceConfig { clock: self.clock.clone(), ..service },
            jwt_key: OLD_KEY.into(),
            jwt_key_previous: "".into(),
            allow_short_key: false,
            access_token_life: Duration::from_mins(5),
            guests_per_address: 6_000,
            registrations_per_address: 1_000,
            hashing_threads: None,
            smtp_url: "".into(),
            mail_dir: String::new(),
            mail_from: "Souk <shop@souk.example>".into(),
            shop_url: "https://shop.example.com".into(),
            admin_email: "".into(),
            admin_password: "".into(),
        }
    }

    /// Starts a replica.
    pub(crate) async fn opens(&self, config: Config) -> Replica {
        // What it takes to start is much.
        let service = Box::pin(auth::start(config)).await.unwrap();
        Replica { running: service.run_in_background().await.unwrap() }
    }

    /// What was told of the end of a sign-in, as soon as something was.
    pub(crate) async fn hears_the_end_of(&self, session: &str) -> SessionRevoked {
        self.peer.hears::<SessionRevoked>(session).await
    }

    /// The documents of a collection of the service's database.
    pub(crate) async fn stored(&self, collection: &str) -> Vec<Document> {
        let found = self.database().await.collection(collection).find(doc! {}).await;
        found.unwrap().try_collect().await.unwrap()
    }

    /// Changes what is stored, behind the service's back.
    pub(crate) async fn changes(&self, collection: &str, which: Document, update: Document) {
        let documents = self.database().await.collection::<Document>(collection);
        documents.update_many(which, update).await.unwrap();
    }

    /// Has the person of this sign-in signed in so many times more, before all their other sign-ins;
    /// where `unreadable` says so, one of them is nothing that the service can read.
    pub(crate) async fn crowds(&self, signed_in: &Answer, many: usize, unreadable: Option<usize>) {
        let session = session_of(signed_in);
        let known = self.stored("sessions").await;
        let is_it = |it: &&Document| it.get_str("_id").is_ok_and(|id| id == session);
        let known = known.iter().find(is_it).unwrap();
        let copies = (0..many).map(|number| {
            let mut copy = known.clone();
            copy.insert("_id", format!("ses_{number:032x}"));
            if unreadable == Some(number) {
                copy.insert("created_at", "not a time");
            }
            copy
        });
        let sessions = self.database().await.collection::<Document>("sessions");
        sessions.insert_many(copies).await.unwrap();
    }

    /// Takes everything from the service that it ever stored.
    pub(crate) async fn wipe(&self) {
        self.database().await.drop().await.unwrap();
    }

    pub(crate) async fn database(&self) -> Database {
        let client = mongodb::Client::with_uri_str(self.world.mongo_uri()).await;
        client.unwrap().database(&self.database)
    }
}

impl Replica {
    /// Asks it as nobody.
    pub(crate) fn door(&self) -> Client {
        Client::at(format!("http://{}", self.running.http))
    }

    /// Asks it with this access token.
    pub(crate) fn door_with(&self, signed_in: &Answer) -> Client {
        self.door().with_token(signed_in.text_of("access_token"))
    }

    pub(crate) async fn registers(&self, email: &str) -> Answer {
        self.door().post("/api/auth/register").json(&person(email, PASSWORD)).await.status(201)
    }

    pub(crate) async fn signs_in(&self, email: &str, password: &str) -> Answer {
        self.door().post("/api/auth/login").json(&person(email, password)).await
    }

    pub(crate) async fn signs_in_from(&self, address: &str, email: &str, password: &str) -> Answer {
        let form = person(email, password);
        let ask = self.door().post("/api/auth/login").json(&form);
        ask.header("x-forwarded-for", address).await
    }

    /// Exchanges the refresh token of an answer.
    pub(crate) async fn refreshes(&self, signed_in: &Answer) -> Answer {
        let token = json!({ "refresh_token": signed_in.text_of("refresh_token") });
        self.door().post("/api/auth/refresh").json(&token).await
    }

    pub(crate) async fn me(&self, signed_in: &Answer) -> Answer {
        self.door_with(signed_in).get("/api/auth/me").await
    }

    /// Waits until it lets nobody in with this access token.
    pub(crate) async fn refuses(&self, signed_in: &Answer) {
        eventually("the token is refused", SOON, async || {
            (self.me(signed_in).await.status == 401).then_some(())
        })
        .await;
    }

    /// The names of the keys it shows.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let set = self.door().get("/api/auth/jwks.json").await.ok();
        let keys = set["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// What it says of itself to those on call.
    pub(crate) fn operations(&self) -> Client {
        Client::at(format!("http://{}", self.running.ops))
    }

    pub(crate) async fn stops(self) {
        self.running.stop().await.unwrap();
    }
}

pub(crate) fn person(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// The sign-in that an answer's tokens are of.
pub(crate) fn session_of(signed_in: &Answer) -> String {
    signed_in.text_of("refresh_token").split('.').next().unwrap().to_owned()
}

/// The name of the key that an answer's access token is signed with.
pub(crate) fn kid_of(signed_in: &Answer) -> String {
    let token = signed_in.text_of("access_token");
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}
