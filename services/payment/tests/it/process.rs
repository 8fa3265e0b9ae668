//! The real program: which provider it starts with.

use std::time::Duration;

use testkit::World;
use testkit::process::{Process, Spec};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);

/// Starts it with these variables, far from its servers; how it ended and what it said.
async fn ends(world: &World, variables: &[(&str, &str)]) -> (i32, String) {
    let log = world.dir().join(format!("payment-{}.log", world.database("log")));
    let nowhere = Spec::new(env!("CARGO_BIN_EXE_payment"))
        .env("MONGODB_URI", "mongodb://127.0.0.1:1/?replicaSet=rs0")
        .env("NATS_URL", "nats://127.0.0.1:1")
        .log(&log);
    let spec = variables.iter().fold(nowhere, |spec, (name, value)| spec.env(name, value));
    let process = Process::start(&spec).unwrap();
    let code = timeout(SOON, process.wait()).await.expect("it ends");
    (code, std::fs::read_to_string(log).unwrap())
}

#[tokio::test]
async fn sandbox_is_refused_unless_allowed() {
    let world = World::start().await;

    for variables in [
        &[][..],
        &[("SOUK_PROVIDER", "sandbox")],
        &[("SOUK_PROVIDER", "sandbox"), ("SOUK_ALLOW_SANDBOX", "false")],
        &[("SOUK_STRIPE_SECRET_KEY", "sk_test_key")],
    ] {
        let (code, said) = ends(&world, variables).await;

        assert_eq!(code, 64, "{variables:?} {said}");
        assert!(said.contains("SOUK_ALLOW_SANDBOX=true"), "{variables:?} {said}");
    }
}

#[tokio::test]
async fn declaring_takes_no_provider() {
    let world = World::start().await;
    let spec = Spec::new(env!("CARGO_BIN_EXE_payment"))
        .arg("--declare")
        .env("MONGODB_URI", world.mongo_uri())
        .env("NATS_URL", world.nats().url())
        .env("SOUK_DATABASE", world.database("payment"))
        .env("SOUK_PROVIDER", "stripe")
        .log(world.dir().join("payment.log"));

    let code = Process::start(&spec).unwrap().wait().await;

    assert_eq!(code, 0);
}
