//! The loop of the trail: checkpoints each hour, refused attempts that were counted, entries past their legal time. I/O by
//! the state.

use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use kernel::trail::{Actor, Deed};
use state::CUT_ACTION;
use web::App;

use crate::core::Core;

/// The loop looks this often: what was counted is told a minute late at most.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A checkpoint is signed this often when there are new entries. Cutting the tail can hide an hour at most.
const SIGN_EVERY: Duration = Duration::from_secs(3_600);

/// What may be cut is looked for this often.
const CUT_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// How long entries are kept where no plan says otherwise: 7 years of 365.25 days.
pub const KEPT: Duration = Duration::from_secs(7 * 31_557_600);

/// Runs until the process ends.
pub async fn run(core: Arc<Core>, app: App) {
    let (mut signed_at, mut cut_at) = (core.now(), None::<Timestamp>);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = core.now();
        let sign = now.since(signed_at) >= SIGN_EVERY;
        if sign {
            signed_at = now;
        }
        let cut = cut_at.is_none_or(|at| now.since(at) >= CUT_EVERY);
        if cut {
            cut_at = Some(now);
        }
        let (turn, app) = (core.clone(), app.clone());
        let done = tokio::task::spawn_blocking(move || {
            tell_counted(&turn, &app, false);
            if sign {
                checkpoint(&turn);
            }
            if cut {
                cut_old(&turn, now);
            }
        });
        if let Err(error) = done.await {
            tracing::error!(%error, "the trail's turn broke off");
        }
    }
}

/// Tells of refused attempts that were counted; with `all`, of those counted so far, for the end.
pub fn tell_counted(core: &Core, app: &App, all: bool) {
    let counted = app.counted_refusals(core.now(), all);
    if !counted.is_empty()
        && let Err(error) = core.state.record_all(&counted)
    {
        core.store_failed("refused attempts", &error);
    }
}

/// Signs where the trail stands.
pub fn checkpoint(core: &Core) {
    match core.keeper.checkpoint(&core.state, core.now()) {
        Ok(Some(signed)) => {
            core.counters.checkpoints.add_one();
            tracing::debug!(entry = signed.checkpoint.sequence, "the trail is signed");
        }
        Ok(None) => {}
        Err(error) => {
            core.counters.store_errors.add_one();
            tracing::error!(error = format!("{error:#}"), "a checkpoint of the trail could not be stored");
        }
    }
}

/// The longest time that a plan in use asks for; entries are of all systems together.
pub fn kept(core: &Core) -> Duration {
    let of_plan = |s: &Arc<crate::system::System>| s.plan.retention.trail.map_or(KEPT, kernel::Duration::std);
    core.systems().values().map(of_plan).max().unwrap_or(KEPT)
}

/// Cuts what is older than its legal time, behind the newest checkpoint that is as old.
pub fn cut_old(core: &Core, now: Timestamp) {
    let older_than = now - kept(core);
    let result = core.state.checkpoint_before(older_than).and_then(|upto| match upto {
        Some(upto) if upto > core.state.trail_cut()? => {
            let told = Deed::new(now, Actor::farero("trail"), CUT_ACTION)
                .on("trail", "")
                .set("up to entry", upto.to_string())
                .set("older than", older_than.to_string());
            core.state.cut_trail(upto, older_than, &told)
        }
        _ => Ok(0),
    });
    match result {
        Ok(0) => {}
        Ok(n) => tracing::info!(entries = n, "entries of the trail past their legal time were cut"),
        Err(error) => core.store_failed("the cut of the trail", &error),
    }
}
