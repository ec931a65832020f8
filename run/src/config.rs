//! How Farero was started. Pure.

use std::net::SocketAddr;
use std::path::PathBuf;

use kernel::secret::Secret;

/// How Farero was started.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folders of the plans.
    pub plans: Vec<PathBuf>,
    /// Folder for everything that Farero keeps.
    pub data: PathBuf,
    /// PostgreSQL for what must survive, instead of a file in `data`: a URL, may hold references.
    pub state: Option<Secret>,
    /// Where the pages are served.
    pub listen: SocketAddr,
    /// Address under which people reach the pages, for links in messages; made from `listen` when `None`.
    pub public_url: Option<String>,
    /// Environment to read the plans for.
    pub environment: Option<String>,
    /// Values beside the environment's variables, for references.
    pub given: Vec<(String, String)>,
    /// Whether `/metrics`, the Prometheus API and badges may be read without log-in.
    pub open_metrics: bool,
}

impl Config {
    /// The address for links.
    pub fn base_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }
}
