//! The object of a request: found in its path, with the system's environment and what restricts it. I/O: state.
//!
//! What is not there and what is hidden are the same answer, made in one place, so that the two cannot be told apart.

use axum::extract::{FromRequestParts, RawPathParams};
use decide::access::{Denied, Restriction, restricted};
use http::request::Parts;
use kernel::access::{Kind, Object, Request, Verb};
use kernel::alert::Alert;

use super::access::Access;
use crate::answer::Failure;
use crate::app::App;
use crate::live::SystemState;
use crate::routes::Find;

/// What became of a request at the point of authorization.
pub(crate) enum Decided {
    /// It may go on.
    Allowed,
    /// It may not; the answer says so.
    Denied(Denied),
    /// There is no such thing, or it is hidden; the answer is the same.
    Nothing {
        /// What was asked for, as the path names it.
        asked: String,
        /// That it is hidden, where it is: for the trail, never for the answer.
        hidden: Option<Denied>,
    },
}

/// The parameters of a path, decoded.
pub(crate) struct PathNames(Vec<(String, String)>);

impl PathNames {
    /// Of a request whose route is known.
    pub(crate) async fn of(parts: &mut Parts) -> Self {
        let read = RawPathParams::from_request_parts(parts, &()).await;
        let pairs = |all: &RawPathParams| all.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        Self(read.as_ref().map(pairs).unwrap_or_default())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    /// All of them as one text.
    fn asked(&self) -> String {
        self.0.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>().join("/")
    }
}

/// What the object is, beside its system.
enum About<'a> {
    Whole,
    Component(&'a str),
    Named(Kind, &'a str),
    Alerts { kind: Kind, name: Option<&'a str>, alerts: Vec<&'a Alert> },
}

/// Finds the object and decides.
pub(crate) async fn decide(
    app: &App,
    access: &Access,
    (verb, kind, find): (Verb, Kind, Find),
    names: &PathNames,
) -> Result<Decided, Failure> {
    let system = names.get("system");
    Ok(match find {
        Find::Platform => whole(access.decide(&Request::new(verb, Object::platform(kind)), &[])),
        Find::Filtered if access.may_somewhere(verb, kind) => Decided::Allowed,
        Find::Filtered => {
            let roles = access.grants().iter().map(|g| g.grant.role).collect();
            Decided::Denied(Denied::Role { verb, roles })
        }
        Find::System => in_system(app, access, verb, system, &About::Whole, names),
        Find::Component => {
            let file = names.get("file");
            let component = if file.is_empty() { names.get("component") } else { file.trim_end_matches(".svg") };
            in_system(app, access, verb, system, &About::Component(component), names)
        }
        Find::Channel => {
            in_system(app, access, verb, system, &About::Named(Kind::Channel, names.get("channel")), names)
        }
        Find::Document => {
            let name = procedure(names.get("path"));
            in_system(app, access, verb, system, &About::Named(Kind::Procedure, name), names)
        }
        Find::Alert => {
            let id = names.get("id").to_owned();
            let Some(record) = app.db(move |s| s.alert(&id)).await? else { return Ok(nothing(names, None)) };
            let about = About::Alerts { kind, name: None, alerts: vec![&record.alert] };
            in_system(app, access, verb, &record.alert.system, &about, names)
        }
        Find::Request => {
            let Ok(id) = names.get("id").parse::<i64>() else { return Ok(nothing(names, None)) };
            let Some(read) = crate::approvals::one(app, id).await? else { return Ok(nothing(names, None)) };
            // Whoever sees the system sees what is asked for in it; answering is decided in the environment it is for.
            if access.seen(app).system(&read.asked.system, |_| ()).is_none() && !access.sees_all() {
                return Ok(nothing(names, Some(Denied::Unseen)));
            }
            if verb == Verb::See {
                Decided::Allowed
            } else {
                whole(access.decide(&Request::new(verb, read.object()), &[]))
            }
        }
        Find::Delivery => {
            let key = names.get("key").to_owned();
            let Some(entry) = app.db(move |s| s.outbox_entry(&key)).await? else { return Ok(nothing(names, None)) };
            let alerts = entry.message.items.iter().map(|i| &i.alert).collect();
            let about = About::Alerts { kind, name: Some(&entry.channel), alerts };
            in_system(app, access, verb, &entry.system, &about, names)
        }
    })
}

fn nothing(names: &PathNames, hidden: Option<Denied>) -> Decided {
    Decided::Nothing { asked: names.asked(), hidden }
}

/// The name of a document as grants write it: without folder and ending.
pub(crate) fn procedure(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".md").unwrap_or(file)
}

/// Of the platform there is nothing to hide: that it is there everybody knows.
fn whole(decided: Result<(), Denied>) -> Decided {
    match decided {
        Ok(()) => Decided::Allowed,
        Err(denied) => Decided::Denied(denied),
    }
}

fn in_system(app: &App, access: &Access, verb: Verb, system: &str, about: &About<'_>, names: &PathNames) -> Decided {
    let known = app.live.system(system, |s| of_known(access, verb, s, about));
    let decided = match (known, about) {
        (Some(decided), _) => decided,
        // What was told of a system that is no more is still there for those who see all systems.
        (None, About::Alerts { kind, name, alerts }) => {
            let object = Object { kind: *kind, system: Some(system), environment: None, name: *name };
            let own: Vec<Restriction<'_>> = alerts.iter().flat_map(|a| restricted::of_alert(None, a)).collect();
            Some(access.decide(&Request::new(verb, object), &own))
        }
        (None, _) => None,
    };
    match decided {
        Some(Ok(())) => Decided::Allowed,
        Some(Err(denied)) if denied.hides() => nothing(names, Some(denied)),
        Some(Err(denied)) => Decided::Denied(denied),
        None => nothing(names, None),
    }
}

/// Decides about a system that is in use; nothing when the system has no such component or channel.
fn of_known(access: &Access, verb: Verb, s: &SystemState, about: &About<'_>) -> Option<Result<(), Denied>> {
    let (name, environment, plan) = (s.name(), s.environment(), s.plan());
    let whole = Object::system(name, environment);
    let (object, restrictions) = match about {
        About::Whole => (whole, Vec::new()),
        About::Component(component) => {
            plan.component(component)?;
            (whole, restricted::of_component(plan, component).into_iter().collect())
        }
        About::Named(kind, named) => {
            let there = *kind != Kind::Channel || plan.channels.contains_key(*named);
            if !there {
                return None;
            }
            (Object::named(*kind, name, environment, named), Vec::new())
        }
        About::Alerts { kind, name: named, alerts } => {
            let object = Object { kind: *kind, system: Some(name), environment, name: *named };
            (object, alerts.iter().flat_map(|a| restricted::of_alert(Some(plan), a)).collect())
        }
    };
    Some(access.decide(&Request::new(verb, object), &restrictions))
}
