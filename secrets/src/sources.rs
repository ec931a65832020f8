//! All sources of values together; looking up the references of a plan. I/O: environment, files, Vault.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use kernel::secret::{Reference, Secret};
use parking_lot::Mutex;

use crate::collect::telling_parts;
use crate::keyed::{Keyed, value_of};
use crate::settings::Settings;
use crate::values::{Stamp, Values};
use crate::vault::{Place, Vault};
use crate::{collect, local, sealed};

/// Values of one plan that are remembered after they were changed; beyond it nothing more is remembered, and that is logged.
const MOST_KNOWN: usize = 4_000;

/// All sources of values. One for the whole process.
#[derive(Debug, Default)]
pub struct Sources {
    settings: Settings,
    vault: Vault,
    /// Every value found so far, by the plan's folder.
    known: Mutex<HashMap<PathBuf, BTreeSet<Secret>>>,
}

impl Sources {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        Self { vault: Vault::new(settings.vault.clone()), settings, known: Mutex::default() }
    }

    /// What every reference of a plan (as JSON) stands for. Waits for files and for Vault, so it is called where waiting is
    /// allowed: off the async threads.
    pub fn look_up(&self, plan: &serde_json::Value, folder: &Path) -> Values {
        let wanted = collect::references(plan);
        let mut files = Vec::new();
        let mut sealed: BTreeMap<PathBuf, Result<Keyed, String>> = BTreeMap::new();
        let (from_vault, good_until) = self.ask_vault(&wanted);
        let mut found = BTreeMap::new();
        for reference in wanted {
            let value = match reference.scheme.as_str() {
                "env" => local::environment(&reference.name, &self.settings),
                "file" => {
                    let path = PathBuf::from(&reference.name);
                    files.push(path.clone());
                    local::file(&path)
                }
                "credential" => local::credential_path(&reference.name, &self.settings).and_then(|path| {
                    files.push(path.clone());
                    local::file(&path)
                }),
                "age" => self.sealed_value(&reference.name, folder, &mut sealed, &mut files),
                "vault" => vault_value(&reference.name, &from_vault),
                other => Err(format!("`{other}` is no source of values; use env, file, credential, age or vault")),
            };
            found.insert(reference, value.map(Secret::new));
        }
        let files: BTreeSet<PathBuf> = files.into_iter().collect();
        let files = files.into_iter().map(|path| (Stamp::of(&path), path)).map(|(s, p)| (p, s)).collect();
        let known = self.remember(folder, found.values().flatten());
        let grave = found.iter().filter_map(|(r, value)| Some((r, value.as_ref().ok()?)));
        let grave = grave.flat_map(|(reference, value)| collect::grave_parts(reference, value)).collect();
        Values { found, files, good_until, known, grave }
    }

    /// What must never be shown of the sources themselves: Vault's tokens and secrets.
    pub fn own_secrets(&self) -> Vec<Secret> {
        let mut out = self.vault.secrets();
        let vault = &self.settings.vault;
        for text in [&vault.token, &vault.role_id, &vault.secret_id].into_iter().flatten() {
            out.extend(self.vault_setting(text));
        }
        out
    }

    /// Keeps the log-in to Vault alive; called now and then. Waits for Vault.
    pub fn renew(&self) {
        self.vault.renew(&|text| self.vault_setting(text));
    }

    fn vault_setting(&self, text: &kernel::secret::Text) -> Option<Secret> {
        text.resolve(&Local(&self.settings)).ok().filter(|s| !s.expose().is_empty())
    }

    fn ask_vault(&self, wanted: &BTreeSet<Reference>) -> (HashMap<Place, Result<Keyed, String>>, Option<Instant>) {
        let places: BTreeSet<Place> = wanted
            .iter()
            .filter(|r| r.scheme == "vault")
            .filter_map(|r| Place::parse(&r.name).ok())
            .map(|(p, _)| p)
            .collect();
        if places.is_empty() {
            return (HashMap::new(), None);
        }
        self.vault.read(&places, &|text| self.vault_setting(text))
    }

    fn sealed_value(
        &self,
        name: &str,
        folder: &Path,
        opened: &mut BTreeMap<PathBuf, Result<Keyed, String>>,
        files: &mut Vec<PathBuf>,
    ) -> Result<String, String> {
        let (file, key) = name
            .split_once('#')
            .filter(|(file, key)| !file.is_empty() && !key.is_empty())
            .ok_or_else(|| "write the file and the key: ${age:secrets.yaml.age#db.password}".to_owned())?;
        let inside = Path::new(file).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err(
                "the encrypted file must lie in the plan's folder: write its path below it, without `..`".to_owned()
            );
        }
        let path = folder.join(file);
        let identity = sealed::identity_path(&self.settings)?;
        files.extend([path.clone(), identity.clone()]);
        let keyed = opened.entry(path.clone()).or_insert_with(|| sealed::read(&path, &identity));
        keyed.as_ref().map_err(Clone::clone).and_then(|k| value_of(k, key)).map(|s| s.expose().to_owned())
    }

    fn remember<'s>(&self, folder: &Path, found: impl Iterator<Item = &'s Secret>) -> BTreeSet<Secret> {
        let mut all = self.known.lock();
        let known = all.entry(folder.to_owned()).or_default();
        for value in found {
            if known.len() >= MOST_KNOWN && !known.contains(value) {
                tracing::warn!(folder = %folder.display(), most = MOST_KNOWN, "more values were changed than are remembered; restart Farero");
            }
            known.extend(telling_parts(value));
        }
        known.clone()
    }
}

fn vault_value(name: &str, read: &HashMap<Place, Result<Keyed, String>>) -> Result<String, String> {
    let (place, key) = Place::parse(name)?;
    match read.get(&place) {
        Some(Ok(keyed)) => value_of(keyed, &key).map(|s| s.expose().to_owned()),
        Some(Err(reason)) => Err(reason.clone()),
        None => Err("Vault was not asked; reload the plan".to_owned()),
    }
}

/// What Vault's own settings may refer to: this machine only.
struct Local<'s>(&'s Settings);

impl kernel::secret::Resolver for Local<'_> {
    fn resolve(&self, reference: &Reference) -> Result<Secret, kernel::secret::ResolveError> {
        let value = match reference.scheme.as_str() {
            "env" => local::environment(&reference.name, self.0),
            "file" => local::file(Path::new(&reference.name)),
            "credential" => local::credential_path(&reference.name, self.0).and_then(|p| local::file(&p)),
            other => Err(format!("`{other}` is no source here; use env, file or credential")),
        };
        value.map(Secret::new).map_err(|reason| kernel::secret::ResolveError { reference: reference.clone(), reason })
    }
}

#[cfg(test)]
mod tests {
    use kernel::secret::Text;

    use super::*;

    fn sources(folder: &Path) -> Sources {
        let credentials = folder.join("credentials");
        std::fs::create_dir_all(&credentials).unwrap();
        std::fs::write(credentials.join("smtp"), "llave-de-correo\n").unwrap();
        let (identity, recipient) = sealed::new_identity();
        std::fs::write(folder.join("identity"), identity.expose()).unwrap();
        let text = sealed::seal(&Secret::new("db: { password: de-la-base }".into()), &[recipient]).unwrap();
        std::fs::write(folder.join("secretos.yaml.age"), text).unwrap();
        let mut settings = Settings::with([("A".to_owned(), "uno-uno".to_owned())]);
        settings.credentials = Some(credentials);
        settings.age_identity = Some(folder.join("identity"));
        Sources::new(settings)
    }

    fn check(sources: &Sources, folder: &Path, text: &str, expect: Result<&str, &str>) {
        let values = sources.look_up(&serde_json::json!({ "x": [text] }), folder);
        match (Text::new(text).resolve(&values), expect) {
            (Ok(value), Ok(expect)) => assert_eq!(value.expose(), expect),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn sec_12_values_come_from_environment_files_credentials_and_encrypted_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "llave\n").unwrap();
        let sources = sources(folder.path());
        let check = |text: &str, expect: Result<&str, &str>| check(&sources, folder.path(), text, expect);
        check("${env:A}", Ok("uno-uno"));
        check(&format!("x ${{file:{}}}", path.display()), Ok("x llave"));
        check("${credential:smtp}", Ok("llave-de-correo"));
        check("${credential:../secret}", Err("that of a file"));
        check("${credential:none}", Err("cannot be read"));
        check("${age:secretos.yaml.age#db.password}", Ok("de-la-base"));
        check("${age:secretos.yaml.age#db.user}", Err("there is no key `db.user`"));
        check("${age:../secretos.yaml.age#db.password}", Err("in the plan's folder"));
        check("${age:/etc/passwd#x}", Err("in the plan's folder"));
        check("${age:secretos.yaml.age}", Err("write the file and the key"));
        check("${env:FARERO_TEST_NOT_SET}", Err("is not set"));
        check("${vault:kv/db#password}", Err("VAULT_ADDR"));
        check("${nothing:a}", Err("use env, file, credential, age or vault"));
        check("${file:/does/not/exist}", Err("cannot be read"));
    }

    #[test]
    fn sec_12_a_changed_file_is_due_and_the_old_value_stays_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "primera-llave").unwrap();
        let sources = sources(folder.path());
        let plan = serde_json::json!({ "x": format!("${{file:{}}}", path.display()) });
        let first = sources.look_up(&plan, folder.path());
        assert!(!first.is_due());
        std::fs::write(&path, "segunda-llave-larga").unwrap();
        assert!(first.is_due());
        let second = sources.look_up(&plan, folder.path());
        assert!(!second.is_due() && !second.same_as(&first));
        let known: Vec<Secret> = second.secrets().collect();
        for value in ["primera-llave", "segunda-llave-larga"] {
            assert!(known.contains(&Secret::new(value.into())), "{value}");
        }
    }
}
