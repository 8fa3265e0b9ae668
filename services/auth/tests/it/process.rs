//! The real program: what it starts with, and what it never says.

use std::time::Duration;

use serde_json::json;
use testkit::process::{Process, Spec};
use testkit::{Client, MailServer, World, eventually, ports};

const SOON: Duration = Duration::from_secs(30);
const JWT_KEY: &str = "canary-jwt-key-of-at-least-32-characters";
const PREVIOUS: &str = "canary-previous-of-at-least-32-characters";

fn program() -> Spec {
    Spec::new(env!("CARGO_BIN_EXE_auth"))
}

/// Starts it with these variables, and gives what it said when it ended, which is at once.
async fn ends(world: &World, variables: &[(&str, &str)]) -> (i32, String) {
    let log = world.dir().join(format!("auth-{}.log", world.database("log")));
    let nowhere = program()
        .env("MONGODB_URI", "mongodb://127.0.0.1:1/?replicaSet=rs0")
        .env("NATS_URL", "nats://127.0.0.1:1")
        .env("JWT_KEY", JWT_KEY)
        .log(&log);
    let spec = variables.iter().fold(nowhere, |spec, (name, value)| spec.env(name, value));
    let process = Process::start(&spec).unwrap();
    let code = tokio::time::timeout(SOON, process.wait()).await.expect("it ends");
    (code, std::fs::read_to_string(log).unwrap())
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_named() {
    let world = World::start().await;
    let long = "x".repeat(129);

    for (variables, blamed, hint) in [
        (
            &[("JWT_KEY", "canary-of-thirty-one-characters")][..],
            "JWT_KEY",
            "openssl rand -base64 48",
        ),
        (&[("JWT_KEY", "")], "JWT_KEY", "openssl rand -base64 48"),
        (&[("JWT_KEY", "canary-of-thirty-one-characters \n")], "JWT_KEY", "32 characters"),
        (&[("JWT_KEY_PREVIOUS", "canary")], "JWT_KEY_PREVIOUS", "openssl rand -base64 48"),
        (&[("SOUK_ACCESS_TOKEN_LIFE", "6m")], "SOUK_ACCESS_TOKEN_LIFE", "5m"),
        (&[("SOUK_ACCESS_TOKEN_LIFE", "soon")], "SOUK_ACCESS_TOKEN_LIFE", ""),
        (&[("SOUK_ADMIN_EMAIL", "canary@example.com")], "SOUK_ADMIN_PASSWORD", "both"),
        (&[("SOUK_ADMIN_PASSWORD", "canary canary")], "SOUK_ADMIN_EMAIL", "both"),
        (&[("SOUK_SMTP_URL", "smtp://canary:canary@localhost")], "SOUK_SMTP_URL", "tls=required"),
        (&[("SOUK_SMTP_URL", "canary")], "SOUK_SMTP_URL", "smtp://"),
        (
            &[("SOUK_SMTP_URL", "smtp://localhost"), ("SOUK_MAIL_DIR", "/canary")],
            "SOUK_MAIL_DIR",
            "one of them",
        ),
        (&[("SOUK_MAIL_FROM", "canary")], "SOUK_MAIL_FROM", "shop@"),
        (&[("SOUK_SHOP_URL", "canary.example")], "SOUK_SHOP_URL", "https://"),
        (
            &[("SOUK_ADMIN_EMAIL", "canary"), ("SOUK_ADMIN_PASSWORD", "canary canary")],
            "SOUK_ADMIN_EMAIL",
            "alice@example.com",
        ),
        (
            &[("SOUK_ADMIN_EMAIL", "canary@example.com"), ("SOUK_ADMIN_PASSWORD", long.as_str())],
            "SOUK_ADMIN_PASSWORD",
            "8 to 128 characters",
        ),
    ] {
        let (code, said) = ends(&world, variables).await;

        assert_eq!(code, 64, "{variables:?} {said}");
        assert!(said.contains(blamed) && said.contains(hint), "{variables:?} {said}");
        assert!(!said.contains("canary") && !said.contains(&long), "{variables:?} {said}");
    }
}

/// Starts it with this key until it is ready; all that it said.
async fn logs_with_key(world: &World, key: &str, previous: &str) -> String {
    let log = world.dir().join(format!("auth-{}.log", world.database("log")));
    let ops = ports::free();
    let spec = program()
        .env("MONGODB_URI", world.mongo_uri())
        .env("NATS_URL", world.nats().url())
        .env("SOUK_DATABASE", world.database("auth"))
        .env("SOUK_HTTP", "127.0.0.1:0")
        .env("SOUK_OPS", format!("127.0.0.1:{ops}"))
        .env("JWT_KEY", key)
        .env("JWT_KEY_PREVIOUS", previous)
        .env("SOUK_ALLOW_SHORT_KEY", "true")
        .log(&log);
    let process = Process::start(&spec).unwrap();
    let client = Client::at(format!("http://127.0.0.1:{ops}"));
    eventually("it is ready", SOON, async || {
        client.get("/ready").send().await.ok().filter(testkit::Answer::is_ok)
    })
    .await;
    process.kill().await;
    std::fs::read_to_string(log).unwrap()
}

#[tokio::test]
async fn short_key_starts_with_warning_where_allowed() {
    let world = World::start().await;

    for (key, previous) in [("132", ""), ("132\n", JWT_KEY), ("132", "131")] {
        let said = logs_with_key(&world, key, previous).await;
        let warning = said.lines().find(|line| line.contains("JWT_KEY IS TOO SHORT"));
        assert!(warning.is_some_and(|line| line.contains("WARN")), "{said}");
    }
    let said = logs_with_key(&world, JWT_KEY, PREVIOUS).await;
    assert!(!said.contains("TOO SHORT"), "{said}");
}

#[tokio::test]
async fn short_key_is_refused_elsewhere() {
    let world = World::start().await;

    for (key, allowed) in [("132", "false"), ("", "true"), (" \n", "true")] {
        let variables = [("JWT_KEY", key), ("SOUK_ALLOW_SHORT_KEY", allowed)];
        let (code, said) = ends(&world, &variables).await;

        assert_eq!(code, 64, "{variables:?} {said}");
        assert!(said.contains("JWT_KEY: at least 32 characters"), "{variables:?} {said}");
    }
}

#[tokio::test]
async fn what_is_declared_takes_no_secrets() {
    let world = World::start().await;
    let spec = program()
        .arg("--declare")
        .env("MONGODB_URI", world.mongo_uri())
        .env("NATS_URL", world.nats().url())
        .env("SOUK_DATABASE", world.database("auth"))
        .log(world.dir().join("auth.log"));

    let code = Process::start(&spec).unwrap().wait().await;

    assert_eq!(code, 0);
}

#[tokio::test]
async fn nothing_secret_or_personal_is_logged() {
    let world = World::start().await;
    let server = MailServer::start(world.dir()).await.unwrap();
    let (log, http, ops) = (world.dir().join("auth.log"), ports::free(), ports::free());
    let spec = program()
        .env("MONGODB_URI", world.mongo_uri())
        .env("NATS_URL", world.nats().url())
        .env("SOUK_DATABASE", world.database("auth"))
        .env("SOUK_HTTP", format!("127.0.0.1:{http}"))
        .env("SOUK_OPS", format!("127.0.0.1:{ops}"))
        .env("SOUK_LOG", "trace")
        .env("JWT_KEY", JWT_KEY)
        .env("JWT_KEY_PREVIOUS", PREVIOUS)
        .env("SOUK_SMTP_URL", server.url())
        .env("SOUK_ADMIN_EMAIL", "canary-admin@example.com")
        .env("SOUK_ADMIN_PASSWORD", "canary-admin-password")
        .log(&log);
    let process = Process::start(&spec).unwrap();
    let ready = Client::at(format!("http://127.0.0.1:{ops}"));
    eventually("it is ready", SOON, async || {
        ready.get("/ready").send().await.ok().filter(testkit::Answer::is_ok)
    })
    .await;

    let door = Client::at(format!("http://127.0.0.1:{http}"));
    let mut secrets = everything_is_done(&door).await;
    secrets.extend(everything_is_written(&door, &server).await);
    assert_eq!(process.stop().await, 0);

    let said = std::fs::read_to_string(log).unwrap().to_lowercase();
    for event in ["request answered", "sign-in revoked", "mail sent", "mail given up"] {
        assert!(said.contains(event), "{event} in {said}");
    }
    for secret in secrets.iter().map(|secret| secret.to_lowercase()) {
        let at = said.find(&secret).map(|at| &said[at.saturating_sub(200)..at + secret.len()]);
        assert!(at.is_none(), "{at:?}");
    }
}

/// Does all that can be done, and gives all that nobody may read of it.
async fn everything_is_done(door: &Client) -> Vec<String> {
    let post = |path: &str, body| door.post(format!("/api/auth/{path}")).json(&body);
    let alice = json!({ "email": "Canary-Alice@example.com", "password": "canary-password",
        "name": "Canary Alice" });
    let first = post("register", alice.clone()).await.status(201);
    let _ = post("register", alice).await.status(409);
    let _ =
        post("register", json!({ "email": "canary-bad", "password": "canary" })).await.status(422);
    let wrong = json!({ "email": "canary-alice@example.com", "password": "canary-wrong" });
    let _ = post("login", wrong).await.status(401);
    let admin = json!({ "email": "canary-admin@example.com", "password": "canary-admin-password" });
    let admin = post("login", admin).await.status(200);
    let refresh =
        |held: &testkit::Answer| post("refresh", json!({ "refresh_token": held["refresh_token"] }));
    let second = refresh(&first).await.status(200);
    let third = refresh(&second).await.status(200);
    let _ = refresh(&first).await.status(401);
    let guest = door.post("/api/auth/guest").await.status(201);
    let as_guest = door.with_token(guest.text_of("access_token"));
    let _ = as_guest.get("/api/auth/me").await.status(200);
    let _ = as_guest.post("/api/auth/logout").await.status(204);
    let _ = as_guest.get("/api/auth/me").await.status(401);

    let staff = door.with_token(admin.text_of("access_token"));
    let _ = staff.get("/api/auth/users?email=canary-alice@example.com").await.status(200);
    let _ = staff.get("/api/auth/users?name=Canary&role=shopper").await.status(200);
    let _ = staff.get("/api/auth/users?email=canary").await.status(400);
    let _ = staff.get("/api/auth/audit").await.status(200);
    let _ = staff.get("/api/auth/sessions").await.status(200);
    let change = json!({ "current_password": "canary-wrong", "password": "canary-other" });
    let _ = staff.post("/api/auth/password").json(&change).await.status(422);

    let tokens = [first, second, third, admin, guest].into_iter().flat_map(|held| {
        let (_, secret) = held["refresh_token"].as_str().unwrap().split_once('.').unwrap();
        let access = held.text_of("access_token");
        let (_, signature) = access.rsplit_once('.').unwrap();
        [secret[24..].to_owned(), signature.to_owned()]
    });
    tokens.chain(["canary".to_owned(), "$argon2id".to_owned()]).collect()
}

/// Has mails of all kinds sent that need no order, one to nobody among them, and gives their tokens.
async fn everything_is_written(door: &Client, server: &MailServer) -> Vec<String> {
    let post = |path: &str, body| door.post(format!("/api/auth/{path}")).json(&body);
    let nobody = json!({ "email": "nobody-canary@example.com", "password": "canary-password" });
    let _ = post("register", nobody).await.status(201);
    let alice = json!({ "email": "canary-alice@example.com", "password": "canary-password" });
    let alice = post("login", alice).await.status(200);
    for email in ["canary-alice@example.com", "canary-unknown@example.com"] {
        let _ = post("password/forgotten", json!({ "email": email })).await.status(202);
    }
    let to = json!({ "email": "canary-new@example.com", "current_password": "canary-password" });
    let moves = door.with_token(alice.text_of("access_token")).post("/api/auth/email").json(&to);
    let _ = moves.await.status(202);
    let mails = eventually("the mails are sent", SOON, async || {
        Some(server.mails()).filter(|mails| mails.len() == 4)
    })
    .await;
    let (_, reset) = mails.iter().find_map(|it| it.text.split_once("/account/reset#")).unwrap();
    let reset = reset.lines().next().unwrap();
    let wrong = json!({ "token": format!("{reset}x"), "password": "canary-other" });
    let _ = post("password/reset", wrong).await.status(422);
    let right = json!({ "token": reset, "password": "canary-other" });
    let _ = post("password/reset", right).await.status(204);
    let tokens = mails.iter().filter_map(|mail| mail.text.split_once('#')?.1.lines().next());
    tokens.filter_map(|token| Some(token.split_once('.')?.1.to_owned())).collect()
}
