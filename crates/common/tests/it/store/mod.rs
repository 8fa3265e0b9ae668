//! The commit and the relay, against a real replica set and a real nats-server.

mod backlog;
mod commit;
mod faults;
mod reconcile;
mod relay;
mod things;
