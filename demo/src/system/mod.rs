//! The stand-in: Frontend, Backend, OCR, TLS endpoint, PostgreSQL, the server's store. I/O.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use tokio::task::JoinHandle;

use crate::Fault;

mod backend;
mod frontend;
mod ocr;
mod postgres;
mod store;
mod tls;
mod traffic;

use crate::switch::Switch;
use postgres::Postgres;

/// All parts with what is broken in them.
#[derive(Debug)]
pub(crate) struct System {
    frontend: Switch,
    backend: Switch,
    ocr: Switch,
    tls: tls::Endpoint,
    postgres: Option<Postgres>,
    store: Arc<store::Store>,
    server: Switch,
    slow: Arc<AtomicBool>,
    failing: Arc<AtomicBool>,
    mail_refuses: Arc<AtomicBool>,
    broken: parking_lot::Mutex<std::collections::BTreeSet<Fault>>,
    notes: Vec<String>,
    traffic: JoinHandle<()>,
}

impl Drop for System {
    fn drop(&mut self) {
        self.traffic.abort();
    }
}

impl System {
    pub(crate) async fn start(folder: &Path, mail_refuses: Arc<AtomicBool>) -> Result<Self> {
        let (slow, failing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let mut notes = Vec::new();
        let postgres = match Postgres::start(&folder.join("postgres")).await {
            Ok(postgres) => Some(postgres),
            Err(error) => {
                notes.push(format!("PostgreSQL: {error:#}. The demo runs without a database."));
                None
            }
        };
        let store = Arc::new(store::Store::create(&folder.join("store"))?);
        let backend = Switch::start(backend::router(postgres.as_ref().map(Postgres::url), failing.clone())).await?;
        let traffic = tokio::spawn(traffic::make(backend.url()));
        Ok(Self {
            frontend: Switch::start(frontend::router()).await?,
            ocr: Switch::start(ocr::router(slow.clone())).await?,
            tls: tls::Endpoint::start().await?,
            server: Switch::start(store::router(store.clone())).await?,
            backend,
            postgres,
            store,
            slow,
            failing,
            mail_refuses,
            broken: parking_lot::Mutex::default(),
            notes,
            traffic,
        })
    }

    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("SIGCERH_FRONTEND_URL", self.frontend.url()),
            ("SIGCERH_BACKEND_URL", self.backend.url()),
            ("SIGCERH_OCR_URL", self.ocr.url()),
            ("SIGCERH_TLS_ADDRESS", self.tls.address()),
            ("SIGCERH_SERVER_METRICS_URL", format!("{}/metrics", self.server.url())),
        ];
        if let Some(postgres) = &self.postgres {
            all.push(("SIGCERH_DATABASE_URL", postgres.url()));
        }
        all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    pub(crate) fn broken(&self) -> Vec<Fault> {
        self.broken.lock().iter().copied().collect()
    }

    pub(crate) async fn cause(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Backend => self.backend.off().await,
            Fault::Frontend => self.frontend.off().await,
            Fault::Ocr => self.slow.store(true, Ordering::Relaxed),
            Fault::Database => self.database()?.stop().await?,
            Fault::Disk => self.store.fill()?,
            Fault::Cert => self.tls.show_short()?,
            Fault::Errors => self.failing.store(true, Ordering::Relaxed),
            Fault::Mail => self.mail_refuses.store(true, Ordering::Relaxed),
        }
        self.broken.lock().insert(fault);
        Ok(())
    }

    pub(crate) async fn mend(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Backend => self.backend.on().await?,
            Fault::Frontend => self.frontend.on().await?,
            Fault::Ocr => self.slow.store(false, Ordering::Relaxed),
            Fault::Database => self.database()?.run().await?,
            Fault::Disk => self.store.clean()?,
            Fault::Cert => self.tls.show_good()?,
            Fault::Errors => self.failing.store(false, Ordering::Relaxed),
            Fault::Mail => self.mail_refuses.store(false, Ordering::Relaxed),
        }
        self.broken.lock().remove(&fault);
        Ok(())
    }

    fn database(&self) -> Result<&Postgres> {
        self.postgres.as_ref().context("this demo has no database: install PostgreSQL and start the demo again")
    }
}
