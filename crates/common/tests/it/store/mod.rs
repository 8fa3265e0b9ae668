//! The commit and the relay, against a real replica set and a real nats-server.

mod commit;
mod faults;
mod relay;
mod things;
