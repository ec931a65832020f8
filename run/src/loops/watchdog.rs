//! The loop that tells an outside heartbeat that Farero works (CHK-10). I/O.
//!
//! It calls only while the loops that matter turn: checks are started and life signs are stored. A Farero that runs but has stopped
//! working falls silent like one that is gone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use kernel::trail::{Actor, Deed};

use crate::core::Core;
use crate::system::System;

/// How often a heartbeat is called where the plan does not say.
const USUAL: Duration = Duration::from_secs(60);

/// The loop looks this often for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One call may take this long.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// A loop that has not turned for this long has stopped working: three life signs.
const TURNED_WITHIN: Duration = Duration::from_secs(30);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut called: HashMap<String, Timestamp> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = core.now();
        for (name, system) in core.systems().iter() {
            let Some(watchdog) = &system.plan.watchdog else { continue };
            let every = watchdog.every.map_or(USUAL, kernel::Duration::std);
            let due = called.get(name).is_none_or(|at| now.since(*at) >= every);
            if !due || !core.works(now, TURNED_WITHIN) {
                continue;
            }
            called.insert(name.clone(), now);
            match watchdog.url.resolve(&*system.values()) {
                Ok(url) => call(&core, system, url.expose()).await,
                Err(error) => tracing::warn!(system = %name, %error, "the outside heartbeat cannot be called"),
            }
        }
    }
}

async fn call(core: &Core, system: &System, url: &str) {
    let name = &system.plan.system;
    match act::outgoing::call(url, &system.plan.outgoing, CALL_LIMIT).await {
        Ok(()) => {
            core.counters.watchdog_calls.add_one();
            tell(core, name, Ok(()));
        }
        Err(error) => {
            core.counters.watchdog_failures.add_one();
            let error = system.redactor.redact(&error);
            tell(core, name, Err(&error));
            tracing::warn!(system = %name, %error, "the outside heartbeat did not take the call");
        }
    }
}
/// Tells the trail when the outside heartbeat stops answering, and when it answers again.
fn tell(core: &Core, system: &str, answer: Result<(), &str>) {
    let state = if answer.is_ok() { "answers" } else { "silent" };
    if !core.keeper.is_news(&format!("watchdog {system}"), state, "answers") {
        return;
    }
    let deed = |action: &str| {
        Deed::new(core.now(), Actor::farero("watchdog"), action).on("watchdog", system).in_system(system)
    };
    core.tell(&match answer {
        Ok(()) => deed("watchdog.recover"),
        Err(error) => deed("watchdog.fail").failed(error),
    });
}
