//! The component `tls`: real servers with its configuration and certificates, and a service that
//! connects to them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mongodb::bson::doc;
use mongodb::options::ClientOptions;
use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually, ports, tools};

use super::cluster::{Container, Pods};
use super::mongosh::{mongosh, script};
use super::*;

const SOON: Duration = Duration::from_mins(1);
/// Longer than 6 characters, as MongoDB wants it.
const KEYFILE: &str = "bm9ib2R5LWVsc2Uta25vd3MtdGhpcw";

/// Makes certificates of a new authority.
fn certificates(folder: &Path) {
    let script = root().join("infra/k8s/components/tls/certificates.sh");
    let made = Command::new(script).arg(folder).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Auth with its database and the bus, all on this machine.
struct Shop {
    cluster: Cluster,
    scratch: Scratch,
    mongo: u16,
    nats: u16,
}

impl Shop {
    async fn new() -> Self {
        let cluster = render::one(&root(), "dev", &["tls"]).await.unwrap();
        let shop = Self {
            cluster,
            scratch: Scratch::new().unwrap(),
            mongo: ports::free(),
            nats: ports::free(),
        };
        certificates(&shop.path("certificates"));
        // The volumes of the containers, as the manifests compose them.
        for (owner, secret) in [("auth-mongo", "auth-mongo-tls"), ("nats-depl", "nats-tls")] {
            shop.mount(owner, secret);
        }
        shop.mount("auth-depl", "internal-ca");
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Writes what is in a Secret to the folder of an owner, as its volume has it.
    fn mount(&self, owner: &str, secret: &str) {
        let volume = list(&self.pods(owner).spec()["volumes"]).find(|it| it["name"] == "tls");
        let volume = &volume.unwrap()["secret"];
        assert_eq!(volume["secretName"], secret);
        let file = self.path("certificates").join(format!("{secret}.yaml"));
        let made: serde_json::Value =
            yaml_serde::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(made["metadata"]["name"], secret);
        std::fs::create_dir_all(self.path(owner)).unwrap();
        for item in list(&volume["items"]) {
            let data = made["data"][text(item, "/key")].as_str().unwrap();
            let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data);
            std::fs::write(self.path(owner).join(text(item, "/path")), data.unwrap()).unwrap();
        }
    }

    fn pods(&self, name: &str) -> Pods<'_> {
        self.cluster.pods().find(|pods| pods.name() == name).unwrap()
    }

    /// A text of a manifest with the places of this machine in it.
    fn here(&self, text: &str, owner: &str) -> String {
        text.replace("/tls/", &format!("{}/", self.path(owner).display()))
            .replace("auth-mongo-service:27017", &format!("127.0.0.1:{}", self.mongo))
            .replace("nats-service:4222", &format!("127.0.0.1:{}", self.nats))
    }

    fn variables(&self, owner: &str, container: Container<'_>) -> Vec<(String, String)> {
        let variables = environment(&self.cluster, self.pods(owner), container).into_iter();
        variables.map(|it| (it.name, self.here(&it.value, owner))).collect()
    }

    async fn mongod(&self) -> Process {
        let (owner, data, keyfile) = ("auth-mongo", self.path("data"), self.path("keyfile"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(&keyfile, KEYFILE).unwrap();
        std::fs::set_permissions(&keyfile, Permissions::from_mode(0o400)).unwrap();
        let mongod = self.pods(owner).running().find(|it| it.name() == "mongod").unwrap();
        let variables = self.variables(owner, mongod);
        let args = list(&mongod.0["args"]).filter_map(|arg| arg.as_str()).map(|arg| {
            let arg = variables.iter().fold(arg.to_owned(), |arg, (name, value)| {
                arg.replace(&format!("$({name})"), value)
            });
            self.here(&arg, owner)
                .replace("/data/db", &data.display().to_string())
                .replace("/keyfile/keyfile", &keyfile.display().to_string())
                .replace("--bind_ip_all", "--bind_ip=127.0.0.1")
        });
        let spec = Spec::new(tools::mongod(&|line| eprintln!("{line}")).await.unwrap())
            .args(args)
            .arg(format!("--port={}", self.mongo))
            .log(self.path("mongod.log"));
        Process::start(&spec).unwrap()
    }

    fn keeper(&self, mongosh: &Path) -> Process {
        let owner = "auth-mongo";
        let keeper = self.pods(owner).running().find(|it| it.name() == "keeper").unwrap();
        let address = format!("127.0.0.1:{}", self.mongo);
        let spec = self.variables(owner, keeper).into_iter();
        let spec = spec
            .fold(script(mongosh, keeper, "infra/k8s/base/mongo/scripts"), |spec, it| {
                spec.env(it.0, it.1)
            });
        let spec = spec
            .env("OWN", &address)
            .env("MEMBERS", &address)
            .env("KEEPS_UP", self.path("keeps-up"))
            .env("HOME", self.scratch.path())
            .env("PAUSE_MS", "200");
        Process::start(&spec.log(self.path("keeper.log"))).unwrap()
    }

    async fn nats_server(&self) -> Process {
        let owner = "nats-depl";
        let folder = self.path("nats");
        std::fs::create_dir_all(&folder).unwrap();
        let mut changed = nats::here(&folder, self.nats, ports::free(), &[]);
        changed.push(("/tls/".to_owned(), format!("{}/", self.path(owner).display())));
        let config = nats::write(&self.cluster, self.pods(owner), &folder, &changed);
        let spec = nats::server(&self.cluster, self.pods(owner), &config).await;
        Process::start(&spec.log(folder.join("log"))).unwrap()
    }

    /// A container of auth: its program with its environment.
    fn auth(&self, container: Container<'_>) -> Spec {
        let args = list(&container.0["args"]).filter_map(|arg| arg.as_str());
        let spec = Spec::new(programs().join("auth")).args(args).log(self.path("auth.log"));
        let variables = self.variables("auth-depl", container).into_iter();
        variables.fold(spec, |spec, (name, value)| {
            let is_bus = name == "NATS_PASSWORD";
            spec.env(name, if is_bus { nats::PASSWORD.to_owned() } else { value })
        })
    }

    /// The database as auth reaches it, by an authority in this file, or in the clear.
    async fn ping(&self, authority: Option<&Path>) -> Result<(), mongodb::error::Error> {
        let tls = authority
            .map_or(String::new(), |file| format!("&tls=true&tlsCAFile={}", file.display()));
        let (port, how) = (self.mongo, "directConnection=true&serverSelectionTimeoutMS=3000");
        let options = ClientOptions::parse(format!("mongodb://127.0.0.1:{port}/?{how}{tls}"));
        let client = mongodb::Client::with_options(options.await?)?;
        client.database("admin").run_command(doc! { "hello": 1 }).await.map(drop)
    }

    /// The bus as auth reaches it, by an authority in this file, or in the clear.
    async fn greet(&self, authority: Option<&Path>) -> Result<(), async_nats::ConnectError> {
        let options = async_nats::ConnectOptions::new()
            .user_and_password("auth".to_owned(), nats::PASSWORD.to_owned());
        let (options, scheme) = match authority {
            Some(file) => (options.add_root_certificates(file.to_owned()), "tls"),
            None => (options, "nats"),
        };
        options.connect(format!("{scheme}://127.0.0.1:{}", self.nats)).await.map(drop)
    }
}

#[tokio::test]
async fn services_reach_their_servers_by_tls() {
    let Some(mongosh) = mongosh().await else { return };
    let shop = Shop::new().await;
    let (_mongod, _nats) = (shop.mongod().await, shop.nats_server().await);
    let _keeper = shop.keeper(&mongosh);
    let keeps_up = shop.path("keeps-up");
    eventually("the database is ready", SOON, async || keeps_up.exists().then_some(())).await;

    let pods = shop.pods("auth-depl");
    let declare = Process::start(&shop.auth(pods.containers().next().unwrap())).unwrap();
    let declared = tokio::time::timeout(SOON, declare.wait()).await.expect("it declares");
    let log = || std::fs::read_to_string(shop.path("auth.log")).unwrap();
    assert_eq!(declared, 0, "{}", log());
    let ops = ports::free();
    let spec = shop.auth(pods.running().next().unwrap());
    let spec = spec.env("SOUK_HTTP", "127.0.0.1:0").env("SOUK_OPS", format!("127.0.0.1:{ops}"));
    let _auth = Process::start(&spec).unwrap();
    let client = testkit::Client::at(format!("http://127.0.0.1:{ops}"));
    eventually("auth is ready", SOON, async || {
        client.get("/ready").send().await.ok().filter(testkit::Answer::is_ok)
    })
    .await;
}

#[tokio::test]
async fn servers_refuse_plain_and_strange_connections() {
    let shop = Shop::new().await;
    let (_mongod, _nats) = (shop.mongod().await, shop.nats_server().await);
    let own = shop.path("certificates/ca.crt");
    let strange = shop.path("others");
    certificates(&strange);

    eventually("the database answers", SOON, async || shop.ping(Some(&own)).await.ok()).await;
    eventually("the bus answers", SOON, async || shop.greet(Some(&own)).await.ok()).await;

    let strange = strange.join("ca.crt");
    for authority in [None, Some(strange.as_path())] {
        assert!(shop.ping(authority).await.is_err(), "{authority:?}");
        assert!(shop.greet(authority).await.is_err(), "{authority:?}");
    }
}

#[tokio::test]
async fn everything_asks_for_tls() {
    for overlay in ["dev", "gke"] {
        let cluster = render::one(&root(), overlay, &["tls"]).await.unwrap();
        for pods in cluster.pods() {
            for container in pods.containers() {
                for variable in environment(&cluster, pods, container) {
                    let (place, value) = (format!("{overlay} {}", pods.name()), variable.value);
                    assert!(!value.starts_with("nats://"), "{place}: {value}");
                    let is_plain = value.starts_with("mongodb://") && !value.contains("&tls=true");
                    assert!(!is_plain, "{place}: {}", variable.name);
                }
            }
        }
    }
}

#[tokio::test]
async fn certificates_bear_every_name_of_their_servers() {
    let scratch = Scratch::new().unwrap();
    certificates(scratch.path());
    let names = |file: &str| {
        let file = scratch.path().join(file);
        let shown = Command::new("openssl")
            .args(["x509", "-noout", "-ext", "subjectAltName", "-in"])
            .arg(file)
            .output();
        String::from_utf8(shown.unwrap().stdout).unwrap()
    };

    let gke = render::one(&root(), "gke", &["tls"]).await.unwrap();
    for pods in gke.pods().filter(|it| it.label("app.kubernetes.io/component") == "mongo") {
        let keeper = pods.running().find(|it| it.name() == "keeper").unwrap();
        let variables = environment(&gke, pods, keeper);
        let members = &variables.iter().find(|it| it.name == "MEMBERS").unwrap().value;
        let known = names(&format!("{}.crt", pods.name()));
        for member in members.split(',') {
            let host = member.trim_end_matches(":27017");
            assert!(known.contains(&format!("DNS:{host}")), "{host} is not in {known}");
        }
        assert!(known.contains(&format!("DNS:{}-service", pods.name())), "{known}");
    }
    let known = names("nats.crt");
    for host in ["nats-service", "nats-0.nats-pods", "nats-1.nats-pods", "nats-2.nats-pods"] {
        assert!(known.contains(&format!("DNS:{host}")), "{host} is not in {known}");
    }
}
