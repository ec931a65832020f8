//! What pages may ask the loops for: the port of `web`, implemented. I/O.

use std::sync::Arc;

use decide::deliver::{Grave, Voice, decide_alarm};
use decide::health::decide_took;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kernel::Timestamp;
use kernel::heartbeat::{Ping, PingKind};
use kernel::message::{AttemptResult, OutboxEntry};
use kernel::probe::CheckId;
use kernel::secret::Secret;
use kernel::trail::Deed;
use plan_model::starter::Answers;
use prove_trail::PublicKey;
use web::control::{Alarm, Starter};
use web::{Control, ControlError};

use crate::core::Core;
use crate::loops::judge::PINGS_SEEN;
use crate::loops::{outbox, reload, watchful};
use crate::starter;
use crate::system::System;

/// The port, over the core.
pub struct Controls(pub Arc<Core>);

impl Controls {
    fn system(&self, name: &str) -> Result<Arc<System>, ControlError> {
        self.0
            .systems()
            .get(name)
            .cloned()
            .ok_or_else(|| ControlError::Unknown { what: "system", name: name.to_owned() })
    }

    /// Runs something that waits for a disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> Result<T, state::StateError> + Send + 'static,
    ) -> Result<T, ControlError> {
        let core = self.0.clone();
        match tokio::task::spawn_blocking(move || work(&core)).await {
            Ok(done) => done.map_err(|e| ControlError::Failed(e.to_string())),
            Err(error) => Err(ControlError::Failed(error.to_string())),
        }
    }
}

impl Control for Controls {
    fn test_channel<'a>(
        &'a self,
        system: &'a str,
        channel: &'a str,
        by: &'a str,
    ) -> BoxFuture<'a, Result<String, ControlError>> {
        async move {
            let system = self.system(system)?;
            if !system.plan.channels.contains_key(channel) && !system.silent.iter().any(|(n, _)| n == channel) {
                return Err(ControlError::Unknown { what: "channel", name: channel.to_owned() });
            }
            tracing::info!(system = %system.plan.system, channel, by, "a test message is sent");
            match outbox::send_test(&self.0, &system, channel).await.map_err(ControlError::Failed)? {
                AttemptResult::Taken { answer } => Ok(answer),
                AttemptResult::Postponed { error, .. } | AttemptResult::Refused { error } => {
                    Err(ControlError::Failed(error))
                }
            }
        }
        .boxed()
    }

    fn reload(&self) -> BoxFuture<'_, Result<(), ControlError>> {
        async move {
            self.blocking(|core| {
                reload::reload(core, true);
                Ok(())
            })
            .await
        }
        .boxed()
    }

    fn set_intensive<'a>(
        &'a self,
        system: &'a str,
        component: Option<&'a str>,
        until: Option<Timestamp>,
        by: &'a str,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        async move {
            let found = self.system(system)?;
            if let Some(name) = component.filter(|name| found.plan.component(name).is_none()) {
                return Err(ControlError::Unknown { what: "component", name: name.to_owned() });
            }
            let (system, component, by) = (system.to_owned(), component.map(ToOwned::to_owned), by.to_owned());
            let deed = deed.clone();
            self.blocking(move |core| {
                let until = until.unwrap_or(core.now());
                core.state.set_intensive(&system, component.as_deref(), until, &by, &deed)?;
                watchful::refresh(core);
                Ok(())
            })
            .await
        }
        .boxed()
    }

    fn accept_ping<'a>(&'a self, check: &'a CheckId, ping: Ping) -> BoxFuture<'a, Result<(), ControlError>> {
        async move {
            let unknown = || ControlError::Unknown { what: "heartbeat", name: check.to_string() };
            let system = self.system(&check.system).map_err(|_| unknown())?;
            if !system.judged.iter().any(|j| j.id == *check && j.is_heartbeat()) {
                return Err(unknown());
            }
            let check = check.clone();
            self.blocking(move |core| {
                let mut ping = ping;
                ping.body = ping.body.map(|text| system.redactor.redact(&text));
                if ping.kind != PingKind::Start {
                    let before = core.state.pings(&check, PINGS_SEEN)?;
                    ping.duration_ms = decide_took(&before, ping.at).map(kernel::Duration::as_millis);
                }
                core.state.record_ping(&check, &ping)
            })
            .await?;
            self.0.judge_bell.notify_one();
            Ok(())
        }
        .boxed()
    }

    fn check_now<'a>(&'a self, check: &'a CheckId) -> BoxFuture<'a, Result<(), ControlError>> {
        async move {
            let system = self.system(&check.system)?;
            let job = system.jobs.iter().find(|j| j.id == *check);
            let job = job.ok_or_else(|| ControlError::Unknown { what: "check", name: check.to_string() })?;
            let result = job.prepared.perform(self.0.now(), &*self.0.clock).await;
            self.0.hand_in(result).await;
            Ok(())
        }
        .boxed()
    }

    fn alarms(&self, alarm: &Alarm) -> Vec<OutboxEntry> {
        let Alarm::SealBroken { from, reason } = alarm;
        let (grave, base_url, now) = (Grave::SealBroken { from, reason }, self.0.config.base_url(), self.0.now());
        let systems = self.0.systems();
        let told = systems.values().flat_map(|system| {
            let voice = Voice { plan: &system.plan, zone: &system.zone, base_url: Some(&base_url), now };
            decide_alarm(&voice, &grave)
        });
        told.collect()
    }

    fn starter(&self) -> Option<Starter> {
        starter::starter(&self.0)
    }

    fn write_starter<'a>(
        &'a self,
        answers: &'a Answers,
        secrets: &'a [(String, Secret)],
    ) -> BoxFuture<'a, Result<(), ControlError>> {
        async move {
            let (core, answers, secrets) = (self.0.clone(), answers.clone(), secrets.to_vec());
            let written = tokio::task::spawn_blocking(move || starter::write(&core, &answers, &secrets)).await;
            written.map_err(|e| ControlError::Failed(e.to_string()))?.map_err(ControlError::Failed)
        }
        .boxed()
    }

    fn trail_key(&self) -> String {
        self.0.keeper.public().to_string()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<PublicKey, ControlError>> {
        async move {
            let core = self.0.clone();
            let signed = tokio::task::spawn_blocking(move || core.keeper.checkpoint(&core.state, core.now())).await;
            match signed {
                Ok(Ok(_)) => Ok(self.0.keeper.public()),
                Ok(Err(error)) => Err(ControlError::Failed(format!("{error:#}"))),
                Err(error) => Err(ControlError::Failed(error.to_string())),
            }
        }
        .boxed()
    }

    fn wake_deliveries(&self) {
        self.0.deliveries_bell.notify_one();
        self.0.outbox_bell.notify_one();
    }
}
