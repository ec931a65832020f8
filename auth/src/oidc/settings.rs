//! What an installation says about a provider. Pure.

use kernel::access::{Grant, Granted, Role, Scope, Source};
use kernel::secret::Text;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Person;

/// One provider, as it stands in the log-in settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// What the button on the log-in page says.
    pub label: String,
    /// The issuer: `https://id.example.org/realms/team`. Its documents are under `/.well-known/openid-configuration`.
    pub issuer: String,
    /// The name under which Farero is registered there.
    pub client_id: String,
    /// The secret of that registration, as a reference. Left out for public clients, which PKCE protects.
    #[serde(default)]
    pub client_secret: Option<Text>,
    /// What is asked for.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that holds the groups; dots lead into claims inside claims.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
    /// What the groups may do here. Someone in none of them does not get in, unless an administrator has linked the account.
    #[serde(default)]
    pub groups: Vec<GroupRole>,
    /// Whether an account is made for who comes the first time and is in one of the groups.
    #[serde(default = "yes")]
    pub create: bool,
    /// Whether an account whose name is the person's verified e-mail address is taken for theirs. Only for providers that verify
    /// addresses and never give one to somebody else.
    #[serde(default)]
    pub link_verified_email: bool,
}

/// What one group may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// The group's name at the provider.
    pub group: String,
    /// The role here.
    pub role: Role,
    /// Systems; all when left out.
    #[serde(default)]
    pub systems: Scope,
    /// Environments; all when left out.
    #[serde(default)]
    pub environments: Scope,
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(ToOwned::to_owned).to_vec()
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

const fn yes() -> bool {
    true
}

/// What is wrong with a provider's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("provider `{provider}`: {what}")]
pub struct SettingsError {
    /// Which one.
    pub provider: String,
    /// What is wrong, and what to write instead.
    pub what: String,
}

impl ProviderSettings {
    /// Whether the settings can work.
    ///
    /// # Errors
    /// They cannot; the text says what to write instead.
    pub fn check(&self, name: &str) -> Result<(), SettingsError> {
        let wrong = |what: String| Err(SettingsError { provider: name.to_owned(), what });
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if name.is_empty() || !plain {
            return wrong("its name stands in addresses: use lower-case letters, digits and hyphens".to_owned());
        }
        let url = Url::parse(&self.issuer).ok();
        let local =
            url.as_ref().and_then(Url::host_str).is_some_and(|h| matches!(h, "localhost" | "127.0.0.1" | "[::1]"));
        match url.as_ref().map(Url::scheme) {
            Some("https") => {}
            Some("http") if local => {}
            _ => return wrong(format!("`issuer: {}` must begin with https://", self.issuer)),
        }
        if !self.scopes.iter().any(|s| s == "openid") {
            return wrong("`scopes` must name openid, or no ID token comes".to_owned());
        }
        Ok(())
    }

    /// What a person is granted by their groups.
    pub fn grants_of(&self, person: &Person) -> Vec<Granted> {
        let own = self.groups.iter().filter(|g| person.groups.contains(&g.group));
        let granted = own.map(|g| Granted {
            grant: Grant {
                systems: g.systems.clone(),
                environments: g.environments.clone(),
                ..Grant::everywhere(g.role)
            },
            source: Source::Group { name: g.group.clone() },
        });
        granted.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(change: serde_json::Value) -> ProviderSettings {
        let mut all = json!({
            "label": "Empresa", "issuer": "https://id.example.org", "client_id": "farero", "client_secret": "${env:S}",
            "groups": [{"group": "sre", "role": "operator", "systems": ["sigcerh"]}, {"group": "jefes", "role": "viewer"}],
        });
        all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn settings_say_what_is_wrong_with_them() {
        let check = |name: &str, change: serde_json::Value, expect: &str| {
            let said = settings(change).check(name).map_or_else(|e| e.to_string(), |()| String::new());
            assert!(said.contains(expect) && said.is_empty() == expect.is_empty(), "{said}");
        };
        check("empresa", json!({}), "");
        check("Empresa", json!({}), "lower-case letters");
        check("x", json!({"issuer": "http://id.example.org"}), "must begin with https://");
        check("x", json!({"issuer": "http://127.0.0.1:4000"}), "");
        check("x", json!({"scopes": ["profile"]}), "must name openid");
    }

    #[test]
    fn a_role_that_there_is_not_is_an_error() {
        let group = json!({"group": "a", "role": "root"});
        let all = json!({"label": "x", "issuer": "https://id.example.org", "client_id": "f", "groups": [group]});
        let error = serde_json::from_value::<ProviderSettings>(all).unwrap_err().to_string();
        assert!(error.contains("root") && error.contains("viewer"), "{error}");
    }

    #[test]
    fn sec_12_groups_become_grants() {
        let settings = settings(json!({}));
        let grants = |groups: &[&str]| {
            let person = Person { groups: groups.iter().map(ToString::to_string).collect(), ..Person::default() };
            settings.grants_of(&person)
        };
        let source = |name: &str| Source::Group { name: name.to_owned() };
        let sre = Granted { grant: Grant::in_systems(Role::Operator, ["sigcerh"]), source: source("sre") };
        let jefes = Granted { grant: Grant::everywhere(Role::Viewer), source: source("jefes") };
        assert_eq!(grants(&["sre"]), std::slice::from_ref(&sre));
        assert_eq!(grants(&["jefes", "sre", "otro"]), [sre, jefes]);
        assert_eq!(grants(&["otro"]), []);
    }
}
