//! Shapes that values must have, made from a JSON Schema that schemars generated. Pure.
//!
//! Only what is generated from the plan's types is understood: `type`, `properties`, `additionalProperties`, `required`,
//! `enum`, `const`, `oneOf`, `anyOf`, `$ref`, `items`, `minimum`, `maximum`, `pattern`, `format`. Anything else is an
//! error when the shapes are made, which a test of the plan's types would show.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value as Json;

/// Number of a shape in [`Shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeId(usize);

/// All shapes of one schema.
#[derive(Clone, Debug)]
pub struct Shapes {
    all: Vec<Shape>,
    root: ShapeId,
}

/// What a value must be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Anything.
    Any,
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number within bounds.
    Number {
        /// Whether it must be whole.
        whole: bool,
        /// Least.
        min: Option<f64>,
        /// Most.
        max: Option<f64>,
    },
    /// A text.
    Text {
        /// Name of a format whose parser the caller knows.
        format: Option<Arc<str>>,
        /// What it must match.
        pattern: Option<Regex>,
    },
    /// One of these words.
    Words(Vec<Arc<str>>),
    /// A list of these.
    List(ShapeId),
    /// A map.
    Map(MapShape),
    /// One of several.
    Either(Vec<ShapeId>),
}

/// What a map must be.
#[derive(Clone, Debug)]
pub struct MapShape {
    /// Known keys.
    pub keys: IndexMap<Arc<str>, ShapeId>,
    /// Keys that must be there.
    pub required: Vec<Arc<str>>,
    /// Values of other keys; `None`: there must be no other keys.
    pub others: Option<ShapeId>,
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema uses `{0}`, which the plan's checker does not understand: extend plan_syntax::shape")]
pub struct ShapeError(String);

impl Shapes {
    /// From a schema.
    ///
    /// # Errors
    /// When the schema holds something that is not understood.
    pub fn new(schema: &Json) -> Result<Self, ShapeError> {
        let mut maker = Maker { schema, all: Vec::new(), definitions: HashMap::new() };
        let root = maker.shape(schema)?;
        Ok(Self { all: maker.all, root })
    }

    /// The shape of the whole.
    pub const fn root(&self) -> ShapeId {
        self.root
    }

    /// A shape by its number.
    pub fn get(&self, id: ShapeId) -> &Shape {
        self.all.get(id.0).unwrap_or(&Shape::Any)
    }
}

struct Maker<'s> {
    schema: &'s Json,
    all: Vec<Shape>,
    definitions: HashMap<&'s str, ShapeId>,
}

const UNDERSTOOD: &[&str] = &[
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "default",
    "examples",
    "type",
    "properties",
    "additionalProperties",
    "patternProperties",
    "required",
    "enum",
    "const",
    "oneOf",
    "anyOf",
    "items",
    "minimum",
    "maximum",
    "pattern",
    "format",
];

impl<'s> Maker<'s> {
    fn add(&mut self, shape: Shape) -> ShapeId {
        self.all.push(shape);
        ShapeId(self.all.len() - 1)
    }

    fn shape(&mut self, schema: &'s Json) -> Result<ShapeId, ShapeError> {
        let Some(object) = schema.as_object() else { return Ok(self.add(Shape::Any)) };
        if let Some(key) = object.keys().find(|k| !UNDERSTOOD.contains(&k.as_str())) {
            return Err(ShapeError(key.clone()));
        }
        if let Some(name) = object.get("$ref").and_then(Json::as_str) {
            return self.definition(name);
        }
        if let Some(word) = object.get("const").and_then(Json::as_str) {
            return Ok(self.add(Shape::Words(vec![word.into()])));
        }
        if let Some(words) = object.get("enum").and_then(Json::as_array) {
            let words = words.iter().filter_map(Json::as_str).map(Into::into).collect();
            return Ok(self.add(Shape::Words(words)));
        }
        if let Some(options) = object.get("oneOf").or_else(|| object.get("anyOf")).and_then(Json::as_array) {
            return self.either(options);
        }
        let types: Vec<&str> = match object.get("type") {
            Some(Json::String(one)) => vec![one],
            Some(Json::Array(many)) => many.iter().filter_map(Json::as_str).collect(),
            _ => return Ok(self.add(Shape::Any)),
        };
        let mut ids = Vec::new();
        for name in types {
            let shape = self.typed(name, schema)?;
            ids.push(self.add(shape));
        }
        match ids.as_slice() {
            [one] => Ok(*one),
            _ => Ok(self.add(Shape::Either(ids))),
        }
    }

    fn definition(&mut self, reference: &'s str) -> Result<ShapeId, ShapeError> {
        let name = reference.strip_prefix("#/$defs/").ok_or_else(|| ShapeError(reference.to_owned()))?;
        if let Some(id) = self.definitions.get(name) {
            return Ok(*id);
        }
        let schema = self.schema.get("$defs").and_then(|d| d.get(name));
        let schema = schema.ok_or_else(|| ShapeError(reference.to_owned()))?;
        // Room first, so that a definition may refer to itself.
        let id = self.add(Shape::Any);
        self.definitions.insert(name, id);
        let made = self.shape(schema)?;
        self.all[id.0] = self.all[made.0].clone();
        Ok(id)
    }

    fn either(&mut self, options: &'s [Json]) -> Result<ShapeId, ShapeError> {
        let words: Option<Vec<Arc<str>>> =
            options.iter().map(|o| o.get("const").and_then(Json::as_str).map(Into::into)).collect();
        if let Some(words) = words {
            return Ok(self.add(Shape::Words(words)));
        }
        let ids = options.iter().map(|o| self.shape(o)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.add(Shape::Either(ids)))
    }

    fn typed(&mut self, name: &str, schema: &'s Json) -> Result<Shape, ShapeError> {
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        Ok(match name {
            "null" => Shape::Null,
            "boolean" => Shape::Bool,
            "integer" | "number" => {
                Shape::Number { whole: name == "integer", min: bound("minimum"), max: bound("maximum") }
            }
            "string" => {
                let pattern = schema.get("pattern").and_then(Json::as_str);
                let pattern = pattern.map(|p| Regex::new(p).map_err(|_| ShapeError(p.to_owned()))).transpose()?;
                Shape::Text { format: schema.get("format").and_then(Json::as_str).map(Into::into), pattern }
            }
            "array" => match schema.get("items") {
                Some(items) => Shape::List(self.shape(items)?),
                None => Shape::List(self.add(Shape::Any)),
            },
            "object" => self.map(schema)?,
            other => return Err(ShapeError(other.to_owned())),
        })
    }

    fn map(&mut self, schema: &'s Json) -> Result<Shape, ShapeError> {
        let mut keys = IndexMap::new();
        for (key, value) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            keys.insert(key.as_str().into(), self.shape(value)?);
        }
        let required = schema.get("required").and_then(Json::as_array);
        let required = required.into_iter().flatten().filter_map(Json::as_str).map(Into::into).collect();
        let others = match schema.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(value) => Some(self.shape(value)?),
            None => Some(self.add(Shape::Any)),
        };
        Ok(Shape::Map(MapShape { keys, required, others }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_an_error() {
        let error = Shapes::new(&serde_json::json!({"type": "object", "not": {}})).unwrap_err();
        assert!(error.to_string().contains("`not`"));
        assert!(Shapes::new(&serde_json::json!({"$ref": "#/$defs/Gone"})).is_err());
    }

    #[test]
    fn definitions_may_refer_to_themselves() {
        let schema =
            serde_json::json!({"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "items": {"$ref": "#/$defs/T"}}}});
        assert!(matches!(Shapes::new(&schema).map(|s| s.get(s.root()).clone()), Ok(Shape::List(_))));
    }
}
