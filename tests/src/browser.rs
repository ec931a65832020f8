//! Headless Chromium behind Debian's chromedriver. I/O.

use std::process::{Child, Command, Stdio};

/// A running chromedriver; killed when dropped.
pub struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// Starts it.
    ///
    /// # Panics
    /// The Debian package chromium-driver is missing.
    pub async fn start() -> Self {
        // The WebDriver client takes the process's default; an error says that it is set already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = crate::farero::free_port();
        let child = Command::new("/usr/bin/chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be started: install the Debian package chromium-driver");
        let address = format!("127.0.0.1:{port}");
        crate::wait::wait_for("chromedriver", || {
            let address = address.clone();
            async move { tokio::net::TcpStream::connect(address).await.ok() }
        })
        .await;
        Self { child, port }
    }

    /// Where WebDriver clients connect to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Switches of Chromium: headless, nothing in the background, no other host asked.
pub const SWITCHES: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];
