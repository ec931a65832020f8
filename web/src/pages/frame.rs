//! What every page's template is given: texts, formats, navigation, who is logged in. Pure.

use std::sync::Arc;

use jiff::tz::TimeZone;
use kernel::access::{Kind, Object, Verb};
use kernel::alert::AlertState;
use kernel::{Language, Rank, Timestamp};

use super::visit::{Theme, Visit};
use crate::app::App;
use crate::auth::find::procedure;
use crate::auth::{Access, Identity};
use crate::text::{Text, phrases, text};
use crate::{assets, format};

/// Entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a page")]
pub(crate) enum Nav {
    Overview,
    Alerts,
    Deliveries,
    Channels,
    Plan,
    Rules,
    Kpis,
    Explore,
    Targets,
    Cardinality,
    Dashboards,
    People,
    Roles,
    Approvals,
    Trail,
    Settings,
    About,
    None,
}

/// What every page is given.
pub(crate) struct Frame {
    /// Language of the texts.
    pub(crate) language: Language,
    /// The texts.
    pub(crate) t: &'static Text,
    /// Appearance.
    pub(crate) theme: Theme,
    /// Who is logged in.
    pub(crate) identity: Option<Identity>,
    /// What they may do.
    pub(crate) access: Access,
    /// The environments of the systems that they see.
    environments: Vec<(String, Option<String>)>,
    /// Where in the navigation.
    pub(crate) nav: Nav,
    /// Title of the page.
    pub(crate) title: String,
    /// Systems with their labels.
    pub(crate) systems: Vec<(Arc<str>, String)>,
    /// The system the page is about.
    pub(crate) system: Option<String>,
    /// Token that forms send back, so that only this person's own pages can send them.
    pub(crate) csrf: String,
    /// Alerts that fire, of all systems.
    pub(crate) firing: usize,
    /// Path and query of this page.
    pub(crate) here: String,
    /// What a form before this page has done.
    pub(crate) done: Option<&'static str>,
    /// The time now.
    pub(crate) now: Timestamp,
    /// Zone of the times on this page.
    pub(crate) zone: TimeZone,
    /// What the page listens to, the query of `/events`; empty: it does not.
    pub(crate) live: String,
}

impl Frame {
    /// Of a page.
    pub(crate) fn new(app: &App, visit: &Visit, nav: Nav, title: impl Into<String>) -> Self {
        let seen = visit.seen(app);
        let firing = seen.systems(|s| s.alerts.iter().filter(|a| a.state == AlertState::Firing).count());
        let zone = seen.systems(|s| s.zone.clone()).into_iter().next().unwrap_or(TimeZone::UTC);
        let environments = seen.systems(|s| (s.name().to_owned(), s.environment().map(str::to_owned)));
        Self {
            language: visit.language,
            t: text(visit.language),
            theme: visit.theme,
            identity: visit.identity.clone(),
            access: visit.access.clone(),
            environments,
            nav,
            title: title.into(),
            systems: seen.system_names(),
            system: None,
            csrf: visit.csrf.clone(),
            firing: firing.into_iter().sum(),
            here: visit.here.clone(),
            done: visit.done(),
            now: app.clock.now(),
            zone,
            live: String::new(),
        }
    }

    /// About one system: its times are in its zone.
    #[must_use]
    pub(crate) fn about(mut self, app: &App, system: &str) -> Self {
        if let Some(zone) = self.access.seen(app).system(system, |s| s.zone.clone()) {
            self.zone = zone;
        }
        self.system = Some(system.to_owned());
        self
    }

    /// Without navigation: the pages before the log-in show nothing of any system.
    #[must_use]
    pub(crate) fn bare(mut self) -> Self {
        self.systems = Vec::new();
        self.firing = 0;
        self
    }

    /// Name of the zone of the times on this page.
    pub(crate) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Listening for changes.
    #[must_use]
    pub(crate) fn live(mut self, query: impl Into<String>) -> Self {
        self.live = query.into();
        self
    }

    /// Address of an asset.
    pub(crate) fn asset(&self, path: &str) -> String {
        assets::url(path)
    }

    /// Whether this is the page's entry in the navigation.
    pub(crate) fn is(&self, nav: Nav) -> bool {
        self.nav == nav
    }

    /// Whether the person may do something to a kind of thing in a system.
    fn may(&self, verb: Verb, kind: Kind, system: &str, name: Option<&str>) -> bool {
        let environment = self.environments.iter().find(|(n, _)| n == system).and_then(|(_, e)| e.as_deref());
        self.access.may(verb, Object { kind, system: Some(system), environment, name })
    }

    /// Whether the person may have something done in a system.
    pub(crate) fn may_run(&self, system: &str) -> bool {
        self.may(Verb::Run, Kind::System, system, None)
    }

    /// Whether the person may take notice of a system's alerts.
    pub(crate) fn may_acknowledge(&self, system: &str) -> bool {
        self.may(Verb::Acknowledge, Kind::System, system, None)
    }

    /// Whether the person may send over a channel, test it, try again.
    pub(crate) fn may_use(&self, system: &str, channel: &str) -> bool {
        self.may(Verb::Run, Kind::Channel, system, Some(channel))
    }

    /// Whether the person may say that something was passed on.
    pub(crate) fn may_confirm(&self, system: &str, channel: &str) -> bool {
        self.may(Verb::Acknowledge, Kind::Channel, system, Some(channel))
    }

    /// Whether the person sees people and their rights, of some system at least.
    pub(crate) fn sees_people(&self) -> bool {
        self.access.may_somewhere(Verb::See, Kind::People)
    }

    /// Whether the person gives grants in some system at least.
    pub(crate) fn gives_grants(&self) -> bool {
        self.access.may_somewhere(Verb::Administer, Kind::People)
    }

    /// Whether the person may have something deployed in an environment.
    pub(crate) fn may_deploy(&self, system: &str, environment: &str) -> bool {
        let object = Object { kind: Kind::System, system: Some(system), environment: Some(environment), name: None };
        self.access.may(Verb::Run, object)
    }

    /// Whether the person says who may log in.
    pub(crate) fn may_administer(&self) -> bool {
        self.access.may(Verb::Administer, Object::platform(Kind::People))
    }

    /// Whether the person may sign a document of a system.
    pub(crate) fn may_sign(&self, system: &str, path: &str) -> bool {
        self.may(Verb::Sign, Kind::Procedure, system, Some(procedure(path)))
    }

    /// Whether the person may see what tells of all systems together.
    pub(crate) fn sees_platform(&self) -> bool {
        self.access.may(Verb::See, Object::platform(Kind::System))
    }

    /// Whether the person may see the trail.
    pub(crate) fn may_see_trail(&self) -> bool {
        self.access.may(Verb::See, Object::platform(Kind::Trail))
    }

    /// A `<time>` that tells how long ago, kept up to date by the page's script; safe HTML.
    pub(crate) fn ago(&self, at: &Timestamp) -> String {
        let age = phrases::ago(self.language, self.now.since(*at).as_secs());
        let full = format::date_time(self.language, *at, &self.zone);
        format!(r#"<time datetime="{at}" data-age title="{full}">{age}</time>"#)
    }

    /// A `<time>` in the system's zone, as short as it can be; safe HTML.
    pub(crate) fn time(&self, at: &Timestamp) -> String {
        let short = format::short_time(self.language, *at, self.now, &self.zone);
        let full = format::date_time(self.language, *at, &self.zone);
        format!(r#"<time datetime="{at}" title="{full}">{short}</time>"#)
    }

    /// A `<time>` with date and time in full; safe HTML.
    pub(crate) fn full_time(&self, at: &Timestamp) -> String {
        let full = format::date_time(self.language, *at, &self.zone);
        format!(r#"<time datetime="{at}">{full}</time>"#)
    }

    /// A number with as many decimals as it needs.
    pub(crate) fn value(&self, v: &f64) -> String {
        format::value(self.language, *v)
    }

    /// Bytes.
    pub(crate) fn bytes(&self, v: &f64) -> String {
        format::bytes(self.language, *v)
    }

    /// A percentage.
    pub(crate) fn percent(&self, v: &f64) -> String {
        format::percent(self.language, *v)
    }

    /// A length of time for people.
    pub(crate) fn duration(&self, d: &kernel::Duration) -> String {
        d.humanize(self.language)
    }

    /// When people hear of a severity, in words.
    pub(crate) fn deliver(&self, deliver: &plan_model::Deliver) -> String {
        phrases::deliver(self.language, deliver)
    }

    /// What the program says of a failure, in the page's language; other programs' words stay.
    pub(crate) fn said<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        kernel::phrase::in_language(text, self.language)
    }

    /// A text in which `code` stands between backticks; safe HTML.
    pub(crate) fn ticks(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 32);
        let parts: Vec<&str> = text.split('`').collect();
        // An odd number of ticks has no pair: the text stays as it is.
        let paired = parts.len() % 2 == 1;
        for (i, part) in parts.iter().enumerate() {
            let safe = part.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            match (paired, i % 2) {
                (true, 1) => out.push_str(&format!("<code>{safe}</code>")),
                (false, _) if i > 0 => out.push_str(&format!("`{safe}")),
                _ => out.push_str(&safe),
            }
        }
        out
    }

    /// Word of a rank.
    pub(crate) fn rank(&self, rank: &Rank) -> &'static str {
        let c = &self.t.common;
        match rank {
            Rank::Info => c.rank_info,
            Rank::Low => c.rank_low,
            Rank::Warning => c.rank_warning,
            Rank::High => c.rank_high,
            Rank::Critical => c.rank_critical,
        }
    }

    /// `3 alertas activas`.
    pub(crate) fn firing_phrase(&self) -> String {
        phrases::alerts(self.language, self.firing)
    }

    /// The other language.
    pub(crate) fn other_language(&self) -> (&'static str, &'static str) {
        self.language.pick(("en", "English"), ("es", "Español"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ticks_become_code_and_nothing_else_becomes_html() {
        let app = crate::sample::app(false);
        let (parts, ()) = http::Request::get("/").body(()).unwrap().into_parts();
        let f = super::Frame::new(&app, &super::Visit::of(&parts), super::Nav::None, "");
        assert_eq!(f.ticks("use `a<b>` & go"), "use <code>a&lt;b&gt;</code> &amp; go");
        assert_eq!(f.ticks("one ` <i>"), "one ` &lt;i&gt;");
    }
}
