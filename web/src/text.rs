//! Every text of the pages in Spanish and English; one that is missing does not compile. Pure.

use kernel::Language;

pub(crate) mod actions;
mod alerts;
mod auth;
mod check;
mod common;
pub mod dashboards;
mod kpis;
mod login;
mod manage;
mod overview;
mod people;
pub mod phrases;
mod trail;
mod welcome;

/// Defines a table of texts: each line gives a name, the Spanish text and the English text.
macro_rules! texts {
    ($(#[$doc:meta])* $table:ident { $($name:ident: $es:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "the English text beside each name says what it is")]
        #[derive(Debug)]
        pub struct $table { $(pub $name: &'static str,)* }

        impl $table {
            pub(super) const ES: Self = Self { $($name: $es,)* };
            pub(super) const EN: Self = Self { $($name: $en,)* };

            /// All texts with their names, for tests.
            #[cfg(test)]
            pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}
pub(crate) use texts;

/// All texts in one language.
#[derive(Debug)]
#[allow(missing_docs, reason = "each table says what it is")]
pub struct Text {
    pub common: common::Common,
    pub overview: overview::Overview,
    pub check: check::CheckPage,
    pub alerts: alerts::Alerts,
    pub manage: manage::Manage,
    pub auth: auth::Auth,
    pub people: people::People,
    pub kpis: kpis::Kpis,
    pub trail: trail::Trail,
    pub login: login::Login,
    pub welcome: welcome::Welcome,
    pub dashboards: dashboards::Dashboards,
}

static ES: Text = Text {
    common: common::Common::ES,
    overview: overview::Overview::ES,
    check: check::CheckPage::ES,
    alerts: alerts::Alerts::ES,
    manage: manage::Manage::ES,
    auth: auth::Auth::ES,
    people: people::People::ES,
    kpis: kpis::Kpis::ES,
    trail: trail::Trail::ES,
    login: login::Login::ES,
    welcome: welcome::Welcome::ES,
    dashboards: dashboards::Dashboards::ES,
};

static EN: Text = Text {
    common: common::Common::EN,
    overview: overview::Overview::EN,
    check: check::CheckPage::EN,
    alerts: alerts::Alerts::EN,
    manage: manage::Manage::EN,
    auth: auth::Auth::EN,
    people: people::People::EN,
    kpis: kpis::Kpis::EN,
    trail: trail::Trail::EN,
    login: login::Login::EN,
    welcome: welcome::Welcome::EN,
    dashboards: dashboards::Dashboards::EN,
};

/// The texts of a language.
pub fn text(language: Language) -> &'static Text {
    match language {
        Language::Es => &ES,
        Language::En => &EN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_empty_or_left_untranslated_by_accident() {
        let tables = |t: &'static Text| {
            let early = [t.common.all(), t.overview.all(), t.check.all(), t.alerts.all(), t.manage.all(), t.auth.all()];
            let late = [t.trail.all(), t.login.all(), t.welcome.all(), t.dashboards.all(), t.kpis.all()].concat();
            [early.concat(), t.people.all(), late].concat()
        };
        let (es, en) = (tables(text(Language::Es)), tables(text(Language::En)));
        for ((name, es), (_, en)) in es.iter().zip(&en) {
            assert!(!es.trim().is_empty() && !en.trim().is_empty(), "{name} is empty");
            let sentence = en.split_whitespace().count() > 3;
            assert!(!sentence || es != en, "{name} says the same in both languages: {en}");
        }
    }
}
