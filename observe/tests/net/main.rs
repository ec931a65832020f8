//! Network probes against real servers. Each test starts what it needs on free ports; none needs root.

mod http;
mod nginx;
mod support;
mod tls;
