//! What a request says about the person behind it: language, appearance, who. I/O: HTTP.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use kernel::trail::{Actor, Deed};
use kernel::{Language, Timestamp};

use crate::app::App;
use crate::auth::{Access, Identity, Proof, session};
use crate::live::Seen;

/// Cookie of the chosen language.
pub(crate) const LANGUAGE_COOKIE: &str = "farero_language";
/// Cookie of the chosen appearance.
pub(crate) const THEME_COOKIE: &str = "farero_theme";

/// Light, dark, or as the device says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the device says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The word in the cookie and in the page.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the word; anything else is [`Theme::Auto`].
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }
}

/// A request as the pages see it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Language of the texts.
    pub(crate) language: Language,
    /// Appearance.
    pub(crate) theme: Theme,
    /// Who asks; nobody on public pages.
    pub(crate) identity: Option<Identity>,
    /// What they may do.
    pub(crate) access: Access,
    /// Token that forms send back.
    pub(crate) csrf: String,
    /// Path and query, to come back to.
    pub(crate) here: String,
    /// The caller's address.
    pub(crate) address: String,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Visit {
    /// Of a request's head.
    pub(crate) fn of(parts: &Parts) -> Self {
        let chosen = cookie(parts, LANGUAGE_COOKIE).and_then(|v| language_of(&v));
        let accepted = || {
            let header = parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            preferred(header)
        };
        let identity = parts.extensions.get::<Identity>().cloned();
        let own = identity.as_ref().and_then(|i| i.language);
        let csrf = match identity.as_ref().map(|i| &i.proof) {
            Some(Proof::Session { csrf, .. }) => csrf.clone(),
            _ => String::new(),
        };
        Self {
            language: chosen.or(own).or_else(accepted).unwrap_or_default(),
            theme: cookie(parts, THEME_COOKIE).map(|v| Theme::parse(&v)).unwrap_or_default(),
            identity,
            access: parts.extensions.get::<Access>().cloned().unwrap_or_default(),
            csrf,
            here: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            address: session::address(parts),
        }
    }
}

impl Visit {
    /// The read model as this person sees it.
    pub(crate) fn seen<'a>(&'a self, app: &'a App) -> Seen<'a> {
        self.access.seen(app)
    }

    /// The name under which this person's deeds are recorded.
    pub(crate) fn by(&self) -> String {
        self.identity.as_ref().map_or_else(|| "?".to_owned(), Identity::by)
    }

    /// The account behind the request.
    pub(crate) fn account(&self) -> String {
        self.identity.as_ref().map(|i| i.account().to_owned()).unwrap_or_default()
    }

    /// A deed of this person, from where they are: the beginning of every entry that a handler writes to the trail.
    pub(crate) fn deed(&self, at: Timestamp, action: &str) -> Deed {
        let actor = self.identity.as_ref().map_or(Actor::Nobody, Identity::actor);
        Deed::new(at, actor, action).from(&self.address)
    }

    /// What a form before this page has done, by its word in the address.
    pub(crate) fn done(&self) -> Option<&'static str> {
        let query = self.here.split_once('?')?.1;
        let word = query.split('&').find_map(|pair| pair.strip_prefix("done="))?;
        let t = &crate::text::text(self.language).manage;
        Some(match word {
            "acknowledged" => t.done_acknowledged,
            "confirmed" => t.done_confirmed,
            "retried" => t.done_retried,
            "intensive" => t.done_intensive,
            "reloaded" => t.done_reloaded,
            "checked" => t.done_checked,
            "saved" => t.done_saved,
            "ended" => t.done_ended,
            "password" => t.done_password,
            "revoked" => t.done_revoked,
            "asked" => t.done_asked,
            "answered" => t.done_answered,
            "signed" => crate::text::text(self.language).trail.done_signed,
            "nothing" => t.done_nothing,
            _ => return None,
        })
    }
}

/// The value of a cookie.
pub(crate) fn cookie(parts: &Parts, name: &str) -> Option<String> {
    ::auth::credentials::cookie(&parts.headers, name).map(ToOwned::to_owned)
}

/// A language from its tag, whatever its region.
pub(crate) fn language_of(tag: &str) -> Option<Language> {
    match tag.split('-').next().map(str::to_ascii_lowercase).as_deref() {
        Some("es") => Some(Language::Es),
        Some("en") => Some(Language::En),
        _ => None,
    }
}

/// The known language that `Accept-Language` puts first (RFC 9110, section 12.5.4).
fn preferred(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for item in header.split(',').take(16) {
        let mut parts = item.split(';');
        let Some(language) = parts.next().map(str::trim).and_then(language_of) else { continue };
        let weight = parts.filter_map(|p| p.trim().strip_prefix("q=")).find_map(|q| q.parse().ok()).unwrap_or(1.0);
        if weight > 0.0 && best.is_none_or(|(w, _)| weight > w) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_put_first_wins() {
        let check = |header: &str, expect: Option<Language>| assert_eq!(preferred(header), expect, "{header}");
        check("en-GB,en;q=0.9,es;q=0.8", Some(Language::En));
        check("fr, es-PE;q=0.7, en;q=0.3", Some(Language::Es));
        check("en;q=0, es;q=0.1", Some(Language::Es));
        check("de", None);
        check(";;;q=,,", None);
    }
}
