//! Schedules as people write them: `day at 02:00`, `week on monday`, `month on first sunday 01:00-05:00`. Pure.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema as JsonShape, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// When something is due, in the system's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule(String);

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> JsonShape {
        json_schema!({ "type": "string", "format": "schedule" })
    }
}
