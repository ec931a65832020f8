//! A server on 127.0.0.1 that can be stopped and started again on the same port. I/O.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// A server that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves on a port (any free one when 0).
    pub(crate) async fn start(port: u16, router: Router) -> Result<Self> {
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port} cannot be used"))?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, port, "a server of the demo ended");
            }
        });
        Ok(Self { port, task })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server with a switch. While it is off its port is closed, so that connecting is refused.
#[derive(Debug)]
pub(crate) struct Switch {
    port: u16,
    router: Router,
    on: Arc<Mutex<Option<Server>>>,
}

impl Switch {
    pub(crate) async fn start(router: Router) -> Result<Self> {
        let server = Server::start(0, router.clone()).await?;
        Ok(Self { port: server.port(), router, on: Arc::new(Mutex::new(Some(server))) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn off(&self) {
        self.on.lock().await.take();
    }

    pub(crate) async fn on(&self) -> Result<()> {
        let mut on = self.on.lock().await;
        if on.is_none() {
            *on = Some(Server::start(self.port, self.router.clone()).await?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn off_refuses_and_on_answers_again() {
        let switch = Switch::start(Router::new()).await.unwrap();
        let connect = || tokio::net::TcpStream::connect(("127.0.0.1", switch.port));
        assert!(connect().await.is_ok());
        switch.off().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(connect().await.is_err());
        switch.on().await.unwrap();
        assert!(connect().await.is_ok());
    }
}
