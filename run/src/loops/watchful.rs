//! The loop that begins and ends intensive watching (CHK-16). I/O by the state.

use std::sync::Arc;
use std::time::Duration;

use crate::core::{Core, Intensive};

/// How often the end of a period is looked for.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    loop {
        let turn = core.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || refresh(&turn)).await {
            tracing::error!(%error, "looking for intensive watching broke off");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Reads what is watched intensively now and tells loops and pages.
pub fn refresh(core: &Core) {
    let watched = match core.state.intensive(core.now()) {
        Ok(watched) => Intensive(watched),
        Err(error) => return core.store_failed("intensive watching could not be read; it", &error),
    };
    if watched == core.intensive() {
        return;
    }
    for name in core.systems().keys() {
        let of_it = watched.0.iter().filter(|i| i.system == *name);
        let shown =
            of_it.map(|i| web::live::Intensive { component: i.component.clone(), until: i.until, by: i.by.clone() });
        core.live.set_intensive(name, shown.collect());
    }
    core.set_intensive(watched);
}
