//! The loop that keeps secrets fresh: values from Vault whose time has come, files that were changed, the log-in to Vault.
//! A system whose values changed is prepared anew; nothing that was measured or decided is lost. I/O: files, Vault.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::loops::reload;

/// The loop looks this often; asking whether files have changed costs microseconds.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let turn = core.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || refresh(&turn)).await {
            tracing::error!(%error, "looking for changed secrets broke off; the values in use stay");
        }
    }
}

/// Looks up what is due.
pub fn refresh(core: &Core) {
    core.sources.renew();
    for system in core.systems().values().filter(|s| s.values().is_due()) {
        let fresh = core.look_up(&system.plan, &system.folder);
        if fresh.same_as(&system.values()) {
            system.set_values(fresh);
            continue;
        }
        tracing::info!(system = %system.plan.system, "secrets have changed; everything that uses them is prepared anew");
        core.counters.secrets_changed.add_one();
        reload::put_in_use_with(core, system.reading(), fresh);
    }
}
