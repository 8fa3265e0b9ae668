//! The life of a service process: it starts in any order, serves, and stops without losing anything.

mod act;
mod chore;
mod connect;
mod entry;
mod error;
mod lease;
mod memory;
mod parked;
mod redrive;
mod run;
pub(crate) mod server;
mod signals;
pub(crate) mod tasks;

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

pub use entry::main;
pub use error::{RunError, StartError};
pub use run::Running;

use crate::Clock;
use crate::bus::{Bus, Subscription};
use crate::config::ServiceConfig;
use crate::identity::{self, Identity};
use crate::ops::Ops;
use crate::store::{Compared, Retold, Store, UpdateError, patiently};
use crate::telemetry;
use crate::wakeups::Wakeups;
use chore::Chore;
use memory::Memory;
use tasks::Life;

/// Where the frame keeps what it needs to remember, in the service's own database.
const FRAME: &str = "frame";
/// Bytes that the kernel buffers of a connection in each direction; Linux doubles it.
const KERNEL_BUFFER: u32 = 64 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// How often states in streams are compared with the documents.
const RECONCILE: Duration = Duration::from_secs(15);

/// A service: what it stands on, and what it will do once it runs.
#[must_use = "a service does nothing until it runs"]
pub struct Service {
    name: &'static str,
    config: ServiceConfig,
    life: Life,
    ops: Ops,
    /// Where the operations port is, where there is one.
    operated: Option<SocketAddr>,
    store: Store,
    bus: Bus,
    identity: Identity,
    wakeups: Wakeups,
    memory: Memory,
    plan: Plan,
}

/// What a service will do once it runs.
#[derive(Default)]
struct Plan {
    api: Router,
    subscriptions: Vec<Subscription>,
    chores: Vec<Chore>,
    retellers: Vec<Box<Reteller>>,
}

/// Tells again how the things of one kind are now, and says how many there are.
type Reteller =
    dyn Fn(Store, Bus) -> BoxFuture<'static, Result<u64, UpdateError<Infallible>>> + Send + Sync;

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Service {
    /// Opens the operations port at once, then waits for the database as long as it takes.
    ///
    /// It waits for the bus when it runs.
    pub async fn start(name: &'static str, config: &ServiceConfig) -> Result<Self, StartError> {
        telemetry::log(name, config);
        let (life, ops) = (Life::default(), Ops::of(name));
        let mut operated = None;
        if !config.is_one_act() {
            let (listener, address) = listen("SOUK_OPS", config.ops)?;
            ops.answer(listener, config, &life.support);
            operated = Some(address);
        }
        let (store, bus) = connect::find(name, config, &life.support).await?;
        ops.watch(store.clone(), bus.clone());
        let memory = patiently(async || Memory::recall(store.clone()).await).await?;
        let identity = Identity::new(config.clock.clone());
        patiently(async || identity::load(&identity, &store).await).await?;
        let subscriptions = identity::subscriptions(&identity, &store);
        Ok(Self {
            name,
            config: config.clone(),
            life,
            ops,
            operated,
            store,
            bus,
            identity,
            wakeups: Wakeups::default(),
            memory,
            plan: Plan { subscriptions, ..Plan::default() },
        })
    }

    /// Serves this API on the public port.
    pub fn serve<S>(mut self, router: OpenApiRouter<S>, state: S) -> Self
    where
        S: Clone + Send + Sync + 'static,
    {
        let (router, _document) = router.with_state(state).split_for_parts();
        self.plan.api = self.plan.api.merge(router);
        self
    }

    /// Hears these events.
    pub fn consume(mut self, subscription: impl Into<Subscription>) -> Self {
        self.plan.subscriptions.push(subscription.into());
        self
    }

    /// Does something again and again, so long after it was done last. One replica does it for all;
    /// should that one die over it, another does it within five seconds. A round that fails is
    /// logged, and due again as any other.
    pub fn every<F, Fut, E>(mut self, period: Duration, name: &'static str, round: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.plan.chores.push(Chore::new(period, name, round));
        self
    }

    /// Publishes all documents of this kind again, when an operator asks for it, and each
    /// whose state in the stream differs from it, within a quarter of a minute.
    pub fn retells<D: Retold>(mut self) -> Self {
        let (store, bus, compared) = (self.store(), self.bus(), Arc::<Mutex<Compared>>::default());
        self.plan.chores.push(Chore::new(RECONCILE, D::COLLECTION, move || {
            let (store, bus, compared) = (store.clone(), bus.clone(), Arc::clone(&compared));
            async move {
                let mut compared = compared.lock().await;
                store.reconcile_state::<D>(&bus, &mut compared).await.map(drop)
            }
        }));
        self.plan.retellers.push(Box::new(|store, bus| {
            Box::pin(async move { store.retell_state::<D>(&bus).await })
        }));
        self
    }

    /// Runs a task beside the service, in every replica. A stop waits for it: it is to end when
    /// [`Service::stopping`] says so. Where the process does one act only, it does not run.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        if !self.config.is_one_act() {
            self.life.work.spawn(name, task);
        }
    }

    /// The name of the service, such as `order`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the service keeps.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// The bus it speaks over.
    pub fn bus(&self) -> Bus {
        self.bus.clone()
    }

    /// The one source of time and ids.
    pub fn clock(&self) -> Clock {
        self.config.clock.clone()
    }

    /// Checks who is asking.
    pub fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// Which life of its database the service is in: a wiped database begins a new one.
    pub fn generation(&self) -> &str {
        &self.memory.generation
    }

    /// Wakes those in this process who wait for a change.
    pub fn wakeups(&self) -> Wakeups {
        self.wakeups.clone()
    }

    /// Cancelled as soon as the service is asked to stop: who waits for something is to end.
    pub fn stopping(&self) -> CancellationToken {
        self.life.stopping.clone()
    }
}

/// Opens a port, and says where it is.
fn listen(
    variable: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let open = || {
        let listener = bind(address)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    open().map_err(|source| StartError::Listen { variable, address, source })
}

/// Binds a port whose connections have small buffers in the kernel, which count as the pod's memory:
/// unbounded, one client that does not read would fill megabytes. Proxies are near, so that small
/// ones cost no time.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(KERNEL_BUFFER)?;
    socket.set_recv_buffer_size(KERNEL_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
