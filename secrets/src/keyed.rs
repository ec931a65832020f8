//! Texts that hold values under keys: YAML (JSON too), TOML, environment files. Pure.

use std::collections::BTreeMap;

use kernel::secret::Secret;
use plan_syntax::{Node, SourceFile, Sources, Value};

/// Values by key; keys inside others are written with dots: `db.password`.
pub(crate) type Keyed = BTreeMap<String, Secret>;

/// In which form a text holds its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Yaml,
    Toml,
    Environment,
}

impl Form {
    /// By the file's name, with or without `.age` at its end; YAML when it does not say.
    pub(crate) fn of(name: &str) -> Self {
        let name = name.strip_suffix(".age").unwrap_or(name).to_lowercase();
        match name.rsplit_once('.').map_or(name.as_str(), |(_, end)| end) {
            "toml" => Self::Toml,
            "env" => Self::Environment,
            _ => Self::Yaml,
        }
    }

    /// Reads a text. Errors name lines, never what stands in them.
    pub(crate) fn read(self, text: &str) -> Result<Keyed, String> {
        match self {
            Self::Yaml => yaml(text),
            Self::Toml => toml_text(text),
            Self::Environment => environment(text),
        }
    }

    /// The text with a key of its top level set to a value: its line changed, or one added at the end.
    pub(crate) fn set(self, text: &str, key: &str, value: &str) -> Result<String, String> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if key.is_empty() || !key.chars().all(good) {
            return Err(
                "a key that is set this way has letters, digits, `_` and `-`; edit the file for others".to_owned()
            );
        }
        // A text in JSON is one in YAML and in TOML too; for single-line values it is one in environment files.
        let quoted = serde_json::Value::from(value).to_string();
        let (line, begins) = match self {
            Self::Yaml => (format!("{key}: {quoted}"), format!("{key}:")),
            Self::Toml => (format!("{key} = {quoted}"), format!("{key} =")),
            Self::Environment => (format!("{key}={quoted}"), format!("{key}=")),
        };
        let (mut out, mut done) = (String::new(), false);
        for old in text.lines() {
            if !done && self == Self::Toml && old.trim_start().starts_with('[') {
                out.push_str(&line);
                out.push('\n');
                done = true;
            }
            if !done && old.starts_with(&begins) {
                out.push_str(&line);
                done = true;
            } else {
                out.push_str(old);
            }
            out.push('\n');
        }
        if !done {
            out.push_str(&line);
            out.push('\n');
        }
        // Read back, so that a file whose form this does not understand is left as it was.
        match self.read(&out)?.get(key) {
            Some(read) if read.expose() == value => Ok(out),
            _ => Err(format!("`{key}` cannot be set in this file by itself; edit the file instead")),
        }
    }
}

fn yaml(text: &str) -> Result<Keyed, String> {
    let sources = Sources::new(&[SourceFile::new("secrets", text)], "");
    let reading = plan_syntax::read(&sources, 0);
    if let Some(first) = reading.diagnostics.iter().find(|d| d.level == plan_syntax::Level::Error) {
        return Err(format!("line {} is not YAML", first.place.line));
    }
    let mut out = Keyed::new();
    match reading.root {
        Some(root) => flatten(&root, "", &mut out),
        None => return Ok(out),
    }
    if out.is_empty() { Err("it holds no values under keys".to_owned()) } else { Ok(out) }
}

fn flatten(node: &Node, path: &str, out: &mut Keyed) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match &node.value {
        Value::Map(map) => map.iter().for_each(|(key, entry)| flatten(&entry.node, &below(key), out)),
        Value::List(all) => all.iter().enumerate().for_each(|(i, node)| flatten(node, &below(&i.to_string()), out)),
        Value::Scalar(scalar) if !path.is_empty() => {
            out.insert(path.to_owned(), Secret::new(scalar.text.to_string()));
        }
        _ => {}
    }
}

fn toml_text(text: &str) -> Result<Keyed, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |s| text.get(..s.start).unwrap_or("").lines().count().max(1));
        format!("line {line} is not TOML")
    })?;
    let mut out = Keyed::new();
    flatten_toml(&toml::Value::Table(table), "", &mut out);
    Ok(out)
}

fn flatten_toml(value: &toml::Value, path: &str, out: &mut Keyed) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| flatten_toml(value, &below(key), out)),
        toml::Value::Array(all) => {
            all.iter().enumerate().for_each(|(i, value)| flatten_toml(value, &below(&i.to_string()), out));
        }
        toml::Value::String(text) => {
            out.insert(path.to_owned(), Secret::new(text.clone()));
        }
        toml::Value::Integer(n) => {
            out.insert(path.to_owned(), Secret::new(n.to_string()));
        }
        toml::Value::Float(n) => {
            out.insert(path.to_owned(), Secret::new(n.to_string()));
        }
        toml::Value::Boolean(b) => {
            out.insert(path.to_owned(), Secret::new(b.to_string()));
        }
        toml::Value::Datetime(at) => {
            out.insert(path.to_owned(), Secret::new(at.to_string()));
        }
    }
}

/// `NAME=value` a line, as shells and Docker read them: `export`, quotes and comments on lines of their own.
fn environment(text: &str) -> Result<Keyed, String> {
    let mut out = Keyed::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or_else(|| format!("line {} is not NAME=value", index + 1))?;
        let value = value.trim();
        let value = match (value.strip_prefix('"').and_then(|v| v.strip_suffix('"')), value.strip_prefix('\'')) {
            (Some(_), _) => serde_json::from_str::<String>(value)
                .map_err(|_| format!("the quotes of line {} are not those of a text", index + 1))?,
            (None, Some(single)) => single.strip_suffix('\'').unwrap_or(single).to_owned(),
            (None, None) => value.to_owned(),
        };
        out.insert(name.trim().to_owned(), Secret::new(value));
    }
    Ok(out)
}

/// The value of a key: the key as it is, for sources whose keys may hold dots, else the path that its dots write.
pub(crate) fn value_of<'k>(keyed: &'k Keyed, key: &str) -> Result<&'k Secret, String> {
    if let Some(found) = keyed.get(key) {
        return Ok(found);
    }
    let near = plan_syntax::suggest::nearest(key, keyed.keys().map(String::as_str));
    let known = plan_syntax::suggest::listing(keyed.keys().map(String::as_str), 8, "and");
    Err(match near {
        Some(near) => format!("there is no key `{key}` in it; did you mean `{near}`?"),
        None if known.is_empty() => format!("there is no key `{key}` in it; it holds none"),
        None => format!("there is no key `{key}` in it; it has {known}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, key: &str, expect: Result<&str, &str>) {
        let got = Form::of(name).read(text).and_then(|all| value_of(&all, key).cloned());
        match (got, expect) {
            (Ok(value), Ok(expect)) => assert_eq!(value.expose(), expect, "{name} {key}"),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (got, expect) => panic!("{name} {key}: {got:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn sec_12_values_are_read_from_yaml_toml_and_environment_files() {
        let yaml = "db:\n  password: 'a: b'\n  port: 5432\nhooks: [uno, dos]\n";
        check("s.yaml.age", yaml, "db.password", Ok("a: b"));
        check("s.yml.age", yaml, "db.port", Ok("5432"));
        check("s.age", yaml, "hooks.1", Ok("dos"));
        check("s.yaml.age", yaml, "db.pasword", Err("did you mean `db.password`?"));
        check("s.json.age", "{\"a\": {\"b\": \"c\"}}", "a.b", Ok("c"));
        check("s.toml.age", "top = \"x\"\n[db]\npassword = \"y\"\nport = 1\n", "db.password", Ok("y"));
        check("s.env.age", "# c\nexport A=\"x y\"\nB='z'\nC=p=q\n", "A", Ok("x y"));
        check("s.env.age", "B='z'\n", "B", Ok("z"));
        check("s.env.age", "C=p=q\n", "C", Ok("p=q"));
    }

    #[test]
    fn sec_12_what_cannot_be_read_is_named_by_its_line_only() {
        for (name, text) in
            [("s.yaml", "a: 1\nhunter22: [\n"), ("s.toml", "a = 1\nhunter22 = = 3\n"), ("s.env", "A=1\nhunter22\n")]
        {
            let error = Form::of(name).read(text).unwrap_err();
            assert!(error.contains("line ") && !error.contains("hunter22"), "{name}: {error}");
        }
    }

    #[test]
    fn setting_a_key_changes_its_line_only() {
        let set = |name: &str, text: &str, key: &str, value: &str| Form::of(name).set(text, key, value);
        assert_eq!(set("a.yaml", "# c\na: 1\nb: 2\n", "a", "x\"y").unwrap(), "# c\na: \"x\\\"y\"\nb: 2\n");
        assert_eq!(set("a.yaml", "", "a", "x").unwrap(), "a: \"x\"\n");
        assert_eq!(set("a.toml", "[db]\np = 1\n", "a", "x").unwrap(), "a = \"x\"\n[db]\np = 1\n");
        assert_eq!(set("a.env", "A=1\n", "B", "x y").unwrap(), "A=1\nB=\"x y\"\n");
        assert!(set("a.yaml", "a: |\n  long\n", "a", "x").is_err(), "the rest of the old value would stay");
        assert!(set("a.yaml", "", "db.password", "x").is_err());
    }
}
