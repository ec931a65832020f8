//! Trees into types, by serde. Pure.
//!
//! Meant for trees that the checker has passed; a failure then is a bug of Farero, and is still reported with its place.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

use crate::source::Span;
use crate::tree::{Map, Node, ScalarKind, Value};

/// Why a tree does not fit a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What does not fit.
    pub message: String,
    /// Where, as near as is known.
    pub span: Option<Span>,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), span: None }
    }
}

/// Reads a tree into a type.
///
/// # Errors
/// When the tree does not fit the type.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Misfit> {
    T::deserialize(Reader(node))
}

struct Reader<'n>(&'n Node);

impl Reader<'_> {
    fn at(self, error: Misfit) -> Misfit {
        Misfit { span: error.span.or(Some(self.0.span)), ..error }
    }

    fn any<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0.value {
            Value::Null { .. } => visitor.visit_unit(),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(map) => visitor.visit_map(Entries { entries: map.iter(), value: None }),
            Value::Open(_) | Value::Broken => Err(de::Error::custom("an open value is left in the tree")),
            Value::Scalar(scalar) => match scalar.kind {
                ScalarKind::Text => visitor.visit_str(&scalar.text),
                ScalarKind::Integer(n) => match u64::try_from(n) {
                    Ok(n) => visitor.visit_u64(n),
                    Err(_) => visitor.visit_i64(n),
                },
                ScalarKind::Float(n) if n.fract() == 0.0 && n.abs() < 9e15 => visitor.visit_i64(n as i64),
                ScalarKind::Float(n) => visitor.visit_f64(n),
                ScalarKind::Bool(b) => visitor.visit_bool(b),
            },
        }
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.any(visitor).map_err(|e| self.at(e))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.value {
            Value::Null { .. } => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.as_text() {
            Some(text) => {
                let word: StrDeserializer<'_, Misfit> = text.into_deserializer();
                visitor.visit_enum(word).map_err(|e| self.at(e))
            }
            None => Err(self.at(de::Error::custom("a word was expected"))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'n>(std::slice::Iter<'n, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|node| seed.deserialize(Reader(node)).map_err(|e| Reader(node).at(e))).transpose()
    }
}

struct Entries<'n> {
    entries: indexmap::map::Iter<'n, std::sync::Arc<str>, crate::tree::Entry>,
    value: Option<&'n Node>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((key, entry)) = self.entries.next() else { return Ok(None) };
        self.value = Some(&entry.node);
        let key: StrDeserializer<'_, Misfit> = (&**key).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        match self.value.take() {
            Some(node) => seed.deserialize(Reader(node)).map_err(|e| Reader(node).at(e)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// An empty tree, for plans without any file.
pub fn empty() -> Node {
    Node::new(Value::Map(Map::new()), Span::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, Sources};
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(untagged)]
    enum Short {
        Text(String),
        Full { url: String, tries: Option<u32> },
    }

    #[test]
    fn types_are_read_and_misfits_have_places() {
        let sources = Sources::new(&[SourceFile::new("p", "a: x\nb: {url: y, tries: 3}\nc: 7\n")], "");
        let root = crate::read(&sources, 0).root.unwrap();
        let misfit = from_node::<BTreeMap<String, Short>>(&root).unwrap_err();
        assert_eq!(misfit.span.map(|s| sources.slice(s)), Some("7"));
        let mut good = root;
        good.as_map_mut().unwrap().shift_remove("c");
        let read: BTreeMap<String, Short> = from_node(&good).unwrap();
        assert_eq!(read["b"], Short::Full { url: "y".into(), tries: Some(3) });
        assert_eq!(read["a"], Short::Text("x".into()));
    }
}
