//! The two languages that screens and messages speak. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language of screens, messages and generated documents. Plan content stays in its own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

impl Language {
    /// The BCP 47 tag: `es` or `en`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    /// One of two texts.
    pub const fn pick<T: Copy>(self, es: T, en: T) -> T {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }
}
