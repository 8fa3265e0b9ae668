//! Contracts only grow: what was ever told can still be read, and still says the same.
//!
//! Each event type has a golden file. It is written once, with `SOUK_BLESS=1`, from the sample of
//! the type, and never again: what a type gains later is not in it, and need not be.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use contracts::{Described, Event as _, catalogue, order};
use serde_json::{Value, json};

#[test]
fn every_event_type_has_a_golden_file() {
    for event in catalogue() {
        let path = folder().join(format!("{}.json", event.event_type.type_name()));
        if !path.exists() && env::var_os("SOUK_BLESS").as_deref() == Some(OsStr::new("1")) {
            fs::write(&path, format!("{:#}\n", event.sample)).unwrap();
        }

        assert!(path.exists(), "{} is missing: run this test with SOUK_BLESS=1", path.display());
    }
}

#[test]
fn what_was_told_in_the_past_still_reads_and_says_the_same() {
    let known = known();

    for (name, told) in golden() {
        let event = known.get(&name).unwrap_or_else(|| panic!("{name} was told and is unknown"));

        let lost = lost(event, &told);

        assert!(lost.is_empty(), "{name} no longer says {lost:?}");
    }
}

#[test]
fn a_sample_says_at_least_what_its_golden_file_says() {
    let known = known();

    for (name, told) in golden() {
        let Some(event) = known.get(&name) else { continue };

        let lost = missing(&told, &event.sample, "");

        assert!(lost.is_empty(), "the sample of {name} differs at {lost:?}");
    }
}

#[test]
fn a_sample_reads_as_it_was_written() {
    for event in catalogue() {
        let again = (event.reread)(&event.sample).unwrap();

        assert_eq!(again, event.sample, "{}", event.event_type.type_name());
    }
}

#[test]
fn an_event_type_is_declared_once() {
    let mut names: Vec<String> =
        catalogue().iter().map(|event| event.event_type.type_name()).collect();
    let all = names.len();

    names.sort();
    names.dedup();

    assert_eq!(names.len(), all);
}

#[test]
fn a_field_of_a_later_version_is_passed_over() {
    for event in catalogue() {
        let mut later = event.sample.clone();
        later["a_field_of_a_later_version"] = json!({"deep": [1]});

        let again = (event.reread)(&later).unwrap();

        assert_eq!(again, event.sample, "{}", event.event_type.type_name());
    }
}

#[test]
fn a_removed_or_retyped_field_is_found() {
    let name = order::Placed::TYPE.type_name();
    let event = &known()[&name];
    let mut told = event.sample.clone();

    told["was_removed"] = json!(1);
    assert_eq!(lost(event, &told), ["/was_removed"]);
    told["lines"][0]["gift"] = json!(null);
    assert_eq!(lost(event, &told), ["/lines/0/gift", "/was_removed"]);
    told["round"] = json!("1");
    assert!(lost(event, &told)[0].contains("invalid type"));
}

/// What the type no longer says of what was told with it.
fn lost(event: &Described, told: &Value) -> Vec<String> {
    match (event.reread)(told) {
        Ok(again) => missing(told, &again, ""),
        Err(error) => vec![error.to_string()],
    }
}

/// Where `new` does not say what `old` says.
fn missing(old: &Value, new: &Value, at: &str) -> Vec<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old
            .iter()
            .flat_map(|(name, value)| {
                let at = format!("{at}/{name}");
                new.get(name).map_or_else(|| vec![at.clone()], |now| missing(value, now, &at))
            })
            .collect(),
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .enumerate()
            .flat_map(|(index, (old, new))| missing(old, new, &format!("{at}/{index}")))
            .collect(),
        _ if old == new => Vec::new(),
        _ => vec![at.to_owned()],
    }
}

fn known() -> BTreeMap<String, Described> {
    catalogue().into_iter().map(|event| (event.event_type.type_name(), event)).collect()
}

/// What was told in the past, by the name of its type.
fn golden() -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder()).expect("there are golden files");
    files.map(|file| read(&file.expect("a golden file").path())).collect()
}

fn read(path: &Path) -> (String, Value) {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read(path).expect("a golden file can be read");
    (name, serde_json::from_slice(&text).expect("a golden file is JSON"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}
