//! What a service is told by flags, and what it says when it cannot use them.

use std::time::Duration;

use clap::Parser;
use common::config::{Act, Exit, ServiceConfig, parse};
use secrecy::{ExposeSecret as _, SecretString};

/// A service for tests.
#[derive(Debug, Parser)]
#[command(name = "shelf", version = "1.2.3")]
struct Config {
    #[command(flatten)]
    service: ServiceConfig,

    /// A secret of its own.
    #[arg(long, env = "SHELF_KEY", hide_env_values = true, default_value = "", value_parser = key)]
    key: SecretString,
}

fn key(text: &str) -> Result<SecretString, &'static str> {
    if text.len() == 5 { Err("five characters are too few") } else { Ok(text.into()) }
}

const NEEDED: [&str; 2] =
    ["--mongodb-uri=mongodb://db/?replicaSet=rs0", "--nats-url=nats://a,nats://b"];

fn with(flags: &[&str]) -> Result<Config, Exit> {
    parse(["shelf"].iter().chain(&NEEDED).chain(flags))
}

fn refused(flags: &[&str]) -> String {
    let exit = with(flags).expect_err("it is refused");
    assert_eq!(exit.code, 64);
    exit.message
}

#[test]
fn little_has_to_be_said() {
    let config = with(&[]).unwrap();

    assert_eq!(config.service.http.to_string(), "0.0.0.0:3000");
    assert_eq!(config.service.ops.to_string(), "0.0.0.0:9000");
    assert_eq!(config.service.grace, Duration::from_secs(20));
    assert_eq!(config.service.group_commit, 64);
    assert_eq!(config.service.cors_origins.0.len(), 0);
    assert_eq!(config.service.otlp_endpoint, None);
    assert!(config.service.declare_at_start);
    assert!(config.key.expose_secret().is_empty());
}

#[test]
fn what_is_missing_is_named_as_flag_and_variable() {
    // Where the tests use servers that are there already, nothing is missing.
    let Err(exit) = parse::<Config>(["shelf"]) else { return };

    assert_eq!(exit.code, 64);
    for (flag, variable) in [("--mongodb-uri", "MONGODB_URI"), ("--nats-url", "NATS_URL")] {
        let named = exit.message.contains(flag) && exit.message.contains(variable);
        assert!(named || std::env::var_os(variable).is_some(), "{variable} in {}", exit.message);
    }
}

#[test]
fn what_is_wrong_is_named_as_flag_and_variable() {
    for (flag, variable) in [
        ("--http=nowhere", "SOUK_HTTP"),
        ("--grace=20", "SOUK_GRACE"),
        ("--log=info,=", "SOUK_LOG"),
        ("--group-commit=0", "SOUK_GROUP_COMMIT"),
        ("--declare-at-start=perhaps", "SOUK_DECLARE_AT_START"),
        ("--cors-origins=shop.example.com", "SOUK_CORS_ORIGINS"),
        ("--stream-replicas=9", "SOUK_STREAM_REPLICAS"),
        ("--event-word=0s", "SOUK_EVENT_WORD"),
        ("--crash-at=lunch", "SOUK_CRASH_AT"),
        ("--otlp-endpoint=collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("--otlp-endpoint=http://key@collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("--trace-share=1.5", "OTEL_TRACES_SAMPLER_ARG"),
    ] {
        let message = refused(&[flag]);

        assert!(message.contains(variable), "{variable} in {message}");
    }
}

#[test]
fn a_secret_is_not_repeated() {
    let secret = "hunter2";
    let uri = format!("--mongodb-uri=mongo://souk:{secret}@db");
    for flags in [
        ["shelf", &uri, "--nats-url=nats://a"],
        ["shelf", NEEDED[0], "--nats-url=nats://souk:hunter2@a:b:c"],
    ] {
        let exit = parse::<Config>(flags).unwrap_err();

        assert_eq!(exit.code, 64);
        assert!(!exit.message.contains(secret), "{}", exit.message);
    }
    let message = refused(&["--otlp-endpoint=http://souk:hunter2@collector"]);
    assert!(!message.contains(secret), "{message}");
    let message = refused(&["--key=short"]);
    assert!(!message.contains("short") && message.contains("SHELF_KEY"), "{message}");
    assert!(message.contains("five characters are too few"), "{message}");
    let config = with(&["--nats-password=hunter2"]).unwrap();
    assert!(!format!("{config:?}").contains(secret));
}

#[test]
fn help_and_version_are_no_failure() {
    let help = with(&["--help"]).unwrap_err();
    assert_eq!(help.code, 0);
    for variable in [
        "SOUK_HTTP",
        "SOUK_OPS",
        "MONGODB_URI",
        "SOUK_DATABASE",
        "NATS_URL",
        "NATS_USER",
        "NATS_PASSWORD",
        "SOUK_GRACE",
        "SOUK_LOG",
        "SOUK_GROUP_COMMIT",
        "SOUK_EVENT_WORD",
        "SOUK_DECLARE_AT_START",
        "SOUK_CORS_ORIGINS",
        "SOUK_MAX_BODY",
        "SOUK_REQUEST_TIMEOUT",
        "SOUK_MAX_REQUESTS",
        "SOUK_KEEP_ALIVE",
        "--declare",
        "replay",
        "redrive",
    ] {
        assert!(help.message.contains(variable), "{variable} in {}", help.message);
    }

    let version = with(&["--version"]).unwrap_err();
    assert_eq!((version.code, version.message.as_str()), (0, "shelf 1.2.3\n"));
}

#[test]
fn origins_are_separated_by_commas() {
    let config = with(&["--cors-origins=https://shop.example.com, http://localhost:5173"]).unwrap();

    assert_eq!(
        config.service.cors_origins.0,
        ["https://shop.example.com", "http://localhost:5173"]
    );
}

#[test]
fn a_replay_is_of_facts_or_of_state() {
    let Some(Act::Replay(facts)) = with(&["replay", "--since=1h"]).unwrap().service.act else {
        panic!("a replay");
    };
    assert_eq!((facts.since, facts.state), (Some(Duration::from_hours(1)), false));

    let Some(Act::Replay(state)) = with(&["replay", "--state"]).unwrap().service.act else {
        panic!("a replay");
    };
    assert_eq!((state.since, state.state), (None, true));

    refused(&["replay"]);
    refused(&["replay", "--state", "--since=1h"]);
}

#[test]
fn a_redrive_is_of_one_event_or_of_all_and_else_a_list() {
    let act = |flags: &[&str]| match with(flags).unwrap().service.act {
        Some(Act::Redrive(redrive)) => redrive,
        act => panic!("{act:?} is no redrive"),
    };
    let id = "evt_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

    let one = act(&["redrive", "--id", id, "--consumer=shelf-saga"]);
    assert_eq!((one.id.unwrap().to_string(), one.all), (id.to_owned(), false));
    assert_eq!(one.consumer.as_deref(), Some("shelf-saga"));
    let all = act(&["redrive", "--all"]);
    assert_eq!((all.id, all.all, all.consumer), (None, true, None));
    let list = act(&["redrive"]);
    assert_eq!((list.id, list.all), (None, false));

    refused(&["redrive", "--all", "--id", id]);
    refused(&["redrive", "--all", "--list"]);
    refused(&["redrive", "--id=ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70"]);
}
