//! `rollups-too-short`: roll-ups that end before the raw samples they were made from (MET-03). Pure.
//!
//! ```yaml
//! retention: { metrics: 90d, rollups: 30d }
//! ```

use kernel::Duration;
use kernel::Language::{En, Es};
use plan_syntax::Diagnostic;

use super::{Advise, Review};

/// How long raw samples are kept where the plan does not say.
const DEFAULT_METRICS: Duration = Duration::from_secs(30 * 86_400);

pub(super) fn find(review: &Review<'_>) -> Vec<Diagnostic> {
    let retention = &review.plan.retention;
    let metrics = retention.metrics.unwrap_or(DEFAULT_METRICS);
    let Some(rollups) = retention.rollups.filter(|r| *r < metrics) else { return Vec::new() };
    let found = review.finding(
        "rollups-too-short",
        "retention.rollups",
        format!("roll-ups are kept {}, shorter than raw samples ({})", rollups.humanize(En), metrics.humanize(En)),
        format!("los resúmenes se guardan {}, menos que las muestras ({})", rollups.humanize(Es), metrics.humanize(Es)),
    );
    vec![found.advise(
        "roll-ups are for months and years: 25 months serve yearly figures",
        "los resúmenes son para meses y años: 25 meses sirven para cifras anuales",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn met_03_rollups_outlive_samples() {
        let said = "1: roll-ups are kept 10 days, shorter than raw samples (30 days)";
        check("rollups-too-short", "retention: {rollups: 10d}\n", &[said]);
        check("rollups-too-short", "retention: {metrics: 30d, rollups: 2y}\n", &[]);
    }
}
