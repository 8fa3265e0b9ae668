//! The frame, against real servers.

mod frame_config;
mod service;
mod service_chores;
mod store;
