//! What `${env:NAME}` and `${file:PATH}` stand for. I/O.

use std::collections::{BTreeSet, HashMap};

use kernel::secret::{Redactor, Reference, ResolveError, Resolver, Secret, Text};
use plan_model::Plan;

/// A file that a reference names may have this many bytes: secrets are short, a mistaken path may lead to a log.
pub const FILE_BYTES: u64 = 64 * 1024;

/// Finds values in the environment and in files. Values given on start (by the demo) come before the environment.
#[derive(Clone, Debug, Default)]
pub struct References {
    given: HashMap<String, String>,
}

impl References {
    /// With values that are set beside the environment's.
    pub fn new(given: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { given: given.into_iter().collect() }
    }

    /// Everything that the plan's references stand for, to be taken out of texts. References without a value are left out:
    /// what hangs on them says so itself.
    pub fn redactor(&self, plan: &Plan) -> Redactor {
        let mut found = BTreeSet::new();
        if let Ok(value) = serde_json::to_value(plan) {
            collect(&value, &mut found);
        }
        Redactor::new(found.iter().filter_map(|reference| self.resolve(reference).ok()))
    }
}

fn collect(value: &serde_json::Value, found: &mut BTreeSet<Reference>) {
    match value {
        serde_json::Value::String(text) if text.contains("${") => found.extend(Text::new(text.as_str()).references()),
        serde_json::Value::Array(all) => all.iter().for_each(|v| collect(v, found)),
        serde_json::Value::Object(map) => map.values().for_each(|v| collect(v, found)),
        _ => {}
    }
}

impl Resolver for References {
    fn resolve(&self, reference: &Reference) -> Result<Secret, ResolveError> {
        let failed = |reason: String| ResolveError { reference: reference.clone(), reason };
        match reference.scheme.as_str() {
            "env" => match self.given.get(&reference.name) {
                Some(value) => Ok(Secret::new(value.clone())),
                None => std::env::var(&reference.name).map(Secret::new).map_err(|_| {
                    failed("the environment variable is not set; set it and start or reload Farero".to_owned())
                }),
            },
            "file" => read(&reference.name).map(Secret::new).map_err(failed),
            other => Err(failed(format!("`{other}` is no source of values; use env or file"))),
        }
    }
}

/// A file's text without the line end that editors leave.
fn read(path: &str) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("the file cannot be read: {e}"))?.len();
    if size > FILE_BYTES {
        return Err(format!("the file has {size} bytes, at most {FILE_BYTES} are read; is it the right one?"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("the file cannot be read: {e}"))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chn_11_values_come_from_environment_and_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "llave\n").unwrap();
        let references = References::new([("A".to_owned(), "uno".to_owned())]);
        let check = |text: String, expect: Result<&str, &str>| match (Text::new(text).resolve(&references), expect) {
            (Ok(value), Ok(expect)) => assert_eq!(value.expose(), expect),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{got:?}"),
        };
        check("${env:A}".into(), Ok("uno"));
        check(format!("${{file:{}}}", path.display()), Ok("llave"));
        check("${env:FARERO_TEST_NOT_SET}".into(), Err("is not set"));
        check("${vault:a}".into(), Err("use env or file"));
        check("${file:/does/not/exist}".into(), Err("cannot be read"));
    }
}
