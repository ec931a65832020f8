//! `farero run`: the program as it works every day. I/O.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use kernel::Language;
use kernel::secret::Text;
use run::config::{self, Socket};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Run, SecretSources, Tls};
use crate::command::check;

pub(crate) fn run(arguments: Run, language: Language) -> Result<ExitCode> {
    let arguments = with_a_plan(arguments, language)?;
    // Errors in plans are shown in full before anything starts.
    let Some(plans) = check::check_to_run(&arguments.plans, arguments.environment.as_deref(), language)? else {
        return Ok(ExitCode::from(crate::exit::NO));
    };
    let socket = match arguments.socket {
        None => Socket::Usual,
        Some(path) if path == Path::new("none") => Socket::None,
        Some(path) => Socket::At(path),
    };
    let config = run::Config {
        state: arguments.state.map(kernel::secret::Secret::new),
        public_url: arguments.public_url,
        environment: arguments.environment,
        secrets: secret_settings(&arguments.secrets),
        login: arguments.login,
        open_metrics: arguments.open_metrics,
        redirect: arguments.tls.http_redirect,
        tls: tls(arguments.tls)?,
        socket,
        hosts: arguments.hosts,
        store: config::Store {
            retention_bytes: arguments.retention_size,
            out_of_order_window: arguments.out_of_order_window,
            series: arguments.max_series,
        },
        receive: arguments.receive.limits(),
        ..run::Config::new(arguments.plans, arguments.data, arguments.listen)
    };
    runtime()?.block_on(async {
        let farero = run::Farero::start_checked(config, plans, Arc::new(run::SystemClock)).await?;
        println!("Farero: {}", farero.core().config.base_url());
        print_setup_link(&farero);
        let reason = until_ended(&farero).await?;
        farero.stop_because(reason).await;
        Ok(ExitCode::from(crate::exit::OK))
    })
}

/// TLS of its own, from files or by ACME.
fn tls(arguments: Tls) -> Result<Option<config::Tls>> {
    let tls = match (arguments.tls_cert.zip(arguments.tls_key), arguments.acme.is_empty()) {
        (Some((certificate, key)), _) => Some(config::Tls::Files { certificate, key }),
        (None, false) => Some(config::Tls::Acme(config::Acme {
            domains: arguments.acme,
            email: arguments.acme_email,
            directory: arguments.acme_directory,
            ca_file: arguments.acme_ca,
        })),
        (None, true) => None,
    };
    if arguments.http_redirect.is_some() && tls.is_none() {
        bail!("--http-redirect leads to HTTPS, which needs --tls-cert and --tls-key, or --acme");
    }
    Ok(tls)
}

/// Where secrets may come from.
pub(crate) fn secret_settings(arguments: &SecretSources) -> secrets::Settings {
    let text = |written: &Option<String>| written.as_ref().filter(|w| !w.is_empty()).map(|w| Text::new(w.as_str()));
    secrets::Settings {
        age_identity: arguments.age_identity.clone(),
        vault: secrets::VaultSettings {
            address: arguments.vault_addr.clone(),
            namespace: arguments.vault_namespace.clone(),
            ca_file: arguments.vault_ca.clone(),
            token: text(&arguments.vault_token),
            role_id: text(&arguments.vault_role_id),
            secret_id: text(&arguments.vault_secret_id),
            approle_mount: Some(arguments.vault_approle_mount.clone()),
        },
        ..secrets::Settings::with([])
    }
}

/// Without a folder named: the one that the assistant writes, made on the first start.
fn with_a_plan(mut arguments: Run, language: Language) -> Result<Run> {
    if arguments.plans.is_empty() {
        let folder = std::path::PathBuf::from(run::starter::FOLDER);
        if run::starter::provide(&folder, language)? {
            println!("A first plan was made: {}", folder.join("plan.yaml").display());
        }
        arguments.plans.push(folder);
    }
    Ok(arguments)
}

pub(crate) fn print_setup_link(farero: &run::Farero) {
    if let Some(link) = farero.setup_link() {
        println!("Create the administrator (this link works once): {link}");
    }
}

/// Waits for an end by Ctrl-C or SIGTERM, and says which; SIGHUP reads the plans again.
pub(crate) async fn until_ended(farero: &run::Farero) -> Result<&'static str> {
    let mut end = signal(SignalKind::terminate()).context("signals cannot be received")?;
    let mut again = signal(SignalKind::hangup()).context("signals cannot be received")?;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok("Ctrl-C"),
            _ = end.recv() => return Ok("SIGTERM"),
            _ = again.recv() => farero.reload(),
        }
    }
}

/// Threads for work that waits for a disk or counts long. The loops need ten at most; the rest is for pages. Each costs
/// memory of its own, and one that had no work for ten seconds ends.
const BLOCKING_THREADS: usize = 48;

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("farero")
        .build()
        .context("the runtime cannot be made")
}
