//! What log-ins need: the key beside the database, and the providers that the installation names. I/O: files.
//!
//! ```yaml
//! oidc:
//!   empresa:
//!     label: Cuenta de la empresa
//!     issuer: https://id.example.org/realms/ti
//!     client_id: farero
//!     client_secret: "${env:FARERO_OIDC_SECRET}"
//!     scopes: [openid, profile, email, groups]
//!     groups:
//!       - { group: farero-admins, role: administrator }
//!       - { group: guardia, role: operator }
//! ```

use std::path::Path;

use anyhow::{Context, Result, bail};
use auth::oidc::{Provider, ProviderSettings};
use auth::seal::Sealer;
use indexmap::IndexMap;
use plan_syntax::{SourceFile, Style};
use secrets::Sources;
use serde::{Deserialize, Serialize};

use crate::folder::FILE_BYTES;

/// Providers that one installation may name: each is a button on the log-in page.
const MOST_PROVIDERS: usize = 10;

/// The installation's log-in settings.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    oidc: IndexMap<String, ProviderSettings>,
}

/// Makes ready what log-ins need.
///
/// # Errors
/// The key or the settings cannot be read; the error says where and what to write instead.
pub fn prepare(data: &Path, settings: Option<&Path>, base_url: &str, sources: &Sources) -> Result<web::Login> {
    let sealer = Sealer::at(data)?;
    let providers = match settings {
        Some(path) => providers(path, sources)
            .with_context(|| format!("{}: the log-in settings cannot be used", path.display()))?,
        None => Vec::new(),
    };
    Ok(web::Login::new(sealer, base_url, providers))
}

fn providers(path: &Path, sources: &Sources) -> Result<Vec<Provider>> {
    let size = std::fs::metadata(path)?.len();
    if size > FILE_BYTES {
        bail!("it has {size} bytes; is it the right file?");
    }
    let settings = read(&path.display().to_string(), &std::fs::read_to_string(path)?)?;
    if settings.oidc.len() > MOST_PROVIDERS {
        bail!("it names {} providers, at most {MOST_PROVIDERS} are allowed", settings.oidc.len());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let values = sources.look_up(&serde_json::to_value(&settings)?, folder);
    crate::redacting::learn(values.secrets());
    let http = auth::oidc::http_client()?;
    let mut out = Vec::new();
    for (name, provider) in settings.oidc {
        provider.check(&name)?;
        let written = provider.client_secret.as_ref();
        let secret = written.map(|s| s.resolve(&values)).transpose();
        let secret = secret.with_context(|| format!("provider `{name}`"))?;
        out.push(Provider::new(name, provider, secret, http.clone()));
    }
    Ok(out)
}

fn read(name: &str, text: &str) -> Result<Settings> {
    let files = [SourceFile::new(name, text)];
    let sources = plan_syntax::Sources::new(&files, "");
    let reading = plan_syntax::read::read(&sources, 0);
    if plan_syntax::diagnostic::has_errors(&reading.diagnostics) {
        bail!("{}", plan_syntax::render(&reading.diagnostics, &sources, Style::default()));
    }
    let Some(root) = reading.root else { return Ok(Settings::default()) };
    plan_syntax::de::from_node(&root).map_err(|misfit| {
        let place = misfit.span.map(|span| sources.place(span));
        let line = place.map(|p| format!("line {}: ", p.line)).unwrap_or_default();
        anyhow::anyhow!("{line}{}", misfit.message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<usize, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("login.yaml");
        std::fs::write(&path, text).unwrap();
        let sources = Sources::new(secrets::Settings::with([("SECRET".to_owned(), "s".to_owned())]));
        let got = prepare(folder.path(), Some(&path), "https://f.example", &sources);
        match (got, expect) {
            (Ok(login), Ok(count)) => assert_eq!(login.providers.len(), count),
            (Err(error), Err(part)) => assert!(format!("{error:#}").contains(part), "{error:#}"),
            (Ok(_), Err(part)) => panic!("it was taken, but should say: {part}"),
            (Err(error), Ok(_)) => panic!("{error:#}"),
        }
    }

    #[test]
    fn sec_12_log_in_settings_say_what_is_wrong_with_them() {
        let provider =
            "oidc:\n  empresa:\n    label: Empresa\n    issuer: https://id.example.org\n    client_id: farero\n";
        check(provider, Ok(1));
        check("", Ok(0));
        check(&format!("{provider}    client_secret: \"${{env:SECRET}}\"\n"), Ok(1));
        check(&format!("{provider}    client_secret: \"${{env:FARERO_NOT_SET}}\"\n"), Err("FARERO_NOT_SET"));
        check(&format!("{provider}    groups: [{{ group: a, role: root }}]\n"), Err("root"));
        check(&format!("{provider}    colour: red\n"), Err("colour"));
        check("oidc: [\n", Err("login.yaml"));
        check(&provider.replace("https://", "ftp://"), Err("must begin with https://"));
    }
}
