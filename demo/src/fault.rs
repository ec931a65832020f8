//! The faults that can be caused, each with what it really does. Pure.

use std::fmt;
use std::str::FromStr;

use kernel::Language;

/// A fault in the stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The Backend's socket is closed.
    Backend,
    /// The Frontend's socket is closed.
    Frontend,
    /// The OCR answers after its slow threshold.
    Ocr,
    /// PostgreSQL is stopped.
    Database,
    /// Files are written until the store is nearly full.
    Disk,
    /// The TLS endpoint shows a certificate that ends in three days.
    Cert,
    /// The Backend answers every second request of its users with 500.
    Errors,
    /// The mail server refuses for the time being, so that the fallback channel has to take over.
    Mail,
}

impl Fault {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 8] =
        [Self::Backend, Self::Frontend, Self::Ocr, Self::Database, Self::Disk, Self::Cert, Self::Errors, Self::Mail];

    /// The word on the command line and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Frontend => "frontend",
            Self::Ocr => "ocr",
            Self::Database => "database",
            Self::Disk => "disk",
            Self::Cert => "cert",
            Self::Errors => "errors",
            Self::Mail => "mail",
        }
    }

    /// What happens, for people.
    pub const fn label(self, language: Language) -> &'static str {
        match self {
            Self::Backend => language.pick("El Backend se cae", "The backend goes down"),
            Self::Frontend => language.pick("El Frontend se cae", "The frontend goes down"),
            Self::Ocr => language.pick("El OCR responde lento", "The OCR answers slowly"),
            Self::Database => language.pick("PostgreSQL se detiene", "PostgreSQL stops"),
            Self::Disk => language.pick("El disco se llena", "The disk fills up"),
            Self::Cert => language.pick("El certificado vence en tres días", "The certificate ends in three days"),
            Self::Errors => language.pick("Errores 500 repetidos", "Repeated errors 500"),
            Self::Mail => language.pick("El servidor de correo no acepta", "The mail server does not accept"),
        }
    }

    /// What to expect in Farero, for people.
    pub const fn expect(self, language: Language) -> &'static str {
        match self {
            Self::Backend | Self::Frontend => language.pick(
                "Alerta crítica a los pocos segundos, por todos los canales.",
                "A critical alert within seconds, on all channels.",
            ),
            Self::Ocr => language.pick(
                "Lento, no caído: una advertencia, entregada junto a otras.",
                "Slow, not down: a warning, delivered together with others.",
            ),
            Self::Database => language.pick(
                "Alerta de base de datos; el Backend falla por eso y lo dice.",
                "A database alert; the backend fails because of it and says so.",
            ),
            Self::Disk => language.pick(
                "Primero advertencia (80 %), después crítica (90 %).",
                "First a warning (80 %), then critical (90 %).",
            ),
            Self::Cert => language.pick("Alerta crítica: menos de 7 días.", "A critical alert: less than 7 days."),
            Self::Errors => language.pick("La regla Error500Repetido dispara.", "The rule Error500Repetido fires."),
            Self::Mail => language.pick(
                "El correo se reintenta; tras varios fallos sigue otro canal.",
                "Mail is tried again; after several failures another channel takes over.",
            ),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|f| f.name()).collect();
            format!("`{text}` is no fault of the demo: use one of {}", names.join(", "))
        })
    }
}
