//! OpenTelemetry's metrics (OTLP): read, and translated into Prometheus's series. Pure.
//!
//! <https://opentelemetry.io/docs/specs/otlp/>. What becomes of names, labels and types is as in Prometheus's OTLP receiver, with
//! one addition: deltas are added up unless that is switched off.

mod continued;
mod delta;
pub mod grpc;
mod histograms;
mod json;
mod labels;
mod model;
mod names;
mod proto;
mod told;
mod translate;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use continued::Continued;
pub(crate) use delta::Deltas;
pub use names::Translation;
pub(crate) use told::Told;
use translate::{Otlp, Stored};

use crate::body::Packing;
use crate::limits::Reason;
use crate::wire::Writer as Wire;
use crate::writer::{Answer, SenderName, Writer};

/// Path of the HTTP endpoint of OTLP itself; Prometheus's is `/api/v1/otlp/v1/metrics`.
pub const PATH: &str = "/v1/metrics";

/// How requests are translated (Prometheus's section `otlp`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpOptions {
    /// `translation_strategy`.
    pub translation: Translation,
    /// `promote_resource_attributes`: these become labels of all series of their resource.
    pub promote: Vec<String>,
    /// `promote_all_resource_attributes`: all but `ignore`.
    pub promote_all: bool,
    /// `ignore_resource_attributes`.
    pub ignore: Vec<String>,
    /// `keep_identifying_resource_attributes`: `target_info` has them beside `job` and `instance`.
    pub keep_identifying: bool,
    /// `promote_scope_metadata`: `otel_scope_name` and so on become labels.
    pub scope_labels: bool,
    /// `convert_histograms_to_nhcb`: explicit histograms become native ones with custom bounds.
    pub custom_bounds: bool,
    /// `label_name_underscore_sanitization`.
    pub key_before_underscore: bool,
    /// `label_name_preserve_multiple_underscores`.
    pub keep_underscores: bool,
    /// Whether deltas are added up; otherwise they are refused.
    pub add_deltas: bool,
    /// Whether the attributes of a resource are written as `target_info`.
    pub target_info: bool,
}

impl Default for OtlpOptions {
    fn default() -> Self {
        Self {
            translation: Translation::default(),
            promote: Vec::new(),
            promote_all: false,
            ignore: Vec::new(),
            keep_identifying: false,
            scope_labels: false,
            custom_bounds: false,
            key_before_underscore: true,
            keep_underscores: true,
            add_deltas: true,
            target_info: true,
        }
    }
}

impl OtlpOptions {
    fn promotes(&self, name: &str) -> bool {
        let named = |all: &[String]| all.iter().any(|n| n == name);
        if self.promote_all { !named(&self.ignore) } else { named(&self.promote) }
    }
}

/// In which form a request came, and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Form {
    /// By the header `Content-Type`.
    ///
    /// # Errors
    /// The text that belongs to the status 415.
    pub fn of(content_type: &str) -> Result<Self, String> {
        match content_type.split(';').next().map(str::trim) {
            Some("application/x-protobuf") => Ok(Self::Protobuf),
            Some("application/json") => Ok(Self::Json),
            _ => Err(format!(
                "unsupported content type: {content_type}, supported: [application/json, application/x-protobuf]"
            )),
        }
    }

    /// The header `Content-Type` of the answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    /// The body of the answer: `ExportMetricsServiceResponse`, with what was not taken, or `google.rpc.Status`.
    pub fn answer(self, answer: &Answer) -> Vec<u8> {
        let (rejected, text) = (answer.rejected, answer.text.as_str());
        match (self, answer.status) {
            (Self::Protobuf, 200) => {
                let mut w = Wire::default();
                if rejected > 0 || !text.is_empty() {
                    w.message(1, |w| {
                        w.uint(1, rejected);
                        w.string(2, text);
                    });
                }
                w.finish()
            }
            (Self::Protobuf, status) => {
                let mut w = Wire::default();
                w.uint(1, u64::from(grpc::status_of(status)));
                w.string(2, text);
                w.finish()
            }
            (Self::Json, 200) if rejected == 0 && text.is_empty() => b"{}".to_vec(),
            (Self::Json, 200) => {
                let partial = serde_json::json!({"rejectedDataPoints": rejected.to_string(), "errorMessage": text});
                serde_json::json!({"partialSuccess": partial}).to_string().into_bytes()
            }
            (Self::Json, status) => {
                serde_json::json!({"code": grpc::status_of(status), "message": text}).to_string().into_bytes()
            }
        }
    }
}

impl Writer {
    /// Takes an OTLP request with metrics. `encoding` is the header `Content-Encoding`, empty when missing. The answer has the
    /// status 200 also when a part could not be taken; [`Form::answer`] tells the sender.
    pub fn otlp(
        &self,
        sender: impl Into<SenderName>,
        (form, encoding): (Form, &str),
        body: &[u8],
        options: &OtlpOptions,
        now_ms: i64,
    ) -> Answer {
        let sender = match self.sender(sender, now_ms) {
            Ok(sender) => sender,
            Err(answer) => return answer,
        };
        let packing = Packing::named(encoding).filter(|p| *p != Packing::Snappy);
        let Some(packing) = packing else {
            sender.counters().reject(Reason::Malformed, 1);
            let text =
                format!("unsupported compression: {encoding}. Only \"gzip\", \"zstd\" or no compression supported");
            return Answer::failed(415, text);
        };
        let mut answer = self.with_body(&sender, packing, body, |plain, scratch| {
            let read = match form {
                Form::Protobuf => proto::read(plain).map_err(|error| error.to_string()),
                Form::Json => json::read(plain),
            };
            let mut resources = match read {
                Ok(resources) => resources,
                Err(text) => {
                    sender.counters().reject(Reason::Malformed, 1);
                    return Answer::failed(400, text);
                }
            };
            let left_out = match options.add_deltas {
                true => {
                    sender.space.continued.lock().sweep(now_ms);
                    sender.space.deltas.lock().accumulate(&mut resources, sender.number, now_ms)
                }
                false => delta::LeftOut::default(),
            };
            sender.counters().reject(Reason::OutOfOrder, left_out.late);
            sender.counters().reject(Reason::Temporality, left_out.limit);
            let stored =
                self.reader.as_deref().map(|reader| Stored { reader, continued: &sender.space.continued, now_ms });
            let otlp = Otlp { resources, options, stored, told: &sender.space.told };
            let mut answer = self.take(&sender, &otlp, now_ms, scratch);
            tell(&mut answer, left_out);
            answer
        });
        // Some of it is stored: by the protocol that is a success, and the sender does not try again.
        let some = answer.written.samples + answer.written.histograms > 0;
        if answer.status == 400 && some {
            answer.status = 200;
        }
        answer
    }
}

fn tell(answer: &mut Answer, left_out: delta::LeftOut) {
    if !matches!(answer.status, 200 | 400) {
        return;
    }
    let all = [
        (left_out.late, "delta points lie before points that were added already".to_owned()),
        (left_out.limit, format!("delta points belong to more than {} streams", delta::STREAMS)),
    ];
    for (count, text) in all.into_iter().filter(|(count, _)| *count > 0) {
        answer.rejected += count;
        let line = format!("{count} {text}");
        if !answer.text.is_empty() {
            answer.text.push('\n');
        }
        answer.text.push_str(&line);
    }
}
