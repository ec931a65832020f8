//! `ExportMetricsServiceRequest` from Protocol Buffers. Pure.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value as Json;

use super::model::{
    Attribute, Buckets, Data, Exemplar, Explicit, Exponential, Metric, Point, ResourceMetrics, ScopeMetrics, Summary,
    Temporality,
};
use super::value::{AnyValue, DEPTH, base64, object};
use crate::wire::{self, Field, Reader, Value, WireError};

type Read<T> = Result<T, WireError>;

/// The whole request.
pub(crate) fn read(bytes: &[u8]) -> Read<Vec<ResourceMetrics<'_>>> {
    let mut all = Vec::new();
    each(bytes, |field| {
        if field.number == 1 {
            all.push(resource_metrics(field.bytes()?)?);
        }
        Ok(())
    })?;
    Ok(all)
}

fn each<'a>(bytes: &'a [u8], mut take: impl FnMut(&Field<'a>) -> Read<()>) -> Read<()> {
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        take(&field)?;
    }
    Ok(())
}

fn text<'a>(field: &Field<'a>) -> Read<Cow<'a, str>> {
    field.str().map(Cow::Borrowed)
}

fn resource_metrics(bytes: &[u8]) -> Read<ResourceMetrics<'_>> {
    let mut out = ResourceMetrics::default();
    each(bytes, |field| {
        match field.number {
            1 => each(field.bytes()?, |field| {
                if field.number == 1 {
                    out.attributes.push(attribute(field)?);
                }
                Ok(())
            })?,
            2 => out.scopes.push(scope_metrics(field.bytes()?)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn scope_metrics(bytes: &[u8]) -> Read<ScopeMetrics<'_>> {
    let mut out = ScopeMetrics::default();
    each(bytes, |field| {
        match field.number {
            1 => each(field.bytes()?, |field| {
                match field.number {
                    1 => out.name = text(field)?,
                    2 => out.version = text(field)?,
                    3 => out.attributes.push(attribute(field)?),
                    _ => {}
                }
                Ok(())
            })?,
            2 => out.metrics.push(metric(field.bytes()?)?),
            3 => out.schema_url = text(field)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn metric(bytes: &[u8]) -> Read<Metric<'_>> {
    let mut out = Metric::default();
    each(bytes, |field| {
        match field.number {
            1 => out.name = text(field)?,
            2 => out.description = text(field)?,
            3 => out.unit = text(field)?,
            5 => out.data = Data::Gauge(points(field, number)?.0),
            7 => {
                let (points, temporality, monotonic) = points(field, number)?;
                out.data = Data::Sum { points, temporality, monotonic };
            }
            9 => {
                let (points, temporality, _) = points(field, explicit)?;
                out.data = Data::Histogram { points, temporality };
            }
            10 => {
                let (points, temporality, _) = points(field, exponential)?;
                out.data = Data::Exponential { points, temporality };
            }
            11 => out.data = Data::Summary(points(field, summary)?.0),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

type Points<'a, V> = (Vec<Point<'a, V>>, Temporality, bool);

fn points<'a, V>(field: &Field<'a>, read: fn(&'a [u8]) -> Read<Point<'a, V>>) -> Read<Points<'a, V>> {
    let (mut all, mut temporality, mut monotonic) = (Vec::new(), Temporality::Unspecified, false);
    each(field.bytes()?, |field| {
        match field.number {
            1 => all.push(read(field.bytes()?)?),
            2 => temporality = Temporality::numbered(field.uint()?),
            3 => monotonic = field.uint()? != 0,
            _ => {}
        }
        Ok(())
    })?;
    Ok((all, temporality, monotonic))
}

fn number(bytes: &[u8]) -> Read<Point<'_, f64>> {
    let mut out = Point::default();
    each(bytes, |field| {
        match field.number {
            2 => out.start_ns = field.fixed64()?,
            3 => out.t_ns = field.fixed64()?,
            4 => out.value = field.double()?,
            5 => out.exemplars.push(exemplar(field.bytes()?)?),
            6 => out.value = field.fixed64()? as i64 as f64,
            7 => out.attributes.push(attribute(field)?),
            8 => out.flags = field.uint()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn explicit(bytes: &[u8]) -> Read<Point<'_, Explicit>> {
    let mut out = Point::<Explicit>::default();
    each(bytes, |field| {
        match field.number {
            2 => out.start_ns = field.fixed64()?,
            3 => out.t_ns = field.fixed64()?,
            4 => out.value.count = field.fixed64()?,
            5 => out.value.sum = Some(field.double()?),
            6 => fixed64s(field, &mut out.value.counts)?,
            7 => wire::doubles(field, &mut out.value.bounds)?,
            8 => out.exemplars.push(exemplar(field.bytes()?)?),
            9 => out.attributes.push(attribute(field)?),
            10 => out.flags = field.uint()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn fixed64s(field: &Field<'_>, out: &mut Vec<u64>) -> Read<()> {
    let Value::Bytes(bytes) = field.value else {
        out.push(field.fixed64()?);
        return Ok(());
    };
    let (all, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(WireError::Truncated);
    }
    out.extend(all.iter().map(|b| u64::from_le_bytes(*b)));
    Ok(())
}

fn exponential(bytes: &[u8]) -> Read<Point<'_, Exponential>> {
    let mut out = Point::<Exponential>::default();
    each(bytes, |field| {
        match field.number {
            1 => out.attributes.push(attribute(field)?),
            2 => out.start_ns = field.fixed64()?,
            3 => out.t_ns = field.fixed64()?,
            4 => out.value.count = field.fixed64()?,
            5 => out.value.sum = Some(field.double()?),
            6 => out.value.scale = field.sint()? as i32,
            7 => out.value.zero_count = field.fixed64()?,
            8 => out.value.positive = buckets(field.bytes()?)?,
            9 => out.value.negative = buckets(field.bytes()?)?,
            10 => out.flags = field.uint()?,
            11 => out.exemplars.push(exemplar(field.bytes()?)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn buckets(bytes: &[u8]) -> Read<Buckets> {
    let mut out = Buckets::default();
    each(bytes, |field| {
        match field.number {
            1 => out.offset = field.sint()? as i32,
            2 => wire::unsigned(field, &mut out.counts)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn summary(bytes: &[u8]) -> Read<Point<'_, Summary>> {
    let mut out = Point::<Summary>::default();
    each(bytes, |field| {
        match field.number {
            2 => out.start_ns = field.fixed64()?,
            3 => out.t_ns = field.fixed64()?,
            4 => out.value.count = field.fixed64()?,
            5 => out.value.sum = field.double()?,
            6 => {
                let (mut quantile, mut value) = (0.0, 0.0);
                each(field.bytes()?, |field| {
                    match field.number {
                        1 => quantile = field.double()?,
                        2 => value = field.double()?,
                        _ => {}
                    }
                    Ok(())
                })?;
                out.value.quantiles.push((quantile, value));
            }
            7 => out.attributes.push(attribute(field)?),
            8 => out.flags = field.uint()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn exemplar(bytes: &[u8]) -> Read<Exemplar<'_>> {
    let mut out = Exemplar::default();
    each(bytes, |field| {
        match field.number {
            2 => out.t_ns = field.fixed64()?,
            3 => out.value = field.double()?,
            4 => out.span_id = hex(field.bytes()?),
            5 => out.trace_id = hex(field.bytes()?),
            6 => out.value = field.fixed64()? as i64 as f64,
            7 => out.attributes.push(attribute(field)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

/// Hexadecimal digits; nothing when all bytes are 0, which means that there is none.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    if bytes.iter().any(|b| *b != 0) {
        for byte in bytes {
            let _ = write!(out, "{byte:02x}");
        }
    }
    out
}

fn attribute<'a>(field: &Field<'a>) -> Read<Attribute<'a>> {
    let (key, value) = key_value(field.bytes()?, 0)?;
    Ok((Cow::Borrowed(key), value.text()))
}

fn key_value(bytes: &[u8], depth: usize) -> Read<(&str, AnyValue<'_>)> {
    let (mut key, mut value) = ("", AnyValue::Text(Cow::Borrowed("")));
    each(bytes, |field| {
        match field.number {
            1 => key = field.str()?,
            2 => value = any_value(field.bytes()?, depth)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((key, value))
}

fn any_value(bytes: &[u8], depth: usize) -> Read<AnyValue<'_>> {
    let mut out = AnyValue::Text(Cow::Borrowed(""));
    if depth >= DEPTH {
        return Ok(out);
    }
    each(bytes, |field| {
        match field.number {
            1 => out = AnyValue::Text(text(field)?),
            2 => out = AnyValue::Json(Json::Bool(field.uint()? != 0)),
            3 => out = AnyValue::Json(Json::from(field.int()?)),
            4 => {
                let v = field.double()?;
                let json = serde_json::Number::from_f64(v).map(Json::Number);
                out = json.map_or_else(|| AnyValue::Text(super::value::double_text(v).into()), AnyValue::Json);
            }
            5 => {
                let mut all = Vec::new();
                each(field.bytes()?, |field| {
                    if field.number == 1 {
                        all.push(any_value(field.bytes()?, depth + 1)?.json());
                    }
                    Ok(())
                })?;
                out = AnyValue::Json(Json::Array(all));
            }
            6 => {
                let mut members = Vec::new();
                each(field.bytes()?, |field| {
                    if field.number == 1 {
                        let (key, value) = key_value(field.bytes()?, depth + 1)?;
                        members.push((key.to_owned(), value.json()));
                    }
                    Ok(())
                })?;
                out = AnyValue::Json(object(members));
            }
            7 => out = AnyValue::Text(Cow::Owned(base64(field.bytes()?))),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}
