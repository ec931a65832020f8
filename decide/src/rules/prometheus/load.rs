//! Rule files into groups that can be evaluated. Pure.

use std::collections::BTreeMap;

use decide_promql::ParseError;
use kernel::Duration;

use super::depends::Dependencies;
use super::file::{FileGroup, FileRule, RuleFile};
use super::group::{Group, Kind, Rule, Templates};
use super::shared::Sharing;
use crate::rules::query::Query;
use crate::rules::template::{Flavour, Template};

/// What the configuration says where a file says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// How often groups are evaluated.
    pub interval: Duration,
}

/// The groups of a file.
///
/// # Errors
/// A rule's expression gives neither an instant vector nor a number, which Prometheus says only when it evaluates it; what else
/// is wrong was said by [`super::read_rule_file`].
pub fn load_groups(name: &str, file: &RuleFile, defaults: Defaults) -> Result<Vec<Group>, String> {
    file.groups.iter().map(|group| load_group(name, group, defaults)).collect()
}

fn load_group(file: &str, group: &FileGroup, defaults: Defaults) -> Result<Group, String> {
    let rules: Result<Vec<Rule>, ParseError> = group.rules.iter().map(|r| load_rule(r, &group.labels)).collect();
    let rules = rules.map_err(|e| format!("{file}: {e}"))?;
    let sharing = Sharing::of(&rules);
    Ok(Group {
        file: file.to_owned(),
        name: group.name.clone(),
        interval: group.interval.unwrap_or(defaults.interval),
        query_offset: group.query_offset,
        limit: usize::try_from(group.limit).unwrap_or(0),
        dependencies: Dependencies::of(&rules),
        sharing,
        rules,
    })
}

fn load_rule(rule: &FileRule, common: &[(String, String)]) -> Result<Rule, ParseError> {
    let query = Query::parse_any(&rule.expr)?;
    let expression = query.expr().to_string();
    // A rule's own labels win over its group's.
    let labels: BTreeMap<String, String> = common.iter().chain(&rule.labels).cloned().collect();
    let labels: Vec<(String, String)> = labels.into_iter().collect();
    let read = |texts: &[(String, String)]| {
        let one = |(name, text): &(String, String)| {
            let read = Template::parse_as(text, Flavour::Prometheus);
            // A group's labels are not looked at when the file is checked: what is no template there stays as it is.
            (name.clone(), read.unwrap_or_else(|_| Template::literal(text)))
        };
        texts.iter().map(one).collect::<Vec<_>>()
    };
    let (kind, templates) = if rule.alert.is_empty() {
        (Kind::Record, Templates::default())
    } else {
        let kind = Kind::Alert { hold: rule.hold, keep_firing_for: rule.keep_firing_for };
        (kind, Templates { labels: read(&labels), annotations: read(&rule.annotations) })
    };
    Ok(Rule {
        name: rule.name().to_owned(),
        kind,
        query,
        expression,
        labels,
        annotations: rule.annotations.clone(),
        templates,
    })
}
