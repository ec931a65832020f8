//! Searching the trail: by who, what, where, when, and any text in it. I/O.

use kernel::Timestamp;
use kernel::trail::{Entry, Outcome};

use super::{COLUMNS, row};
use crate::codec::like;
use crate::db::{Cell, Value};
use crate::{State, StateError};

/// Which entries are wanted; what is empty or `None` does not limit. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Account, part of Farero, or user of the machine.
    pub actor: String,
    /// Kind of the thing it was done to.
    pub object_kind: String,
    /// Name or number of the thing.
    pub object: String,
    /// System of the plan.
    pub system: String,
    /// Environment of the plan.
    pub environment: String,
    /// What was done: `alert.acknowledge`, or everything of a kind with a dot at the end, `alert.`.
    pub action: String,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// The organisation's number of the incident, change or request.
    pub business_id: String,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// A text in any of its parts, upper and lower case alike.
    pub text: String,
    /// Only entries with a smaller number: the next page.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

impl TrailFilter {
    /// The conditions with their values.
    fn conditions(&self) -> (String, Vec<Value<'_>>) {
        let mut sql = String::new();
        let mut values: Vec<Value<'_>> = Vec::new();
        {
            let mut add = |condition: &str, value: Value<'static>| {
                values.push(value);
                sql.push_str(if values.len() == 1 { " WHERE " } else { " AND " });
                sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
            };
            let text = |t: &str| Value::from(t.to_owned());
            let equal = [
                ("actor = ?", &self.actor),
                ("object_kind = ?", &self.object_kind),
                ("object = ?", &self.object),
                ("system = ?", &self.system),
                ("environment = ?", &self.environment),
                ("business_id = ?", &self.business_id),
            ];
            for (condition, value) in equal.into_iter().filter(|(_, v)| !v.is_empty()) {
                add(condition, text(value));
            }
            match self.action.strip_suffix('.') {
                // `/` is the character after `.`.
                Some(kind) => {
                    add("action >= ?", text(&self.action));
                    add("action < ?", text(&format!("{kind}/")));
                }
                None if self.action.is_empty() => {}
                None => add("action = ?", text(&self.action)),
            }
            if let Some(outcome) = self.outcome {
                add("outcome = ?", text(outcome.as_str()));
            }
            if let Some(since) = self.since {
                add("at_ms >= ?", Value::Int(since.as_millis()));
            }
            if let Some(until) = self.until {
                add("at_ms < ?", Value::Int(until.as_millis()));
            }
            if !self.text.is_empty() {
                add(r"search LIKE ? ESCAPE '\'", text(&like(&self.text)));
            }
            if let Some(before) = self.before {
                add("sequence < ?", Value::Int(i64::try_from(before).unwrap_or(i64::MAX)));
            }
        }
        (sql, values)
    }
}

impl State {
    /// Entries that a filter wants, the newest first.
    pub fn trail(&self, filter: &TrailFilter) -> Result<Vec<Entry>, StateError> {
        let (conditions, mut values) = filter.conditions();
        values.push(filter.limit.value());
        let sql = format!("SELECT {COLUMNS} FROM trail{conditions} ORDER BY sequence DESC LIMIT ?{}", values.len());
        self.read("search the trail", |t| t.query(&sql, &values, |r| Ok(row(r)?.entry)))
    }

    /// The smallest and the largest number of the entries that a filter wants (its page and limit aside); `None` when there
    /// are none.
    pub fn trail_span(&self, filter: &TrailFilter) -> Result<Option<(u64, u64)>, StateError> {
        let all = TrailFilter { before: None, ..filter.clone() };
        let (conditions, values) = all.conditions();
        let sql = format!("SELECT min(sequence), max(sequence) FROM trail{conditions}");
        self.read("search the trail", |t| {
            t.query_one(&sql, &values, |r| {
                let (first, last): (Option<i64>, Option<i64>) = (r.get(0)?, r.get(1)?);
                let number = |n: i64| u64::try_from(n).unwrap_or(0);
                Ok(first.zip(last).map(|(a, b)| (number(a), number(b))))
            })
        })
    }

    /// Which of the entries after a number a filter wants, by their numbers in order, at most `limit`.
    pub fn trail_numbers(&self, filter: &TrailFilter, after: u64, limit: usize) -> Result<Vec<u64>, StateError> {
        let all = TrailFilter { before: None, ..filter.clone() };
        let (conditions, mut values) = all.conditions();
        let join = if values.is_empty() { "WHERE" } else { "AND" };
        values.push(after.value());
        values.push(limit.value());
        let (at, most) = (values.len() - 1, values.len());
        let sql =
            format!("SELECT sequence FROM trail{conditions} {join} sequence > ?{at} ORDER BY sequence LIMIT ?{most}");
        self.read("search the trail", |t| t.query(&sql, &values, |r| r.get(0)))
    }
}
