//! What would break those who read or write the values of a schema.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{items, members, resolved};

/// Which way values travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Clients send them: what they sent before must still be taken.
    Taken,
    /// Clients get them: what they relied on must still be there.
    Given,
}

/// Compares the schemas of two documents.
pub(super) struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    /// What is being compared: a schema may be part of itself.
    under_way: RefCell<Vec<(*const Value, *const Value)>>,
}

/// What a schema says by itself, all its parts (`allOf`) together.
#[derive(Default)]
struct Shape<'a> {
    types: BTreeSet<&'a str>,
    properties: BTreeMap<&'a str, &'a Value>,
    required: BTreeSet<&'a str>,
    /// The other keywords.
    says: BTreeMap<&'a str, &'a Value>,
}

/// Keywords that take less the greater they are.
const LOWER_BOUNDS: [&str; 4] = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
/// Keywords that take less the smaller they are.
const UPPER_BOUNDS: [&str; 4] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];

impl<'a> Schemas<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, under_way: RefCell::default() }
    }

    /// What would break, in words that name the place.
    pub(super) fn compare(&self, old: &Value, new: &Value, side: Side, at: &str) -> Vec<String> {
        let (old, new) = (resolved(self.old, old), resolved(self.new, new));
        let pair = (std::ptr::from_ref(old), std::ptr::from_ref(new));
        if self.under_way.borrow().contains(&pair) {
            return Vec::new();
        }
        self.under_way.borrow_mut().push(pair);
        let found = self.compare_variants(old, new, side, at);
        self.under_way.borrow_mut().pop();
        found
    }

    fn compare_variants(&self, old: &Value, new: &Value, side: Side, at: &str) -> Vec<String> {
        let (olds, news) = (variants(self.old, old), variants(self.new, new));
        let mut found = Vec::new();
        let (was, is) = (may_be_null(&olds), may_be_null(&news));
        match side {
            Side::Given if is && !was => found.push(format!("{at} may be null now")),
            Side::Taken if was && !is => found.push(format!("{at} may not be null any longer")),
            Side::Given | Side::Taken => {}
        }
        let [olds, news] = [olds, news].map(|mut all| {
            all.retain(|variant| variant["type"] != "null");
            all
        });
        if let ([old], [new]) = (&olds[..], &news[..]) {
            found.extend(self.compare_shapes(old, new, side, at));
            return found;
        }
        let lives = |old: &&Value| {
            news.iter().any(|new| self.compare_shapes(old, new, side, at).is_empty())
        };
        let gone = olds.iter().enumerate().filter(|(_, old)| !lives(old));
        found.extend(gone.map(|(number, _)| format!("{at} variant {number} is gone or changed")));
        found
    }

    fn compare_shapes(&self, old: &Value, new: &Value, side: Side, at: &str) -> Vec<String> {
        let (old, new) = (Shape::of(self.old, old), Shape::of(self.new, new));
        let mut found = types(&old, &new, side, at);
        found.extend(values(&old, &new, side, at));
        found.extend(self.properties(&old, &new, side, at));
        for inner in ["items", "additionalProperties"] {
            match (old.says.get(inner), new.says.get(inner)) {
                (Some(before @ Value::Object(_)), Some(now @ Value::Object(_))) => {
                    found.extend(self.compare(before, now, side, &format!("{at}[]")));
                }
                (Some(Value::Object(_)), _) if side == Side::Given => {
                    found.push(format!("{at}[] is no longer described"));
                }
                _ => {}
            }
        }
        if side == Side::Taken {
            found.extend(narrowed(&old, &new, at));
        }
        found
    }

    fn properties(&self, old: &Shape<'_>, new: &Shape<'_>, side: Side, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (name, before) in &old.properties {
            match new.properties.get(name) {
                Some(now) => {
                    found.extend(self.compare(before, now, side, &format!("{at}/{name}")));
                }
                None => found.push(format!("{at}/{name} is gone")),
            }
        }
        let kept = |name: &&&str| new.properties.contains_key(**name);
        let (names, words) = match side {
            Side::Given => (old.required.difference(&new.required), "may be missing now"),
            Side::Taken => (new.required.difference(&old.required), "is required now"),
        };
        found.extend(names.filter(kept).map(|name| format!("{at}/{name} {words}")));
        found
    }
}

impl<'a> Shape<'a> {
    fn of(document: &'a Value, schema: &'a Value) -> Self {
        let mut shape = Self::default();
        shape.add(document, schema, 0);
        shape
    }

    fn add(&mut self, document: &'a Value, schema: &'a Value, depth: usize) {
        let parts = items(&schema["allOf"]).iter().filter(|_| depth < 16);
        parts.for_each(|part| self.add(document, resolved(document, part), depth + 1));
        match &schema["type"] {
            Value::String(one) => drop(self.types.insert(one)),
            several => self.types.extend(items(several).iter().filter_map(Value::as_str)),
        }
        // Whether it may be null is looked at apart.
        self.types.remove("null");
        self.properties
            .extend(members(&schema["properties"]).map(|(name, of)| (name.as_str(), of)));
        self.required.extend(items(&schema["required"]).iter().filter_map(Value::as_str));
        self.says.extend(members(schema).map(|(name, said)| (name.as_str(), said)));
    }

    /// The values it is limited to, if it is.
    fn named(&self) -> Option<Vec<&'a Value>> {
        let listed = self.says.get("enum").map(|listed| items(listed).iter().collect());
        listed.or_else(|| self.says.get("const").map(|only| vec![*only]))
    }
}

/// What a value may be, one of them at a time.
fn variants<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let listed = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key));
    match listed {
        Some(listed) => items(listed).iter().map(|variant| resolved(document, variant)).collect(),
        None => vec![schema],
    }
}

fn may_be_null(variants: &[&Value]) -> bool {
    variants.iter().any(|variant| {
        variant["type"] == "null" || items(&variant["type"]).iter().any(|kind| kind == "null")
    })
}

fn types(old: &Shape<'_>, new: &Shape<'_>, side: Side, at: &str) -> Vec<String> {
    let (wide, narrow) = match side {
        Side::Given => (old, new),
        Side::Taken => (new, old),
    };
    let fits = |kind: &&str| {
        wide.types.contains(kind) || (*kind == "integer" && wide.types.contains("number"))
    };
    // No type means any, and no format too.
    let any = wide.types.is_empty();
    let all_fit = any || (!narrow.types.is_empty() && narrow.types.iter().all(fits));
    let format_fits =
        wide.says.get("format").is_none_or(|format| narrow.says.get("format") == Some(format));
    let fits = all_fit && (format_fits || wide.types != narrow.types);
    if fits { Vec::new() } else { vec![format!("{at} is of another type now")] }
}

/// A value that was always the same names a variant, and must stay; others may come.
fn values(old: &Shape<'_>, new: &Shape<'_>, side: Side, at: &str) -> Vec<String> {
    let Some(now) = new.named() else { return Vec::new() };
    let lost: Vec<_> = match (old.named(), side) {
        (Some(before), Side::Taken) => {
            before.into_iter().filter(|value| !now.contains(value)).collect()
        }
        (Some(before), Side::Given) if before.len() == 1 => {
            before.into_iter().filter(|value| !now.contains(value)).collect()
        }
        (None, Side::Taken) => return vec![format!("{at} takes only a few values now")],
        (_, Side::Given) => Vec::new(),
    };
    lost.iter().map(|value| format!("{at} no longer knows {value}")).collect()
}

fn narrowed(old: &Shape<'_>, new: &Shape<'_>, at: &str) -> Vec<String> {
    let number = |shape: &Shape<'_>, key: &str| shape.says.get(key).and_then(|said| said.as_f64());
    let tighter = |key: &&str, than: fn(f64, f64) -> bool| {
        number(new, key).is_some_and(|now| number(old, key).is_none_or(|before| than(now, before)))
    };
    let lower = LOWER_BOUNDS.iter().filter(|key| tighter(key, |now, before| now > before));
    let upper = UPPER_BOUNDS.iter().filter(|key| tighter(key, |now, before| now < before));
    let mut found: Vec<_> = lower.chain(upper).map(|key| format!("{at} has a new {key}")).collect();
    let (pattern, before) = (new.says.get("pattern"), old.says.get("pattern"));
    if pattern.is_some() && pattern != before {
        found.push(format!("{at} has a new pattern"));
    }
    let closed =
        |shape: &Shape<'_>| shape.says.get("additionalProperties") == Some(&&Value::Bool(false));
    if closed(new) && !closed(old) {
        found.push(format!("{at} takes no unknown fields any longer"));
    }
    found
}
