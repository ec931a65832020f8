//! Who `role:devops`, `person:ana`, `contact:proveedor`, `audience:usuarios` are in a plan. I/O by the resolver only.

use kernel::secret::{ResolveError, Resolver, Text};
use plan_model::Plan;

/// Looks receivers up in a plan.
pub struct Receivers<'a> {
    /// The plan with its people.
    pub plan: &'a Plan,
    /// Finds what references stand for.
    pub resolver: &'a dyn Resolver,
}

/// Why a receiver cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiverError {
    /// The plan has no such role, person, contact or audience.
    #[error(
        "receiver `{0}` is not in the plan: name one of its roles, people, contacts or audiences, or write the address itself"
    )]
    Unknown(String),
    /// There is somebody, but without what the channel needs.
    #[error("receiver `{receiver}` has no {what}: add it to the plan, or leave the receiver out")]
    NoAddress {
        /// As written.
        receiver: String,
        /// `e-mail address`, `mobile number`.
        what: &'static str,
    },
    /// A reference has no value.
    #[error(transparent)]
    Reference(#[from] ResolveError),
}

/// What a channel needs of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Mail address.
    Email,
    /// Telephone number.
    Mobile,
    /// Name, for people who pass a text on.
    Name,
}

impl Wanted {
    const fn words(self) -> &'static str {
        match self {
            Self::Email => "e-mail address",
            Self::Mobile => "mobile number",
            Self::Name => "name",
        }
    }
}

impl Receivers<'_> {
    /// The addresses of all receivers, each once, in order.
    ///
    /// # Errors
    /// The first receiver that is unknown or has no such address.
    pub fn addresses(&self, written: &[Text], wanted: Wanted) -> Result<Vec<String>, ReceiverError> {
        let mut out: Vec<String> = Vec::new();
        for text in written {
            for address in self.of_one(text, wanted)? {
                if !out.contains(&address) {
                    out.push(address);
                }
            }
        }
        Ok(out)
    }

    fn of_one(&self, text: &Text, wanted: Wanted) -> Result<Vec<String>, ReceiverError> {
        let unknown = || ReceiverError::Unknown(text.written().to_owned());
        let Some((kind, name)) = text.written().split_once(':').filter(|_| text.references().is_empty()) else {
            return Ok(vec![self.value(text)?]);
        };
        let found: Vec<Option<&Text>> = match kind {
            "role" => {
                let role = self.plan.roles.get(name).ok_or_else(unknown)?;
                role.people.iter().map(|p| self.person(p, wanted)).collect()
            }
            "person" => {
                self.plan.people.get(name).ok_or_else(unknown)?;
                vec![self.person(name, wanted)]
            }
            "contact" => {
                let contact = self.plan.contacts.get(name).ok_or_else(unknown)?;
                vec![match wanted {
                    Wanted::Email => contact.email.as_ref(),
                    Wanted::Mobile => contact.phone.as_ref(),
                    Wanted::Name => contact.name.as_ref(),
                }]
            }
            "audience" => {
                let audience = self.plan.audiences.get(name).ok_or_else(unknown)?;
                match wanted {
                    Wanted::Email => audience.emails.iter().map(Some).collect(),
                    Wanted::Name => return Ok(vec![audience.label.clone().unwrap_or_else(|| name.to_owned())]),
                    Wanted::Mobile => Vec::new(),
                }
            }
            _ => return Ok(vec![self.value(text)?]),
        };
        let missing = || ReceiverError::NoAddress { receiver: text.written().to_owned(), what: wanted.words() };
        let addresses: Result<Vec<String>, _> = found.into_iter().flatten().map(|t| self.value(t)).collect();
        let addresses = addresses?;
        match (addresses.is_empty(), wanted) {
            (false, _) => Ok(addresses),
            (true, Wanted::Name) => Ok(vec![name.to_owned()]),
            (true, _) => Err(missing()),
        }
    }

    fn person(&self, name: &str, wanted: Wanted) -> Option<&Text> {
        let person = self.plan.people.get(name)?;
        match wanted {
            Wanted::Email => person.email.as_ref(),
            Wanted::Mobile => person.mobile.as_ref(),
            Wanted::Name => person.name.as_ref(),
        }
    }

    fn value(&self, text: &Text) -> Result<String, ReceiverError> {
        Ok(text.resolve(self.resolver)?.expose().trim().to_owned())
    }
}
