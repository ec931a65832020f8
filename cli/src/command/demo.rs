//! `farero demo`: the stand-in of SIGCERH, watched at a speed that can be followed. I/O.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rust_embed::RustEmbed;

use crate::arguments::{Demo, DemoAction};

/// SIGCERH's plan as it is in the repository.
#[derive(RustEmbed)]
#[folder = "../plans/sigcerh"]
struct Plan;

/// The plan's environment in which everything is fast and points at the stand-in.
const ENVIRONMENT: &str = "demo";

pub(crate) fn run(arguments: &Demo) -> Result<ExitCode> {
    match &arguments.action {
        None => start(arguments),
        Some(DemoAction::Break { fault }) => tell(*fault, "break"),
        Some(DemoAction::Mend { fault }) => tell(*fault, "mend"),
    }
}

fn start(arguments: &Demo) -> Result<ExitCode> {
    let folder = Folder::create()?;
    let plan = folder.path.join("sigcerh");
    write_plan(&plan)?;
    super::run::runtime()?.block_on(async {
        let options = demo::Options { folder: folder.path.join("stand-in"), port: arguments.port };
        let stand_in = demo::Demo::start(options).await.context("the stand-in cannot be started")?;
        let config = run::Config {
            environment: Some(ENVIRONMENT.to_owned()),
            secrets: secrets::Settings::with(stand_in.environment().to_vec()),
            open_metrics: true,
            ..run::Config::new(vec![plan], folder.path.join("data"), arguments.listen)
        };
        let farero = run::Farero::start(config, Arc::new(run::SystemClock)).await?;
        println!("Farero watches a stand-in of SIGCERH.\n");
        println!("  Farero           http://{}", farero.address());
        println!("  Faults and inbox {}\n", stand_in.url());
        super::run::print_setup_link(&farero);
        for note in stand_in.notes() {
            println!("{note}");
        }
        println!("\nCause a fault on that page, or from another terminal:  farero demo break backend");
        println!("Ctrl-C ends everything and leaves nothing behind.");
        super::run::until_ended(&farero).await?;
        farero.stop().await;
        Ok(ExitCode::from(crate::exit::OK))
    })
}

/// What a small shell does once the demo is gone, however it went: nothing of it stays behind.
const TIDY_UP: &str = "cat >/dev/null; for file in \"$1\"/*/*/postmaster.pid \"$1\"/*/postmaster.pid; do \
    [ -f \"$file\" ] && kill -s QUIT \"$(head -n 1 \"$file\")\" && sleep 1; done; rm -rf -- \"$1\"";

/// A folder that goes with the demo.
struct Folder {
    path: PathBuf,
    /// Waits for the end of its input, which comes with the end of this process.
    _keeper: Child,
}

impl Folder {
    fn create() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("farero-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", TIDY_UP, "farero-demo"]).arg(&path).stdin(Stdio::piped());
        // In a group of its own: Ctrl-C is for the demo.
        keeper.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let keeper = keeper.spawn().context("a shell cannot be started")?;
        Ok(Self { path, _keeper: keeper })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("farero: {} could not be removed: {error}", self.path.display());
        }
    }
}

fn write_plan(folder: &Path) -> Result<()> {
    for name in Plan::iter() {
        let (path, Some(file)) = (folder.join(name.as_ref()), Plan::get(&name)) else { continue };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, file.data).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// Tells the demo that runs.
fn tell(fault: demo::Fault, action: &str) -> Result<ExitCode> {
    let address = demo::read_address()?;
    let url = format!("{}/faults/{fault}/{action}", address.url);
    super::run::runtime()?.block_on(async {
        let answer = run::http_client()?
            .post(&url)
            .send()
            .await
            .with_context(|| format!("no demo answers at {}; start one with: farero demo", address.url))?;
        if !answer.status().is_success() {
            bail!("{}", answer.text().await?);
        }
        println!("{action}: {fault}");
        Ok(ExitCode::from(crate::exit::OK))
    })
}
