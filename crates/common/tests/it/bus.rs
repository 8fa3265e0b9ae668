//! The bus, against a real server.

mod broadcast;
mod dead;
mod declare;
mod outage;
mod parked;
mod publish;
mod redrive;
mod rights;
mod stage;
mod work;
