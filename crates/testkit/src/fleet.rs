//! The real services, each with its replicas.

mod replica;
mod service;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use self::service::Service;

use self::replica::Replica;
use crate::process::{Process, Spec};
use crate::unique::unique;
use crate::{Client, StartError, World};

/// Who signs in as [`crate::Staff`].
pub(crate) const ADMIN: (&str, &str) = ("admin@souk.example", "correct-horse-battery-staple");
const JWT_KEY: &str = "only-for-tests-0123456789-abcdefghij";

/// What is started, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many replicas each service has.
    pub replicas: usize,
    /// The services that run.
    pub services: Vec<Service>,
    envs: Vec<(Service, String, String)>,
}

impl Default for Options {
    /// All five services, one replica each.
    fn default() -> Self {
        Self { replicas: 1, services: Service::ALL.to_vec(), envs: vec![] }
    }
}

impl Options {
    /// With so many replicas of each service.
    #[must_use]
    pub fn replicas(self, replicas: usize) -> Self {
        Self { replicas, ..self }
    }

    /// With one more variable in the environment of a service.
    #[must_use]
    pub fn env(mut self, service: Service, name: &str, value: impl Into<String>) -> Self {
        self.envs.push((service, name.to_owned(), value.into()));
        self
    }
}

/// Running services; they are killed when this is dropped.
#[derive(Debug)]
pub struct Fleet {
    replicas: Arc<Replicas>,
    specs: Vec<(Service, Spec)>,
    dir: PathBuf,
}

impl Fleet {
    /// Starts the services in a world and waits until they are ready.
    ///
    /// # Panics
    /// When one of them does not start; with the last lines of its log.
    pub async fn start(world: &World, options: Options) -> Self {
        Self::try_start(world, options).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts the services in a world and waits until they are ready.
    pub async fn try_start(world: &World, options: Options) -> Result<Self, StartError> {
        let (dir, mut replicas, mut specs) = (world.dir().to_owned(), vec![], vec![]);
        for &service in &options.services {
            let spec = spec(service, world, &options)?;
            for number in 0..options.replicas {
                replicas.push(Replica::start(service, number, spec.clone(), &dir)?);
            }
            specs.push((service, spec));
        }
        let replicas = Arc::new(Replicas { replicas, turns: Default::default() });
        let fleet = Self { replicas, specs, dir };
        fleet.until_ready().await?;
        Ok(fleet)
    }

    /// Waits until every replica says that it is ready.
    pub async fn until_ready(&self) -> Result<(), StartError> {
        for replica in &self.replicas.replicas {
            replica.until_ready().await?;
        }
        Ok(())
    }

    /// Asks the whole fleet, as nobody yet.
    pub fn client(&self) -> Client {
        Client::of(Arc::clone(&self.replicas))
    }

    /// The public address of a running replica of this service, by turns.
    ///
    /// # Panics
    /// When none runs.
    pub fn base(&self, service: Service) -> String {
        self.replicas.base(service).unwrap_or_else(|| panic!("no replica of {service} runs"))
    }

    /// Asks one replica alone.
    pub fn replica(&self, service: Service, number: usize) -> Client {
        Client::at(self.one(service, number).base())
    }

    /// Asks the operations port of one replica: `/ready`, `/health`, `/metrics`.
    pub fn ops(&self, service: Service, number: usize) -> Client {
        Client::at(self.one(service, number).ops())
    }

    /// The process of one replica, to send it a signal or to see whether it runs.
    pub fn process(&self, service: Service, number: usize) -> Arc<Process> {
        self.one(service, number).process()
    }

    /// Kills one replica.
    pub async fn kill(&self, service: Service, number: usize) {
        self.process(service, number).kill().await;
    }

    /// Starts one replica again, as it was, and waits until it is ready; ends it first when it runs.
    pub async fn restart(&self, service: Service, number: usize) -> Result<(), StartError> {
        self.one(service, number).restart().await
    }

    /// The same with these variables in its environment, this time only.
    pub async fn restart_with(
        &self,
        service: Service,
        number: usize,
        envs: &[(&str, &str)],
    ) -> Result<(), StartError> {
        self.one(service, number).restart_with(envs).await
    }

    /// Lets one replica go as Kubernetes does, and says how it ended: it is asked to end, nobody is
    /// sent to it any more once it says that it is not ready, and it finishes what it began.
    ///
    /// It is asked again when it was started again and is ready.
    pub async fn retire(&self, service: Service, number: usize) -> i32 {
        self.one(service, number).retire().await
    }

    /// Lets all replicas of a service end in good order.
    pub async fn stop(&self, service: Service) {
        for replica in self.replicas.of(service) {
            replica.process().stop().await;
        }
    }

    /// Starts all replicas of a service again.
    pub async fn start_again(&self, service: Service) -> Result<(), StartError> {
        for replica in self.replicas.of(service) {
            replica.restart().await?;
        }
        Ok(())
    }

    /// Runs a command of a service's program, such as `replay --since 1h`, and gives its exit code
    /// and what it said.
    pub async fn run(&self, service: Service, args: &[&str]) -> io::Result<(i32, String)> {
        self.run_with(service, args, &[]).await
    }

    /// The same with these variables in its environment.
    pub async fn run_with(
        &self,
        service: Service,
        args: &[&str],
        envs: &[(&str, &str)],
    ) -> io::Result<(i32, String)> {
        let (_, spec) = self.specs.iter().find(|(it, _)| *it == service).expect("it was started");
        let log = self.dir.join(format!("{service}-{}.log", unique()));
        let spec = envs.iter().fold(spec.clone(), |spec, &(name, value)| spec.env(name, value));
        let process = Process::start(&spec.args(args.iter().copied()).log(&log))?;
        Ok((process.wait().await, std::fs::read_to_string(log)?))
    }

    /// The name of a service's database.
    pub fn database(&self, service: Service) -> String {
        let (_, spec) = self.specs.iter().find(|(it, _)| *it == service).expect("it was started");
        spec.env_of("SOUK_DATABASE").unwrap_or_default().to_owned()
    }

    fn one(&self, service: Service, number: usize) -> &Replica {
        let found = self.replicas.of(service).nth(number);
        found.unwrap_or_else(|| panic!("there is no replica {number} of {service}"))
    }
}

/// The replicas of all services.
#[derive(Debug)]
pub(crate) struct Replicas {
    replicas: Vec<Replica>,
    turns: [AtomicUsize; Service::ALL.len()],
}

impl Replicas {
    /// Where the service is that this path belongs to, if any replica of it runs.
    pub(crate) fn base_of(&self, path: &str) -> Option<String> {
        let service = Service::of_path(path);
        self.base(service.unwrap_or_else(|| panic!("{path} belongs to no service")))
    }

    fn base(&self, service: Service) -> Option<String> {
        let running: Vec<_> = self.of(service).filter(|it| it.is_asked()).collect();
        let turn = self.turns[service as usize].fetch_add(1, Ordering::Relaxed);
        Some(running[turn.checked_rem(running.len())?].base())
    }

    fn of(&self, service: Service) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |replica| replica.service() == service)
    }
}

/// A service's program with its configuration, its ports excepted.
fn spec(service: Service, world: &World, options: &Options) -> Result<Spec, StartError> {
    let binary = service.binary().map_err(StartError::io(service.name()))?;
    let mut spec = Spec::new(binary)
        .env("MONGODB_URI", world.mongo_uri())
        .env("SOUK_DATABASE", world.database(service.name()))
        .env("NATS_URL", world.nats().url());
    if service == Service::Auth {
        let (email, password) = ADMIN;
        spec = spec
            .env("JWT_KEY", JWT_KEY)
            .env("SOUK_ADMIN_EMAIL", email)
            .env("SOUK_ADMIN_PASSWORD", password);
    }
    if service == Service::Payment {
        spec = spec.env("SOUK_ALLOW_SANDBOX", "true");
    }
    let own = options.envs.iter().filter(|(it, ..)| *it == service);
    Ok(own.fold(spec, |spec, (_, name, value)| spec.env(name, value)))
}
