//! The loop that deletes what is past its time. I/O by the stores.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;

/// The state is cleaned this often: what is past its time may stay an hour longer.
const CLEAN_EVERY: Duration = Duration::from_secs(3_600);

/// The series store's upkeep is asked for this often.
const UPKEEP_EVERY: Duration = Duration::from_secs(30);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut cleaned_at = core.now();
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        let now = core.now();
        let clean = now.since(cleaned_at) >= CLEAN_EVERY;
        if clean {
            cleaned_at = now;
        }
        let turn = core.clone();
        let done = tokio::task::spawn_blocking(move || {
            if let Err(error) = turn.series.maintain(now) {
                turn.store_failed("blocks of samples", &error);
            }
            if clean && let Err(error) = turn.state.clean(now) {
                turn.store_failed("the end of old rows", &error);
            }
        });
        if let Err(error) = done.await {
            tracing::error!(%error, "upkeep broke off");
        }
    }
}
