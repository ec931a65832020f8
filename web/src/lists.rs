//! Stored alerts and deliveries as somebody sees them: of the systems that they see, without what is restricted to others.
//! I/O: state.
//!
//! Each system is asked for by itself and the answers are put together, so that the rows of other systems are never read.

use kernel::Timestamp;
use kernel::message::OutboxEntry;
use state::{AlertFilter, AlertRecord, OutboxCount, OutboxFilter, OutboxRecord, StateError};

use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::live::Live;

/// Pages that are read on behind what is hidden, before the list ends early: enough for a list of nothing but hidden rows.
const PAGES_READ: usize = 20;

/// The systems to ask for: one that was named, all together for whoever sees everything, else each that is seen.
fn systems(live: &Live, access: &Access, wanted: Option<&str>) -> Vec<Option<String>> {
    let seen = live.seen_by(access);
    match wanted {
        Some(name) if access.sees_all() || seen.system(name, |_| ()).is_some() => vec![Some(name.to_owned())],
        Some(_) => Vec::new(),
        None if access.sees_all() => vec![None],
        None => seen.system_names().into_iter().map(|(n, _)| Some(n.to_string())).collect(),
    }
}

/// Reads page after page until `limit` rows are seen.
fn read_seen<T>(
    limit: usize,
    mut before: Option<Timestamp>,
    page: impl Fn(Option<Timestamp>) -> Result<Vec<T>, StateError>,
    at: impl Fn(&T) -> Timestamp,
    seen: impl Fn(&T) -> bool,
) -> Result<Vec<T>, StateError> {
    let mut out = Vec::new();
    for _ in 0..PAGES_READ {
        let rows = page(before)?;
        let (whole, last) = (rows.len() < limit, rows.last().map(&at));
        out.extend(rows.into_iter().filter(|r| seen(r)));
        if whole || out.len() >= limit {
            break;
        }
        before = last;
    }
    out.truncate(limit);
    Ok(out)
}

/// Alerts, newest first.
pub(crate) async fn alerts(app: &App, access: &Access, filter: AlertFilter) -> Result<Vec<AlertRecord>, Failure> {
    let (live, access) = (app.live.clone(), access.clone());
    app.db(move |s| {
        let seen = live.seen_by(&access);
        let at = |r: &AlertRecord| r.alert.fired_at.unwrap_or(r.alert.active_at);
        let mut all = Vec::new();
        for system in systems(&live, &access, filter.system.as_deref()) {
            let page = |before| s.alerts(&AlertFilter { system: system.clone(), before, ..filter.clone() });
            all.extend(read_seen(filter.limit, filter.before, page, at, |r| seen.sees_alert(&r.alert))?);
        }
        all.sort_by_key(|r| std::cmp::Reverse(at(r)));
        all.truncate(filter.limit);
        Ok(all)
    })
    .await
}

/// Whether somebody sees a delivery: its channel's system, and every alert that it tells of.
pub(crate) fn sees_delivery(live: &Live, access: &Access, entry: &OutboxEntry) -> bool {
    let seen = live.seen_by(access);
    (access.sees_all() || seen.system(&entry.system, |_| ()).is_some())
        && entry.message.items.iter().all(|i| seen.sees_alert(&i.alert))
}

/// Deliveries, newest first.
pub(crate) async fn deliveries(app: &App, access: &Access, filter: OutboxFilter) -> Result<Vec<OutboxRecord>, Failure> {
    let (live, access) = (app.live.clone(), access.clone());
    app.db(move |s| {
        let at = |r: &OutboxRecord| r.entry.created_at;
        let mut all = Vec::new();
        for system in systems(&live, &access, filter.system.as_deref()) {
            let page = |before| s.outbox(&OutboxFilter { system: system.clone(), before, ..filter.clone() });
            let seen = |r: &OutboxRecord| sees_delivery(&live, &access, &r.entry);
            all.extend(read_seen(filter.limit, filter.before, page, at, seen)?);
        }
        all.sort_by_key(|r| std::cmp::Reverse(at(r)));
        all.truncate(filter.limit);
        Ok(all)
    })
    .await
}

/// How many deliveries are in each state, of the systems that are seen. Where a system restricts something from this person its
/// deliveries are left out: their number alone would tell.
pub(crate) async fn counts(app: &App, access: &Access) -> Result<Vec<OutboxCount>, Failure> {
    let mut counts = app.db(|s| s.outbox_counts()).await?;
    let seen = access.seen(app);
    counts.retain(|c| match app.live.system(&c.system, |_| ()) {
        Some(()) => seen.sees_whole(&c.system),
        None => access.sees_all(),
    });
    Ok(counts)
}
