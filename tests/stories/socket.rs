//! The local command line: over the Unix socket, known by the operating system.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use tests::{Farero, Target, wait_for};

fn plan(url: &str) -> String {
    format!(
        "system: prueba\ntimezone: UTC\ndefaults: {{ every: 1s, attempts: 1 }}\nservices:\n  backend: {{ check: {{ http: \"{url}/api/health\" }} }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_the_owner_needs_no_token_on_this_machine_and_others_get_nothing() {
    let target = Target::start().await;
    let mut farero = Farero::start(&[("plan.yaml", &plan(&target.url()))], &[]).await;
    wait_for("the first success", || farero.query("probe_success == 1")).await;
    let socket = farero.data().join("farero.sock");
    let data = farero.data().display().to_string();
    assert_eq!(std::fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);

    let ran = tests::binary::run(&["status", "--data", &data]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("up       backend/check"), "{}", ran.out);

    // Root may be somebody else: then they are told from each other by the operating system, not by the socket's mode.
    if nix::unistd::Uid::effective().is_root() {
        for folder in [farero.data().parent().unwrap().to_owned(), farero.data()] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
        let ask = |user: &str| {
            let path = socket.display().to_string();
            let program = format!(
                "import socket\ns=socket.socket(socket.AF_UNIX)\ns.connect('{path}')\n\
                 s.sendall(b'GET /api/farero/v1/systems HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\n\
                 print(s.makefile().read())"
            );
            let python = tests::tools::python();
            let output = Command::new("setpriv")
                .args(["--reuid", user, "--clear-groups", "--"])
                .arg(python)
                .args(["-c", &program])
                .output()
                .unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr)
        };
        assert!(ask("0").starts_with("HTTP/1.1 200"), "{}", ask("0"));
        let other = ask("65534");
        assert!(other.starts_with("HTTP/1.1 401"), "somebody else is nobody: {other}");
    }

    farero.kill();
    assert_eq!(tests::binary::run(&["status", "--data", &data]).code, 2, "nobody listens any more");
    farero.launch();
    farero.ready().await;
    assert_eq!(tests::binary::run(&["status", "--data", &data]).code, 0, "what a crash left is taken away");
}
