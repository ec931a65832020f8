//! Secrets that targets, errors and addresses must not show. Pure.

use kernel::secret::Redactor;

/// What is taken out of a job's texts. Two are the same when they look for the same secrets.
#[derive(Clone, Debug, Default)]
pub struct Concealed {
    /// Taken out of the values of labels that targets expose: they may show their own settings there.
    pub labels: Redactor,
    /// Taken out of errors, addresses and what targets tell of their metrics.
    pub texts: Redactor,
}

impl PartialEq for Concealed {
    fn eq(&self, other: &Self) -> bool {
        self.labels.secrets() == other.labels.secrets() && self.texts.secrets() == other.texts.secrets()
    }
}
