//! Serves the API over a store in memory, or in a folder, for trying clients and test suites: `serve --listen ADDR [--data DIR]`.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "an example")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::Timestamp;
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader, SeriesWriter};
use observe_receive::limits::Limits;
use observe_receive::writer::Writer;
use store_series::{Options, SeriesStore, UPKEEP_EVERY};
use web_prometheus::{Backend, Gate, Settings, default_gate, router};

#[path = "../tests/it/memory.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod memory;

use memory::Memory;

struct Served {
    reader: Arc<dyn SeriesReader>,
    admin: Arc<dyn SeriesAdmin>,
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
        Ok(self.reader.clone())
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

    fn own_metrics(&self) -> String {
        self.gate.counts().all().iter().map(|(name, _, value)| format!("{name} {value}\n")).collect()
    }

    fn store(&self) -> Option<Arc<dyn SeriesAdmin>> {
        Some(self.admin.clone())
    }

    fn admin(&self) -> Option<Arc<dyn SeriesAdmin>> {
        Some(self.admin.clone())
    }
}

fn served<S: SeriesReader + SeriesWriter + SeriesAdmin + 'static>(store: Arc<S>) -> Served {
    let writer = Arc::new(Writer::new(store.clone() as Arc<dyn SeriesWriter>, Limits::default()));
    Served {
        reader: store.clone(),
        admin: store,
        writer,
        settings: Settings::new("example", now()),
        gate: default_gate(),
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let listen = value("--listen").map_or("127.0.0.1:9090", String::as_str);
    let served = match value("--data") {
        None => served(Arc::<Memory>::default()),
        Some(folder) => {
            let (store, _) = SeriesStore::open(folder.as_ref(), Options::default()).unwrap();
            let store = Arc::new(store);
            let upkept = store.clone();
            std::thread::spawn(move || {
                loop {
                    std::thread::sleep(UPKEEP_EVERY);
                    upkept.maintain(now()).unwrap();
                }
            });
            served(store)
        }
    };
    let cors = regex::Regex::new("^(?:.*)$").unwrap();
    let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
    eprintln!("listening on http://{}", listener.local_addr().unwrap());
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| _ = stream.set_nodelay(true));
    axum::serve(listener, router(Arc::new(served), Some(cors))).await.unwrap();
}
