//! The frame, against real servers.
#![expect(clippy::unwrap_used, reason = "it is how a test fails")]

mod bus;
mod frame_config;
mod http;
mod http_app;
mod http_bodies;
mod http_conditional;
mod http_gate;
mod http_record;
mod http_stream;
mod identity;
mod identity_known;
mod identity_signer;
mod openapi;
mod openapi_breaking;
mod ready;
mod service;
mod service_acts;
mod service_bounds;
mod service_chores;
mod service_events;
mod service_hangups;
mod service_identity;
mod service_parked;
mod shelf;
mod store;
