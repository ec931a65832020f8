//! A signed copy of a document: its exact text, who signed it, and the part of the trail that proves it (CKL-06). Pure.

use kernel::Timestamp;
use kernel::trail::{Deed, Hash, Outcome};
use serde::{Deserialize, Serialize};

use crate::export;
use crate::problem::same;
use crate::{Line, Problem, PublicKey, Report, Verifier};

/// Action of the deed by which somebody signs a document. Its object is the document's path; its fields `sha256` and `role` say
/// what exactly was signed, and as what.
pub const SIGN_ACTION: &str = "document.sign";

const FORMAT: &str = "farero-signed-document";

/// Version of the form of signed copies.
const VERSION: u32 = 1;

/// A document as it was when it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDocument {
    /// The system whose plan it belongs to.
    pub system: String,
    /// Its path in the plan's folder.
    pub path: String,
    /// Its title.
    pub title: String,
    /// SHA-256 of its text.
    pub sha256: Hash,
    /// Its text, byte by byte.
    pub text: String,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentSignature {
    /// Account of the person who signed.
    pub person: String,
    /// The plan's role for which they signed.
    pub role: String,
    /// When.
    pub at: Timestamp,
    /// What they noted; may be empty.
    pub note: String,
    /// Number of the trail's entry that says so.
    pub sequence: u64,
}

/// A document with its signatures, and an excerpt of the trail that holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCopy {
    format: String,
    version: u32,
    /// The document.
    pub document: SignedDocument,
    /// Who signed it, in the order of their signing.
    pub signatures: Vec<DocumentSignature>,
    /// Excerpts of the trail, each as its lines: one for each signature, with everything left out but the signing, from the
    /// checkpoint before it to the one that covers it.
    pub trail: Vec<Vec<String>>,
}

impl SignedCopy {
    /// Of its parts; `excerpts` are the texts of excerpts, one that holds several signatures may stand once.
    pub fn new(document: SignedDocument, signatures: Vec<DocumentSignature>, excerpts: &[String]) -> Self {
        let trail = excerpts.iter().map(|text| text.lines().map(ToOwned::to_owned).collect()).collect();
        Self { format: FORMAT.to_owned(), version: VERSION, document, signatures, trail }
    }

    /// Its text, as it is kept in a file.
    pub fn write(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether a file looks like one, by its first lines.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(&format!("{{\n  \"format\": \"{FORMAT}\""))
    }

    /// From its text.
    ///
    /// # Errors
    /// It is no signed copy, or not spelled as [`SignedCopy::write`] does.
    pub fn read(text: &str) -> Result<Self, String> {
        let copy: Self = serde_json::from_str(text).map_err(|e| format!("it is no signed copy of a document: {e}"))?;
        if copy.format != FORMAT || copy.version != VERSION {
            return Err(format!(
                "it names the form `{}` {}, this program reads `{FORMAT}` {VERSION}: use the Farero that wrote it",
                copy.format, copy.version
            ));
        }
        if copy.write() == text { Ok(copy) } else { Err("it is not spelled as Farero writes it".to_owned()) }
    }

    /// Verifies it: the text gives the hash, each signature stands in the trail, and the trail is whole and signed.
    pub fn verify(&self, trusted: &[PublicKey]) -> Report {
        let mut told: Vec<Told> = Vec::new();
        let mut out: Option<Report> = None;
        for excerpt in &self.trail {
            let report = verify_excerpt(excerpt, trusted, &mut told);
            out = Some(match out {
                None => report,
                Some(before) => before.and(report),
            });
        }
        let mut report = out.unwrap_or_else(|| Verifier::default().finish());
        for problem in self.contradictions(&told) {
            report.problems.add(problem);
        }
        report
    }

    fn contradictions(&self, told: &[Told]) -> Vec<Problem> {
        let mut out = Vec::new();
        let mut say = |what: String| out.push(Problem::Contradiction { what });
        let document = &self.document;
        if !same(&document.text, &document.sha256) {
            say(format!("the text of {} was changed: it does not give its hash", document.path));
        }
        if self.signatures.is_empty() {
            say("nobody has signed it".to_owned());
        }
        for signature in &self.signatures {
            let (who, number) = (&signature.person, signature.sequence);
            let entry = told.iter().find(|t| t.sequence == number && self.is_told_by(signature, &t.deed));
            match entry {
                None => say(format!(
                    "the trail's entry {number} does not say that {who} signed this text as {}",
                    signature.role
                )),
                Some(entry) if !entry.signed => {
                    say(format!("entry {number}, by which {who} signed, is covered by no checkpoint"));
                }
                Some(_) => {}
            }
        }
        out
    }

    fn is_told_by(&self, signature: &DocumentSignature, deed: &Deed) -> bool {
        let field = |name: &str| deed.change.iter().find(|c| c.field == name).and_then(|c| c.after.as_deref());
        let document = &self.document;
        deed.action == SIGN_ACTION
            && deed.outcome == Outcome::Done
            && deed.at == signature.at
            && deed.actor.name() == signature.person
            && deed.system == document.system
            && deed.object.kind == "document"
            && deed.object.name == document.path
            && deed.detail == signature.note
            && field("role") == Some(&signature.role)
            && field("title") == Some(&document.title)
            && field("sha256") == Some(&document.sha256.to_string())
    }
}

/// A deed of an excerpt, and whether a checkpoint covers it.
struct Told {
    sequence: u64,
    deed: Deed,
    signed: bool,
}

fn verify_excerpt(lines: &[String], trusted: &[PublicKey], told: &mut Vec<Told>) -> Report {
    let mut text = lines.join("\n");
    text.push('\n');
    let from = told.len();
    let keep = |line: &Line| {
        if let Line::Entry(entry) = line
            && let Ok(deed) = entry.deed()
        {
            told.push(Told { sequence: entry.sequence, deed, signed: false });
        }
    };
    // Reading from memory cannot fail.
    let report = export::read(text.as_bytes(), trusted, keep)
        .map_or_else(|_| Verifier::default().finish(), |verified| verified.report);
    for one in &mut told[from..] {
        one.signed = one.sequence <= report.signed_until;
    }
    report
}
