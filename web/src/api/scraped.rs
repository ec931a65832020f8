//! Targets that are scraped, as somebody sees them: those whose series they see. Pure.

use kernel::Labels;
use kernel::series::SeriesError;
use web_prometheus::views::{TargetMetadata, Targets};

use crate::app::App;
use crate::auth::Access;
use crate::live::seen_labels;

/// What tells of the targets that are scraped.
pub trait Scraped: Send + Sync {
    /// The targets and how their last scrape went. Their labels `system` and `service` say whose they are.
    fn targets(&self) -> Targets;

    /// What they tell of their metrics.
    fn metadata(&self) -> Vec<TargetMetadata>;
}

/// The targets that somebody sees.
pub(crate) fn targets(app: &App, access: &Access) -> Targets {
    let Some(scraped) = &app.scraped else { return Targets::default() };
    let Ok(sees) = sees(app, access) else { return Targets::default() };
    let mut all = scraped.targets();
    all.active.retain(|target| sees(&target.labels));
    // A plan drops no targets; its jobs are counted only where one of them is seen.
    all.dropped.clear();
    let pools: Vec<&String> = all.active.iter().map(|t| &t.scrape_pool).collect();
    all.dropped_counts.retain(|pool, _| pools.contains(&pool));
    all
}

/// What the targets that somebody sees tell of their metrics.
pub(crate) fn metadata(app: &App, access: &Access) -> Vec<TargetMetadata> {
    let Some(scraped) = &app.scraped else { return Vec::new() };
    let Ok(sees) = sees(app, access) else { return Vec::new() };
    let mut all = scraped.metadata();
    all.retain(|one| sees(&one.target));
    all
}

/// Whether somebody sees series with these labels.
fn sees(app: &App, access: &Access) -> Result<impl Fn(&Labels) -> bool, SeriesError> {
    seen_labels(&app.live, access)
}
