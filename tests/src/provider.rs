//! An OpenID Connect provider: `oidc-provider` from npm (certified by the OpenID Foundation), kept among the tests' tools. I/O.

use std::process::{Child, Command, Stdio};

use crate::farero::free_port;
use crate::wait::wait_for;

/// The version that is asked for.
const PACKAGE: &str = "oidc-provider@9";

/// The secret of Farero's registration.
pub const SECRET: &str = "un-secreto-de-prueba-bastante-largo";

/// A running provider; killed when dropped.
pub struct OidcProvider {
    child: Option<Child>,
    port: u16,
    back: String,
}

impl OidcProvider {
    /// Starts it for a Farero at an address; ID tokens are signed with `algorithm` (`RS256` or `ES256`) and a fresh key.
    ///
    /// # Panics
    /// Node.js or npm is missing, or it does not start.
    pub async fn start(base_url: &str, algorithm: &str) -> Self {
        let mut provider = Self { child: None, port: free_port(), back: base_url.to_owned() };
        provider.launch(algorithm).await;
        provider
    }

    /// Starts it again with another key, as a provider does that changes its keys.
    ///
    /// # Panics
    /// It does not start.
    pub async fn change_keys(&mut self, algorithm: &str) {
        self.end();
        self.launch(algorithm).await;
    }

    async fn launch(&mut self, algorithm: &str) {
        let folder = tokio::task::spawn_blocking(|| crate::tools::npm(PACKAGE)).await.expect("a package");
        // Whole in one step: another test may be starting it from the same folder.
        let written = folder.join(format!("{}.making", self.port));
        std::fs::write(&written, include_str!("provider.mjs")).expect("a script");
        std::fs::rename(&written, folder.join("provider.mjs")).expect("a script");
        let child = Command::new("node")
            .arg("provider.mjs")
            .args([&self.port.to_string(), &self.back, SECRET, algorithm])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("node can be started: install Node.js");
        self.child = Some(child);
        let address = format!("127.0.0.1:{}", self.port);
        wait_for("the provider", || {
            let address = address.clone();
            async move { tokio::net::TcpStream::connect(address).await.ok() }
        })
        .await;
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        self.end();
    }
}
