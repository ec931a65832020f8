//! Names of series from templates: `{{label}}` stands for a label's value. Pure.

use kernel::Labels;
use kernel::labels::METRIC_NAME;

/// A legend with `{{label}}` replaced by the label's value.
pub fn legend(template: &str, labels: &Labels) -> String {
    let (mut out, mut rest) = (String::new(), template);
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}").map(|e| start + e) else { break };
        out.push_str(&rest[..start]);
        let name = rest[start + 2..end].trim();
        let name = if name == "name" && labels.get("name").is_none() { METRIC_NAME } else { name };
        out.push_str(labels.get(name).unwrap_or_default());
        rest = &rest[end + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legends_are_made_of_labels() {
        let labels = Labels::metric("up", [("job", "api"), ("instance", "a:1")]);
        let check = |template: &str, expect: &str| assert_eq!(legend(template, &labels), expect, "{template}");
        check("{{job}} on {{ instance }}", "api on a:1");
        check("{{gone}}x", "x");
        check("{{__name__}} {{job", "up {{job");
        check("plain }} {", "plain }} {");
    }
}
