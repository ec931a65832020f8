//! The loops: wiring, supervision, reload, shutdown. I/O.
//!
//! Here the stages meet: results go into the stores, rules read them, decisions are stored, deeds are done, and all of it is
//! read again as facts. The loops choose nothing themselves; what follows from facts is decided in `decide`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use kernel::trail::{Actor, Deed};
use kernel::{Clock, Timestamp};
use state::State;
use store_series::SeriesStore;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use web::live::Live;
use web::{App, WebConfig};

pub mod acme;
pub mod activity;
pub mod agenda;
pub mod approval;
pub mod clock;
pub mod config;
pub mod control;
pub mod core;
pub mod counters;
pub mod doors;
pub mod folder;
pub mod import;
pub mod kept;
pub mod layout;
pub mod login;
pub mod loops;
pub mod metrics;
pub mod place;
pub mod plans;
pub mod redacting;
pub mod shapes;
pub mod starter;
pub mod system;
pub mod trail;
mod trail_check;

pub use act::{HttpRequest, http_client, socket_client};
pub use clock::SystemClock;
pub use config::Config;
pub use core::Core;

use crate::core::Parts;

/// Version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Requests that are going get this long to finish when Farero ends.
const GRACE: Duration = Duration::from_millis(500);

/// A running Farero. Dropping it ends it hard; [`Farero::stop`] lets requests finish.
pub struct Farero {
    address: SocketAddr,
    core: Arc<Core>,
    app: App,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// One-time link to create the administrator, on the first start.
    setup: Option<String>,
    /// The Unix socket, taken away at the end.
    socket: Option<std::path::PathBuf>,
}

impl Farero {
    /// Reads the plans, opens the stores, starts all loops and the pages.
    ///
    /// # Errors
    /// A plan has errors, the data folder cannot be used, or the port is taken. Plans that become bad later are refused and do
    /// not end anything.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let (folders, environment, now) = (config.plans.clone(), config.environment.clone(), clock.now());
        let checking = tokio::task::spawn_blocking(move || {
            folders.iter().map(|f| plans::check_folder(f, environment.as_deref(), now)).collect::<Result<Vec<_>, _>>()
        });
        Self::start_checked(config, checking.await??, clock).await
    }

    /// As [`Farero::start`], with the plans of `config` checked already: a large plan is not read twice.
    ///
    /// # Errors
    /// As [`Farero::start`].
    pub async fn start_checked(config: Config, plans: Vec<plans::Checked>, clock: Arc<dyn Clock>) -> Result<Self> {
        let doors = doors::open(&config, clock.now()).await?;
        let address = doors.address;
        let config = Config { listen: address, ..config };
        let (results, incoming) = mpsc::channel(loops::collect::RESULTS_QUEUE);
        let opening = tokio::task::spawn_blocking(move || open(config, plans, clock, results));
        let core = Arc::new(opening.await??);
        let mut tasks = JoinSet::new();
        spawn_loops(&core, incoming, &mut tasks);
        let (stop, mut stopping) = watch::channel(false);
        let (turn, base_url) = (core.clone(), core.config.base_url());
        // References may lead to files and to Vault: not for async threads.
        let preparing = tokio::task::spawn_blocking(move || {
            login::prepare(&turn.config.data, turn.config.login.as_deref(), &base_url, &turn.sources)
        });
        let login = preparing.await??;
        let app = App::new(
            core.live.clone(),
            core.state.clone(),
            core.series.clone(),
            Arc::new(control::Controls(core.clone())),
            core.clock.clone(),
            WebConfig {
                base_url: core.config.base_url(),
                tls: core.config.is_https(),
                version: VERSION.to_owned(),
                open_metrics: core.config.open_metrics,
                open_badges: core.config.open_metrics,
                hosts: Some(doors.hosts),
                certificates: doors.certificates.clone(),
            },
        )
        .with_login(login)
        .with_receiving(core.receiving.clone());
        let setup = web::auth::link::first_administrator(&core.state, core.now())?;
        let setup = setup.map(|path| format!("{}{path}", core.config.base_url()));
        let until_stopped = async move {
            // An error means that the sender is gone, which is an end too.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        if let Some(certificates) = doors.certificates {
            core.certificates.get_or_init(|| certificates.clone());
            tasks.spawn(loops::certificates::run(core.clone(), certificates));
        }
        tasks.spawn(loops::trail::run(core.clone(), app.clone()));
        tasks.spawn(web::serve(doors.doors, web::router(app.clone()), until_stopped, GRACE));
        core.live.set_ready();
        Ok(Self { address, core, app, stop, tasks, setup, socket: doors.socket })
    }

    /// Where the pages are.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// One-time link to create the administrator, while there is no user.
    pub fn setup_link(&self) -> Option<&str> {
        self.setup.as_deref()
    }

    /// What all loops share.
    pub const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Reads the plans and the certificate again.
    pub fn reload(&self) {
        self.core.certificates_bell.notify_one();
        self.core.reload_bell.notify_one();
    }

    /// Ends: running requests may finish, the stores write what they hold.
    pub async fn stop(self) {
        self.stop_because("asked to").await;
    }

    /// Ends, and tells the trail why.
    pub async fn stop_because(mut self, reason: &str) {
        // A send fails only when the server has ended already.
        let _ = self.stop.send(true);
        tokio::time::sleep(GRACE).await;
        self.tasks.shutdown().await;
        if let Some(path) = &self.socket {
            // Nobody listens on it any more; where it cannot be taken away, the next start does.
            let _ = std::fs::remove_file(path);
        }
        let (core, app) = (self.core.clone(), self.app.clone());
        let told = Deed::new(core.now(), Actor::farero("run"), "farero.stop").on("farero", VERSION).saying(reason);
        let written = tokio::task::spawn_blocking(move || {
            loops::trail::tell_counted(&core, &app, true);
            core.tell(&told);
            loops::trail::checkpoint(&core);
            if let Err(error) = core.state.mark_alive(core.now()) {
                core.store_failed("the last life sign", &error);
            }
            if let Err(error) = core.series.cut() {
                core.store_failed("the samples in memory (the log still holds them)", &error);
            }
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "the end broke off; the logs hold what was acknowledged");
        }
    }
}

/// Everything that waits for a disk: stores, plans, the absence since the last life sign.
fn open(
    config: Config,
    plans: Vec<plans::Checked>,
    clock: Arc<dyn Clock>,
    results: mpsc::Sender<kernel::probe::ProbeResult>,
) -> Result<Core> {
    folder::make_private(&config.data).with_context(|| format!("{} cannot be made", config.data.display()))?;
    let mut checked = Vec::new();
    for (folder, plan) in config.plans.iter().zip(plans) {
        let read = plan.read.with_context(|| format!("{} has errors; see: farero check {0}", folder.display()))?;
        checked.push((read, plan.files));
    }
    let sources = secrets::Sources::new(config.secrets.clone());
    let written = config.state.as_ref().map(kernel::secret::Secret::expose);
    let state = State::open_at(&place::state_location(&config.data, written, &sources)?)?;
    let keeper = trail::Keeper::open(&config.data, &state, clock.now())?;
    state.record(&started(&config, &state, clock.now()))?;
    let (series, report) = SeriesStore::open(
        &config.data.join("series"),
        kept::store_options(checked.iter().map(|(read, _)| &*read.plan)),
    )?;
    tracing::info!(?report, "series opened");
    let series = Arc::new(series);
    let live = Arc::new(Live::new(&*clock));
    let core = Core::new(Parts { state, keeper, series, live, clock, sources, config }, results);
    loops::alive::record_absence(&core);
    loops::outbox::requeue(&core);
    loops::watchful::refresh(&core);
    for (read, files) in checked {
        approval::begin(&core, read, &files);
    }
    loops::collect::restore(&core);
    Ok(core)
}

/// The deed of a start.
fn started(config: &Config, state: &State, now: Timestamp) -> Deed {
    let plans: Vec<String> = config.plans.iter().map(|p| p.display().to_string()).collect();
    Deed::new(now, Actor::farero("run"), "farero.start")
        .on("farero", VERSION)
        .set("plans", plans.join(", "))
        .set("state", state.place())
        .set("schema", state::SCHEMA_VERSION.to_string())
        .set("listen", config.listen.to_string())
}

fn spawn_loops(core: &Arc<Core>, results: mpsc::Receiver<kernel::probe::ProbeResult>, tasks: &mut JoinSet<()>) {
    tasks.spawn(loops::collect::run(core.clone(), results));
    tasks.spawn(loops::probes::run(core.clone()));
    tasks.spawn(loops::judge::run(core.clone()));
    tasks.spawn(loops::scrapes::run(core.clone()));
    tasks.spawn(loops::rules::run(core.clone()));
    tasks.spawn(loops::deliveries::run(core.clone()));
    tasks.spawn(loops::outbox::run(core.clone()));
    tasks.spawn(loops::views::run(core.clone()));
    tasks.spawn(loops::kpis::run(core.clone()));
    tasks.spawn(loops::reload::run(core.clone()));
    tasks.spawn(loops::secrets::run(core.clone()));
    tasks.spawn(loops::watchful::run(core.clone()));
    tasks.spawn(loops::watchdog::run(core.clone()));
    tasks.spawn(loops::alive::run(core.clone()));
    tasks.spawn(loops::clean::run(core.clone()));
}

/// Name of the user that this process runs as, or its number.
pub fn own_user() -> String {
    web::serve::LocalPeer::name_of(nix::unistd::Uid::effective().as_raw())
}
