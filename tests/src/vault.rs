//! A real HashiCorp Vault in memory (`tests/vault`), with key-value version 2 under `kv` and AppRole. I/O.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

/// The running Vault; killed when dropped.
pub struct Vault {
    child: Child,
    address: String,
    token: String,
}

impl Vault {
    /// Builds it where it is not there yet, and starts it.
    ///
    /// # Panics
    /// It cannot be built or started.
    pub async fn start() -> Self {
        let program = tokio::task::spawn_blocking(crate::tools::vault).await.expect("Vault is built");
        let mut child = Command::new(program)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Vault can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it is");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| said[name].as_str().expect("a text").to_owned();
        let vault = Self { child, address: text("address"), token: text("token") };
        vault.ask(Method::POST, "sys/mounts/kv", json!({ "type": "kv", "options": { "version": "2" } })).await;
        vault
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A token that may do everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Asks its API with the token.
    ///
    /// # Panics
    /// It says no.
    pub async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/v1/{path}", self.address);
        let client = crate::farero::client();
        for _ in 0..50 {
            let request = client.request(method.clone(), &url).header("x-vault-token", &self.token).json(&body);
            let answer = request.send().await.expect("Vault answers");
            let (status, text) = (answer.status(), answer.text().await.expect("a text"));
            if status.is_success() {
                return serde_json::from_str(&text).unwrap_or_default();
            }
            // A new engine is upgraded to version 2 for a moment.
            assert!(text.contains("Upgrading") || text.contains("Waiting for the primary"), "{path}: {status}: {text}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{path}: Vault does not become ready");
    }

    /// Writes a secret.
    ///
    /// # Panics
    /// It says no.
    pub async fn write(&self, path: &str, data: Value) {
        self.ask(Method::POST, &format!("kv/data/{path}"), json!({ "data": data })).await;
    }

    /// A role for AppRole that may read everything under `kv`, with tokens that live so long: role id and secret id.
    ///
    /// # Panics
    /// It says no.
    pub async fn approle(&self, life_s: u32) -> (String, String) {
        let policy = "path \"kv/data/prueba/*\" { capabilities = [\"read\"] }";
        self.ask(Method::POST, "sys/policies/acl/lee", json!({ "policy": policy })).await;
        self.ask(Method::POST, "sys/auth/approle", json!({ "type": "approle" })).await;
        let role = json!({ "token_policies": "lee", "token_ttl": format!("{life_s}s"), "token_max_ttl": "1h" });
        self.ask(Method::POST, "auth/approle/role/farero", role).await;
        let id = self.ask(Method::GET, "auth/approle/role/farero/role-id", Value::Null).await;
        let secret = self.ask(Method::POST, "auth/approle/role/farero/secret-id", json!({})).await;
        let text = |v: &Value| v.as_str().expect("an id").to_owned();
        (text(&id["data"]["role_id"]), text(&secret["data"]["secret_id"]))
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
