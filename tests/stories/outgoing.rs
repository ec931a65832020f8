//! Messages do not go to this machine, under whatever name, unless the plan says so.

use std::process::{Child, Command, Stdio};

use tests::{Farero, Hooks, Target, eventually, wait_for};

/// A plan with a channel, and a service to fail.
fn plan(channel: &str, allow: &str) -> String {
    format!(
        r#"
system: prueba
timezone: UTC
outgoing: {{ allow: [{allow}] }}
defaults: {{ every: 1s, timeout: 500ms, attempts: 1, evaluate_every: 1s }}
severities: {{ critica: {{ rank: critical, deliver: now, channels: [canal] }} }}
channels: {{ canal: {channel} }}
alerts: {{ down: critica }}
services: {{ backend: {{ check: {{ http: "${{env:BACKEND}}/api/health" }} }} }}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_an_address_of_this_machine_is_refused_until_the_plan_allows_it() {
    let (hooks, target) = (Hooks::start().await, Target::start().await);
    let channel = "{ webhook: { url: \"${env:HOOK}\" } }";
    let environment = [("HOOK", hooks.url()), ("BACKEND", &target.url())];
    let farero = Farero::start(&[("plan.yaml", &plan(channel, ""))], &environment).await;
    eventually("the channel is set aside, loudly", || farero.output().contains("where Farero sends nothing")).await;
    wait_for("the first success", || farero.query("probe_success == 1")).await;
    farero.write("plan.yaml", &plan(channel, "\"127.0.0.1\""));
    eventually("the plan is read again", || farero.output().matches("plan in use").count() >= 2).await;
    target.off().await;
    eventually("the message arrives", || !hooks.all().is_empty()).await;
}

/// A DNS server that lets every name lead to this machine.
struct Names(Child);

impl Names {
    fn start() -> Self {
        let child = Command::new("/usr/sbin/dnsmasq")
            .args([
                "--no-daemon",
                "--no-resolv",
                "--no-hosts",
                "--port=53",
                "--listen-address=127.0.0.53",
                "--bind-interfaces",
            ])
            .args(["--address=/rebind.example/127.0.0.1", "--address=/metadata.example/169.254.169.254"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Debian package dnsmasq");
        Self(child)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs in a mount namespace of its own, where names are resolved by [`Names`]; needs root, as it changes what
/// `/etc/resolv.conf` says for this process only.
#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_name_that_leads_to_this_machine_is_refused_when_connecting() {
    if !nix::unistd::Uid::effective().is_root() {
        println!("left out: only root can give one process another resolver");
        return;
    }
    let (hooks, target) = (Hooks::start().await, Target::start().await);
    let _names = Names::start();
    let port = hooks.url().rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("resolv.conf"), "nameserver 127.0.0.53\noptions timeout:1 attempts:2\n").unwrap();
    for (name, channel, why) in [
        ("web", format!("{{ webhook: {{ url: \"http://rebind.example:{port}/hook\" }} }}"), "loopback"),
        ("metadata", "{ webhook: { url: \"http://metadata.example/latest\" } }".to_owned(), "metadata"),
        (
            "mail",
            format!(
                "{{ email: {{ server: \"rebind.example:{port}\", security: none, from: a@b.example, to: [c@d.example] }} }}"
            ),
            "loopback",
        ),
    ] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("plan.yaml"), plan(&channel, "")).unwrap();
        let said = notify(folder.path(), name, &target.url());
        assert!(said.contains("where Farero sends nothing") && said.contains(why), "{name}: {said}");
    }
    assert!(hooks.all().is_empty(), "nothing arrived: {:?}", hooks.all());
    let allowed = plan(&format!("{{ webhook: {{ url: \"http://rebind.example:{port}/hook\" }} }}"), "rebind.example");
    std::fs::write(folder.path().join("web/plan.yaml"), allowed).unwrap();
    let said = notify(folder.path(), "web", &target.url());
    assert!(said.contains("canal: taken"), "allowed by name, it arrives: {said}");
    assert_eq!(hooks.all().len(), 1);
}

/// `farero notify test` where names are resolved by the test's own server.
fn notify(folder: &std::path::Path, plan: &str, backend: &str) -> String {
    let script = format!(
        "mount --bind {0}/resolv.conf /etc/resolv.conf && exec {1} notify test canal {0}/{plan}",
        folder.display(),
        tests::binary::path().display()
    );
    let output =
        Command::new("unshare").args(["--mount", "sh", "-c", &script]).env("BACKEND", backend).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr)
}
