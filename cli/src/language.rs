//! Which language the command line speaks. I/O: the environment.

use clap::ValueEnum;
use kernel::Language;

/// A language by its tag, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tongue {
    /// Spanish.
    Es,
    /// English.
    En,
}

/// The language that was asked for; else the terminal's, as POSIX has it: `LC_ALL`, `LC_MESSAGES`, `LANG`, the first that is
/// set; English where that is neither of the two.
pub(crate) fn choose(asked: Option<Tongue>) -> Language {
    asked.map_or_else(
        || of_locale(|name| std::env::var(name).ok()),
        |tongue| match tongue {
            Tongue::Es => Language::Es,
            Tongue::En => Language::En,
        },
    )
}

fn of_locale(value: impl Fn(&str) -> Option<String>) -> Language {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| value(name).filter(|v| !v.is_empty()));
    let spanish = set.is_some_and(|v| v == "es" || v.starts_with("es_") || v.starts_with("es."));
    if spanish { Language::Es } else { Language::En }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pln_12_the_first_that_is_set_decides() {
        let of = |pairs: &[(&str, &str)]| {
            of_locale(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(of(&[]), Language::En);
        assert_eq!(of(&[("LANG", "es_PE.UTF-8")]), Language::Es);
        assert_eq!(of(&[("LANG", "es_PE.UTF-8"), ("LC_ALL", "C")]), Language::En);
        assert_eq!(of(&[("LC_ALL", ""), ("LC_MESSAGES", "es"), ("LANG", "en_GB")]), Language::Es);
        assert_eq!(of(&[("LANG", "est_EE")]), Language::En);
    }
}
