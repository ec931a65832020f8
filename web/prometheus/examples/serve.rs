//! Serves the API over a store in memory, for trying clients and test suites: `serve --listen ADDR`.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "an example")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::Timestamp;
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader, SeriesWriter};
use observe_receive::limits::Limits;
use observe_receive::writer::Writer;
use web_prometheus::{Backend, Gate, Settings, default_gate, router};

#[path = "../tests/it/memory.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod memory;

use memory::Memory;

struct Served {
    memory: Arc<Memory>,
    writer: Arc<Writer>,
    settings: Settings,
    gate: Gate,
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as i64)
}

impl Backend for Served {
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError> {
        Ok(self.memory.clone())
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn writer(&self) -> Option<Arc<Writer>> {
        Some(self.writer.clone())
    }

    fn store(&self) -> Option<Arc<dyn SeriesAdmin>> {
        Some(self.memory.clone())
    }

    fn admin(&self) -> Option<Arc<dyn SeriesAdmin>> {
        Some(self.memory.clone())
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let listen = arguments.iter().position(|a| a == "--listen").and_then(|at| arguments.get(at + 1));
    let listen = listen.map_or("127.0.0.1:9090", String::as_str);
    let memory = Arc::<Memory>::default();
    let writer = Arc::new(Writer::new(memory.clone() as Arc<dyn SeriesWriter>, Limits::default()));
    let served = Served { memory, writer, settings: Settings::new("example", now()), gate: default_gate() };
    let cors = regex::Regex::new("^(?:.*)$").unwrap();
    let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
    eprintln!("listening on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, router(Arc::new(served), Some(cors))).await.unwrap();
}
