//! What checks of databases share: used connections, own queries with bounds, verdicts. Pure but for the monotonic clock.

use indexmap::IndexMap;
use kernel::probe::Reading;
use kernel::quantity::Percent;
use plan_model::check::SqlBound;

use super::{Attempt, PrepareError, Probed};

/// A server cancels a statement after this share of the time that is left, so that its reason still arrives.
const STATEMENT_SHARE: f64 = 0.9;

/// How long the server may work at one statement, in milliseconds.
pub(crate) fn statement_timeout_ms(attempt: &Attempt) -> u128 {
    let left = attempt.deadline().saturating_duration_since(tokio::time::Instant::now());
    left.mul_f64(STATEMENT_SHARE).as_millis().max(1)
}

/// An own query, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) sql: String,
    min: Option<f64>,
    max: Option<f64>,
}

/// Checks that each query has SQL, and bounds that a value can be within.
pub(crate) fn prepare_queries(queries: &IndexMap<String, SqlBound>) -> Result<Vec<Query>, PrepareError> {
    let prepare = |(name, bound): (&String, &SqlBound)| {
        let sql = bound.sql.trim().trim_end_matches(';').trim_end().to_owned();
        if sql.is_empty() {
            return Err(PrepareError::unusable("queries", format!("`{name}` has no SQL")));
        }
        if let (Some(min), Some(max)) = (bound.min, bound.max)
            && min > max
        {
            let why = format!("no value of `{name}` is both at least {min} and at most {max}");
            return Err(PrepareError::unusable("queries", why));
        }
        Ok(Query { name: name.clone(), sql, min: bound.min, max: bound.max })
    };
    queries.iter().map(prepare).collect()
}

impl Query {
    /// Keeps the value, and says what is wrong with it.
    pub(crate) fn judge(&self, value: Option<f64>, attempt: &Attempt) -> Result<(), String> {
        let Some(value) = value else {
            return Err(format!("query {} gave no number: no row, or NULL (use coalesce)", self.name));
        };
        attempt.read(Reading::new("farero_db_query_value", value).label("query", self.name.as_str()));
        if let Some(min) = self.min.filter(|min| value < *min) {
            return Err(format!("query {} gave {value}, less than {min}", self.name));
        }
        // Written so that NaN is over every bound.
        match self.max {
            Some(max) if value.is_nan() || value > max => {
                Err(format!("query {} gave {value}, more than {max}", self.name))
            }
            _ => Ok(()),
        }
    }
}

/// Connections in use, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Connections {
    pub(crate) used: f64,
    pub(crate) max: f64,
}

impl Connections {
    /// Keeps both, and the share in use of what there may be, under one name for all databases.
    pub(crate) fn record(self, attempt: &Attempt) {
        attempt.read(Reading::new("farero_db_connections", self.used));
        attempt.read(Reading::new("farero_db_connections_max", self.max));
        if self.max > 0.0 {
            attempt.read(Reading::new("farero_db_connections_used_ratio", self.used / self.max));
        }
        attempt.fact("connections", format!("{}/{}", self.used, self.max));
    }

    /// Why the bound is crossed; `None` when it is not.
    pub(crate) fn why_crowded(self, bound: Option<Percent>) -> Option<String> {
        let (bound, Self { used, max }) = (bound?, self);
        (max > 0.0 && used / max > bound.ratio())
            .then(|| format!("{used} of {max} connections are in use ({:.0} %), more than {bound}", used / max * 100.0))
    }
}

/// Down when something is broken, slow when something is near its bound, else up.
pub(crate) fn conclude(broken: &[String], slow: &[String], attempt: &Attempt) -> Probed {
    if !broken.is_empty() {
        return Probed::down(broken.join("; "));
    }
    if !slow.is_empty() {
        attempt.fact("slow", slow.join("; "));
        return Probed::slow();
    }
    Probed::up()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(min: Option<f64>, max: Option<f64>, value: Option<f64>, expect: &str) {
        let query = Query { name: "casos".into(), sql: "SELECT 1".into(), min, max };
        let got = query.judge(value, &Attempt::for_test()).err().unwrap_or_default();
        assert!(got.contains(expect) && got.is_empty() == expect.is_empty(), "{value:?}: `{got}`");
    }

    #[test]
    fn chk_12_values_and_bounds() {
        check(None, None, Some(5.0), "");
        check(Some(1.0), Some(5.0), Some(5.0), "");
        check(Some(1.0), None, Some(0.0), "query casos gave 0, less than 1");
        check(None, Some(10.0), Some(11.5), "query casos gave 11.5, more than 10");
        check(None, Some(10.0), Some(f64::NAN), "more than 10");
        check(None, None, None, "no row, or NULL");
    }

    #[test]
    fn chk_12_queries_that_cannot_pass_are_refused() {
        let bound = |sql: &str, min, max| IndexMap::from([("q".to_owned(), SqlBound { sql: sql.into(), min, max })]);
        assert!(prepare_queries(&bound(" ; ", None, None)).is_err());
        assert!(prepare_queries(&bound("SELECT 1", Some(2.0), Some(1.0))).is_err());
        assert_eq!(prepare_queries(&bound("SELECT 1 ;\n", None, None)).unwrap()[0].sql, "SELECT 1");
    }

    #[test]
    fn chk_03_share_of_the_connections() {
        let connections = Connections { used: 91.0, max: 100.0 };
        let why = connections.why_crowded(Some(Percent::new(90.0))).unwrap();
        assert_eq!(why, "91 of 100 connections are in use (91 %), more than 90%");
        assert_eq!(connections.why_crowded(Some(Percent::new(91.0))), None);
        assert_eq!(connections.why_crowded(None), None);
    }
}
