//! What tests of the loops share: Farero's real core on a plan, with its real stores, a clock turned by hand, and no loops: each test
//! makes their turns itself. I/O: temporary folders.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kernel::{Clock, Timestamp};
use plan_model::Plan;
use run::core::Parts;
use run::loops::reload;
use run::{Config, Core, kept};
use state::State;
use store_series::SeriesStore;
use web::live::Live;

/// A clock turned by hand.
pub(crate) struct Hand(AtomicI64);

impl Hand {
    /// Sets it.
    pub(crate) fn turn(&self, to: Timestamp) {
        self.0.store(to.as_millis(), Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// The core on a plan's folder, changed as the test says, with its store opened as the plan asks; its data in a new folder `data` below
/// `folder`; and its clock.
pub(crate) fn core_on(
    folder: &Path,
    plan: &Path,
    environment: Option<&str>,
    now: Timestamp,
    change: impl FnOnce(&mut Plan),
) -> (Core, Arc<Hand>) {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let checked = run::plans::check_folder(plan, environment, now).unwrap();
    let Some(mut read) = checked.read else { panic!("{:?}", checked.diagnostics) };
    change(Arc::make_mut(&mut read.plan));
    let clock = Arc::new(Hand(AtomicI64::new(now.as_millis())));
    let options = kept::store_options([&*read.plan].into_iter());
    let (series, _) = SeriesStore::open(&data.join("series"), options).unwrap();
    let state = State::open(&data).unwrap();
    let keeper = run::trail::Keeper::open(&data, &state, now).unwrap();
    let parts = Parts {
        state,
        keeper,
        series: Arc::new(series),
        live: Arc::new(Live::new(&*clock)),
        clock: clock.clone(),
        sources: secrets::Sources::default(),
        config: Config::new(vec![plan.to_owned()], data, "127.0.0.1:8080".parse().unwrap()),
    };
    let core = Core::new(parts, tokio::sync::mpsc::channel(1).0);
    reload::put_in_use(&core, read, &checked.files);
    (core, clock)
}
