//! A stand-in of SIGCERH to watch, real faults to cause in it, and an inbox that receives every message. I/O.
//!
//! Nothing here is pretended towards Farero: the services are processes' sockets that answer or do not, the database is a real
//! PostgreSQL where one is installed, mail arrives over SMTP. The demo knows nothing of Farero but the names of the environment
//! variables that the plan `plans/sigcerh` reads.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

mod control;
mod fault;
mod inbox;
mod page;
mod switch;
mod system;

pub use control::{Address, read_address};
pub use fault::Fault;

use inbox::Inbox;
use system::System;

/// How to start a demo.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder for everything that the stand-in writes; made when missing.
    pub folder: PathBuf,
    /// Port of the page with inbox and faults; any free one when 0.
    pub port: u16,
}

/// A running stand-in. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Demo {
    system: Arc<System>,
    page: switch::Server,
    environment: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Demo {
    /// Starts the stand-in, the receivers and the page.
    ///
    /// # Errors
    /// The folder cannot be written or no port is free.
    pub async fn start(options: Options) -> Result<Self> {
        std::fs::create_dir_all(&options.folder)?;
        let inbox = Inbox::default();
        let receivers = inbox::receive(inbox.clone()).await?;
        let system = Arc::new(System::start(&options.folder, receivers.mail).await?);
        let page = page::serve(options.port, system.clone(), inbox).await?;
        let mut environment = system.environment();
        environment.extend(receivers.environment);
        control::write_address(page.port())?;
        Ok(Self { notes: system.notes(), system, page, environment })
    }

    /// Environment variables that the plan reads.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// What a person should know: no PostgreSQL installed, for example.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Address of the page with inbox and faults.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.page.port())
    }

    /// Causes a fault.
    ///
    /// # Errors
    /// The fault cannot be caused, with the reason.
    pub async fn cause(&self, fault: Fault) -> Result<()> {
        self.system.cause(fault).await
    }

    /// Ends a fault.
    ///
    /// # Errors
    /// What was broken cannot be started again.
    pub async fn mend(&self, fault: Fault) -> Result<()> {
        self.system.mend(fault).await
    }
}
