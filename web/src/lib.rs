//! Pages, live connections and the JSON API (the web room). I/O: HTTP.
//!
//! What it shows comes from the in-memory read model [`live::Live`], which `run` fills, and for lists and details from
//! `state` and the series store. It decides nothing and sends nothing: what a person asks for goes through the port
//! [`Control`], which `run` implements. Deny by default: a route exists only with the permission it needs
//! ([`routes::table`]), and a test tries each of them as nobody, as viewer and as administrator.

#[cfg(test)]
extern crate self as web;

pub mod answer;
pub(crate) mod api;
pub mod app;
pub mod approvals;
pub mod assets;
pub mod auth;
pub mod chart;
pub mod control;
pub mod events;
pub mod hosts;
pub mod limits;
pub(crate) mod lists;
pub mod live;
pub mod pages;
pub mod panel;
pub(crate) mod people;
pub mod routes;
pub mod serve;
pub mod text;
pub mod tls;
pub mod trail_export;
pub mod uptime;

pub use api::receiving::Receiving;
pub use api::scraped::Scraped;
pub use app::{App, PeerAddress, WebConfig, router};
pub use auth::login::Login;
pub use control::{Control, ControlError};
pub use serve::{Door, serve};
pub use web_explore::format;

#[cfg(test)]
#[path = "../examples/sample/mod.rs"]
mod sample;

#[cfg(test)]
mod tests;
