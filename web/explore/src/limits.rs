//! Limits of the pages over metrics, each with its reason. Pure.

/// Expressions on one page: letters A to H; more charts' worth of lines cannot be told apart.
pub const QUERIES: usize = 8;

/// Bytes of an expression: Prometheus's clients send a few kilobytes at the most, and addresses end at about eight in proxies.
pub const QUERY_BYTES: usize = 16 << 10;

/// Rows of a table of results: as many as people scroll through.
pub const TABLE_ROWS: usize = 500;

/// Samples told of a series in a range result.
pub const TABLE_SAMPLES: usize = 20;

/// Buckets told of one native histogram.
pub const TABLE_BUCKETS: usize = 40;

/// Points of a line when no step is chosen: one for each two or three pixels of a wide screen.
pub const POINTS: i64 = 400;

/// Entries of each list of the cardinality page.
pub const CARDINALITY_TOP: usize = 20;

/// Series up to which churn is counted series by series: each is a label set of a few hundred bytes, so 100 MB at worst.
pub const CHURN_SERIES: u64 = 300_000;

/// Targets on one page.
pub const TARGETS: usize = 500;

/// Targets told of those that were dropped.
pub const DROPPED: usize = 100;

/// Alerting rules whose alerts are explained by evaluating their comparisons: two expressions each, so that a page costs little even
/// where everything burns.
pub const EXPLAINED_RULES: usize = 30;

/// Alerts shown of one rule.
pub const ALERTS: usize = 50;
