//! nginx as the counterpart of HTTP and TLS probes: plain, and with good and bad certificates. I/O.

use std::process::Command;

use tempfile::TempDir;

use super::support::{Authority, Server, free_port, write};

/// nginx with its ports.
pub(crate) struct Nginx {
    _server: Server,
    folder: TempDir,
    /// Plain HTTP.
    pub(crate) plain: u16,
    /// HTTPS with HTTP/2: valid for `localhost` and 127.0.0.1 until 2050, by the authority of `ca_file`.
    pub(crate) valid: u16,
    /// The same authority, ended on 2020-01-01.
    pub(crate) expired: u16,
    /// The same authority, made for `other.example`.
    pub(crate) wrong_name: u16,
    /// An authority that nobody knows; TLS 1.2 alone, HTTP/1.1 alone.
    pub(crate) unknown: u16,
}

const PAGES: &str = r#"
        location = / { return 200 "hello"; }
        location = /json { default_type application/json; return 200 '{"status":"ok","n":1,"parts":[{"ok":true},{"ok":false}]}'; }
        location = /broken { return 503 "the database is gone, password hunter22-secret"; }
        location = /moved { return 302 /json; }
        location = /round { return 302 /round; }
        location = /see-other { return 303 /method; }
        location = /elsewhere { return 302 http://localhost:$server_port/echo; }
        location = /method { return 200 "$request_method $content_length"; }
        location = /echo { add_header X-Seen "$http_x_token" always; return 200 "auth=$http_authorization agent=$http_user_agent token=$http_x_token host=$http_host"; }
        location = /private { auth_basic x; auth_basic_user_file users; alias slow; }
        location = /large { alias large; }
        location = /slow { alias slow; limit_rate 2000; }
        location = /empty { return 204; }
        location = /metrics { alias metrics; }
        location = /packed { gzip on; gzip_types *; alias packed; }
"#;

impl Nginx {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ports: [u16; 5] = std::array::from_fn(|_| free_port());
        let [plain, valid, expired, wrong_name, unknown] = ports;
        let (ours, theirs) = (Authority::new("Farero test authority"), Authority::new("Unknown authority"));
        write(folder.path(), "ca.pem", ours.pem());
        let made = [
            ("valid", ours.issue(&["localhost", "127.0.0.1"], 2050), valid, "ssl http2", "TLSv1.2 TLSv1.3"),
            ("expired", ours.issue(&["localhost", "127.0.0.1"], 2020), expired, "ssl", "TLSv1.2 TLSv1.3"),
            ("wrong_name", ours.issue(&["other.example"], 2050), wrong_name, "ssl", "TLSv1.2 TLSv1.3"),
            ("unknown", theirs.issue(&["localhost", "127.0.0.1"], 2050), unknown, "ssl", "TLSv1.2"),
        ];
        let mut servers = format!("server {{ listen 127.0.0.1:{plain}; {PAGES} }}\n");
        for (name, (certificate, key), port, listen, protocols) in made {
            let chain = if name == "unknown" { certificate } else { certificate + ours.pem() };
            write(folder.path(), &format!("{name}.pem"), &chain);
            write(folder.path(), &format!("{name}.key"), &key);
            servers += &format!(
                "server {{ listen 127.0.0.1:{port} {listen}; ssl_certificate {name}.pem; ssl_certificate_key {name}.key; \
                 ssl_protocols {protocols}; {PAGES} }}\n"
            );
        }
        write(folder.path(), "large", &"0123456789abcdef".repeat(100_000));
        let metrics: String = (0..1_000).map(|i| format!("a{i} {i}\n")).collect();
        write(folder.path(), "metrics", "# TYPE a gauge\na{x=\"1\"} 1\nb 2\na{x=\"1\"} 3\n");
        write(folder.path(), "packed", &metrics);
        write(folder.path(), "slow", &"x".repeat(20_000));
        // user `ana`, password `hunter22-secret`
        write(folder.path(), "users", "ana:{PLAIN}hunter22-secret\n");
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr warn;\nevents {{ }}\nhttp {{\n\
             access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; \
             uwsgi_temp_path uwsgi; scgi_temp_path scgi; absolute_redirect off;\n{}}}\n",
            servers.replace("alias ", &format!("alias {}/", folder.path().display())),
        );
        let config = write(folder.path(), "nginx.conf", &config);
        let server = Server::start(
            "nginx",
            Command::new("/usr/sbin/nginx").args(["-p"]).arg(folder.path()).args(["-e", "stderr", "-c", &config]),
        );
        Self { _server: server.wait_for(plain), folder, plain, valid, expired, wrong_name, unknown }
    }

    /// A plain URL.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.plain)
    }

    /// The authority's certificate.
    pub(crate) fn ca_file(&self) -> String {
        self.folder.path().join("ca.pem").to_string_lossy().into_owned()
    }
}
