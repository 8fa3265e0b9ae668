//! The frame, against real servers.

mod frame_config;
mod http;
mod http_app;
mod http_gate;
mod identity;
mod identity_signer;
mod service;
mod service_chores;
mod store;
