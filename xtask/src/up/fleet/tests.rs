//! The fleet with small programs in the place of the services.

use std::fs;
use std::future::IntoFuture as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use serde_json::Value;
use testkit::fleet::Service;
use testkit::nats::NatsServer;
use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually, tools};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// Runs until it is asked to end.
const PATIENT: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/// A folder for a fleet, and the operations ports of its services.
struct World {
    scratch: Scratch,
    ready: JoinSet<io::Result<()>>,
}

impl World {
    fn new() -> Self {
        Self { scratch: Scratch::new().unwrap(), ready: JoinSet::new() }
    }

    fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// A service that is this script, and ready as soon as it runs.
    async fn service(&mut self, service: Service, script: &str) -> Part {
        let part = self.silent(service, Spec::new("sh").args(["-c", script]));
        let listener = TcpListener::bind(part.service().unwrap().ops()).await.unwrap();
        let ready = Router::new().fallback(async || "ready");
        self.ready.spawn(axum::serve(listener, ready).into_future());
        part
    }

    /// A service that never gets ready.
    fn silent(&self, service: Service, program: Spec) -> Part {
        let log = self.path().join(format!("{service}.log"));
        Part::Service(Instance::new(service, program, log))
    }

    fn fleet(&self, parts: Vec<Part>) -> Fleet {
        Fleet::new(Data::open(&self.path().join("data")).unwrap(), 8080, parts)
    }

    /// What other tools are told.
    fn told(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path().join("data").join(FILE)).unwrap()).unwrap()
    }
}

/// Runs a fleet for as long as this takes.
async fn while_kept<T>(fleet: &Fleet, run: impl Future<Output = T>) -> T {
    tokio::select! {
        reason = fleet.keep() => panic!("{reason}"),
        done = tokio::time::timeout(SOON, run) => done.expect("not soon enough"),
    }
}

fn process(part: &Part) -> Arc<Process> {
    part.process().unwrap()
}

#[tokio::test]
async fn the_others_are_told_what_runs_where() {
    let mut world = World::new();
    let cart = world.service(Service::Cart, PATIENT).await;
    let fleet = world.fleet(vec![cart]);

    while_kept(&fleet, fleet.ready()).await.unwrap();

    let (told, cart) = (world.told(), &fleet.parts[0]);
    assert_eq!(told[0]["name"], "ingress");
    assert_eq!(told[0]["pid"], std::process::id());
    assert_eq!(told[0]["http"], "http://localhost:8080");
    assert_eq!(told[0]["ops"], Value::Null);
    assert_eq!(told[1]["name"], "cart");
    assert_eq!(told[1]["pid"], process(cart).pid());
    assert_eq!(told[1]["http"], format!("http://{}", cart.service().unwrap().http()));
    assert_eq!(told[1]["ops"], format!("http://{}", cart.service().unwrap().ops()));
    assert_eq!(told[1]["log"], world.path().join("cart.log").to_str().unwrap());
}

#[tokio::test]
async fn a_service_that_dies_comes_back_at_the_same_place_and_the_others_are_told() {
    let mut world = World::new();
    let parts = vec![
        world.service(Service::Cart, PATIENT).await,
        world.service(Service::Order, PATIENT).await,
    ];
    let fleet = world.fleet(parts);

    while_kept(&fleet, async {
        fleet.ready().await.unwrap();
        let before = world.told();
        process(&fleet.parts[0]).kill().await;
        let after = eventually("cart is back", SOON, async || {
            let told = world.told();
            (told[1]["pid"] != before[1]["pid"] && told[1]["pid"].is_u64()).then_some(told)
        });
        let after = after.await;

        assert_eq!(after[1]["http"], before[1]["http"]);
        assert_eq!(after[1]["ops"], before[1]["ops"]);
        assert_eq!(after[2], before[2], "the other one is left alone");
        assert_eq!(after[1]["pid"], process(&fleet.parts[0]).pid());
    })
    .await;
}

#[tokio::test]
async fn one_that_does_not_start_ends_it_all_with_what_it_said_last() {
    let world = World::new();
    let script = "echo such a database is not known >&2; exit 3";
    let fleet =
        world.fleet(vec![world.silent(Service::Cart, Spec::new("sh").args(["-c", script]))]);

    let reason = tokio::time::timeout(SOON, fleet.keep()).await.unwrap().to_string();

    assert!(reason.contains("cart ended with code 3"), "{reason}");
    assert!(reason.contains("such a database is not known"), "{reason}");
}

#[tokio::test]
async fn services_end_before_the_servers_they_stand_on_and_nothing_is_left() {
    let mut world = World::new();
    let binary = tools::nats_server(&|line: &str| say(line)).await.unwrap();
    let server = NatsServer::start(&binary, &world.path().join("nats"), None).await.unwrap();
    let (nats, proof) = (server.process(), world.path().join("proof"));
    let script = format!(
        "trap 'kill -0 {} && echo it runs > {}; exit 0' TERM; while :; do sleep 0.1; done",
        nats.pid(),
        proof.display()
    );
    let cart = world.service(Service::Cart, &script).await;
    let fleet = world.fleet(vec![Part::NatsServer { server, log: "nats.log".into() }, cart]);
    while_kept(&fleet, fleet.ready()).await.unwrap();

    fleet.stop().await.unwrap();

    assert_eq!(fs::read_to_string(proof).unwrap(), "it runs\n");
    assert!(!nats.is_running() && !process(&fleet.parts[1]).is_running());
    assert!(!world.path().join("data").join(FILE).exists());
}
