//! Which requirements have an acceptance test. I/O.
//!
//! A test shows a requirement when its name begins with the id: `fn chk_14_slow_is_not_down`. The ids and what they ask are in
//! `docs/requirements.tsv`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

pub(crate) fn print(root: &Path, capability: Option<&str>) -> Result<()> {
    let wanted = |id: &str| capability.is_none_or(|c| id.starts_with(&c.to_ascii_uppercase()));
    let asked = asked(root)?;
    let shown = shown(root)?;
    let (mut with, mut without) = (0, 0);
    for (id, what) in asked.iter().filter(|(id, _)| wanted(id)) {
        match shown.get(id) {
            Some(tests) => {
                with += 1;
                println!("{id}  {} tests  {}", tests.len(), tests.join(" "));
            }
            None => {
                without += 1;
                println!("{id}  no test  ({what})");
            }
        }
    }
    for id in shown.keys().filter(|id| !asked.contains_key(*id)) {
        println!("{id}  is in no requirement: {}", shown[id].join(" "));
    }
    println!("{with} requirements with a test, {without} without");
    Ok(())
}

fn asked(root: &Path) -> Result<BTreeMap<String, String>> {
    let path = root.join("docs/requirements.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(text.lines().filter_map(|l| l.split_once('\t')).map(|(id, what)| (id.to_owned(), what.to_owned())).collect())
}

fn shown(root: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in crate::files(root, &[".rs"])? {
        let text = std::fs::read_to_string(&path)?;
        let mut attribute = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[") {
                attribute |= line.contains("test");
                continue;
            }
            let name = line.trim_start_matches("async ").strip_prefix("fn ").filter(|_| attribute);
            attribute = false;
            if let Some((id, name)) = name.and_then(id_of) {
                out.entry(id).or_default().push(name);
            }
        }
    }
    Ok(out)
}

/// `chk_14_slow_is_not_down()` → `CHK-14`.
fn id_of(rest: &str) -> Option<(String, String)> {
    let name = rest.split('(').next()?;
    let mut parts = name.split('_');
    let (letters, digits) = (parts.next()?, parts.next()?);
    let right = letters.len() == 3 && digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    right.then(|| (format!("{}-{digits}", letters.to_ascii_uppercase()), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_requirements() {
        assert_eq!(id_of("chk_14_slow_is_not_down() {"), Some(("CHK-14".into(), "chk_14_slow_is_not_down".into())));
        assert_eq!(id_of("reads_what_people_write() {"), None);
    }
}
