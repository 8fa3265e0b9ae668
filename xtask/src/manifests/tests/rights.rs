//! What each user of the bus may do: what it takes to hear what the services hear, and no more.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use testkit::fleet::Service;

/// A consumer that a running fleet has.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) service: &'static str,
    pub(super) stream: String,
    pub(super) kind: Kind,
    /// The subjects it hears.
    pub(super) filters: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of all replicas, under a name that stays.
    Work(String),
    /// Of all replicas; the name ends with what only their database knows.
    Drawn,
    /// Of one replica; the name ends with what only that one knows.
    Broadcast,
}

const HEAD: &str = "\
# Who may do what on the bus; made from what the services hear:
#   SOUK_BLESS=1 cargo test -p xtask rights
#
# A service tells under its own name, reads its own answers, and hears by consumers that `declare`
# made. Where a * stands for the name of a consumer, that name is drawn at random and told nobody
# else; names that can be guessed are denied. Of the dead letters it takes its own, by its redrive.
# The auditor reads, by a consumer of its own name.
";

/// The configuration of all users.
pub(super) fn written(heard: &[Heard]) -> String {
    let mut text = format!("{HEAD}authorization {{\n  users: [\n");
    let inboxes = Service::ALL.map(|service| format!("_INBOX_{service}.>"));
    user(&mut text, "declare", &declaring(), &[], &inboxes);
    user(&mut text, "auditor", &auditing(), &[], &["_INBOX_auditor.>".to_owned()]);
    for service in Service::ALL {
        let (name, inbox) = (service.name(), format!("_INBOX_{service}.>"));
        user(&mut text, name, &allowed(name, heard), &denied(name, heard), &[inbox]);
    }
    text + "  ]\n}\n"
}

fn user(text: &mut String, name: &str, allow: &[String], deny: &[String], hear: &[String]) {
    let password = name.to_uppercase();
    let _ = write!(text, "    {{\n      user: {name}, password: ${password}\n");
    let _ = write!(text, "      permissions: {{\n        publish: {{\n");
    lists(text, "          ", &[("allow", allow), ("deny", deny)]);
    text.push_str("        }\n");
    lists(text, "        ", &[("subscribe", hear)]);
    text.push_str("      }\n    }\n");
}

fn lists(text: &mut String, indent: &str, lists: &[(&str, &[String])]) {
    for (name, subjects) in lists.iter().filter(|(_, subjects)| !subjects.is_empty()) {
        let subjects = subjects.iter().map(|it| format!("{indent}  \"{it}\"\n"));
        let _ = write!(text, "{indent}{name}: [\n{}{indent}]\n", subjects.collect::<String>());
    }
}

/// What it takes to declare streams and durables.
fn declaring() -> Vec<String> {
    let api = ["STREAM.INFO.*", "STREAM.CREATE.*", "STREAM.UPDATE.*"].into_iter();
    let consumers = ["CONSUMER.INFO.*.*", "CONSUMER.CREATE.>", "CONSUMER.DELETE.*.*"];
    api.chain(consumers).map(|subject| format!("$JS.API.{subject}")).collect()
}

/// What it takes to read all streams, and how far everybody has come in them.
fn auditing() -> Vec<String> {
    let api = ["STREAM.INFO.*", "STREAM.MSG.GET.*", "CONSUMER.LIST.*"].into_iter();
    let own = ["CREATE", "MSG.NEXT", "DELETE"].map(|it| format!("CONSUMER.{it}.*.auditor"));
    let api = api.map(ToOwned::to_owned).chain(own);
    api.map(|subject| format!("$JS.API.{subject}")).collect()
}

fn allowed(service: &str, heard: &[Heard]) -> Vec<String> {
    let stream = service.to_uppercase();
    let own = [
        format!("{service}.>"),
        format!("dead.{service}.>"),
        format!("ops_log.{service}.>"),
        "$JS.API.STREAM.INFO.*".to_owned(),
        format!("$JS.API.STREAM.MSG.GET.{stream}_STATE"),
    ];
    let redriving = by_durable("DEAD", &format!("{service}-redrive"));
    let hearing = heard.iter().filter(|it| it.service == service).flat_map(hearing);
    own.into_iter().chain(redriving).chain(hearing.collect::<BTreeSet<_>>()).collect()
}

/// What it takes to hear by a consumer.
fn hearing(heard: &Heard) -> Vec<String> {
    let stream = &heard.stream;
    match &heard.kind {
        Kind::Work(name) => {
            beside(name, &heard.filters).flat_map(|name| by_durable(stream, &name)).collect()
        }
        Kind::Drawn => by_durable(stream, "*"),
        Kind::Broadcast => {
            let create = heard.filters.iter();
            let create = create.map(|it| format!("$JS.API.CONSUMER.CREATE.{stream}.*.{it}"));
            let rest = ["DELETE", "MSG.NEXT"].map(|it| format!("$JS.API.CONSUMER.{it}.{stream}.*"));
            create.chain(rest).collect()
        }
    }
}

fn by_durable(stream: &str, name: &str) -> Vec<String> {
    let api = ["INFO", "MSG.NEXT"].map(|it| format!("$JS.API.CONSUMER.{it}.{stream}.{name}"));
    api.into_iter().chain([format!("$JS.ACK.{stream}.{name}.>")]).collect()
}

/// The name, and those that it gets beside it for types that it begins to hear later.
fn beside(name: &str, filters: &[String]) -> impl Iterator<Item = String> {
    let later = filters.iter().map(move |it| format!("{name}-{}", dashed(it)));
    [name.to_owned()].into_iter().chain(later)
}

/// A filter as a part of a name: `order.placed.v1.*` is `order-placed-v1`.
fn dashed(filter: &str) -> String {
    filter.trim_end_matches(".*").replace('.', "-")
}

/// What a * would let it do with the durables whose names can be guessed.
fn denied(service: &str, heard: &[Heard]) -> Vec<String> {
    let allowed = allowed(service, heard);
    let open = |subject: &String| {
        allowed.iter().any(|pattern| pattern != subject && covers(pattern, subject))
    };
    let durables = heard.iter().flat_map(|it| {
        let Kind::Work(name) = &it.kind else { return vec![] };
        let names = beside(name, &it.filters);
        names.flat_map(|name| meddling(&it.stream, &name, it.service != service)).collect()
    });
    durables.filter(open).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether some subject fits both.
fn covers(pattern: &str, subject: &str) -> bool {
    let both = pattern.split('.').zip(subject.split('.'));
    let differs = both
        .take_while(|(a, b)| *a != ">" && *b != ">")
        .any(|(a, b)| a != b && a != "*" && b != "*");
    let ends = |text: &str| text.ends_with(".>");
    let parts = |text: &str| text.split('.').count();
    !differs && (ends(pattern) || ends(subject) || parts(pattern) == parts(subject))
}

fn meddling(stream: &str, name: &str, is_anothers: bool) -> Vec<String> {
    let change = [
        format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.>"),
        format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"),
    ];
    let use_it = if is_anothers { by_durable(stream, name) } else { vec![] };
    change.into_iter().chain(use_it).collect()
}
