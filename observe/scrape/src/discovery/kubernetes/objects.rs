//! Objects of a cluster, as far as targets need them. Pure.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use crate::config::KubernetesRole;

/// Kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Node,
    Namespace,
    Pod,
    Service,
    Endpoints,
    EndpointSlice,
    Ingress,
    ReplicaSet,
    Job,
}

impl Kind {
    pub(super) const fn of(role: KubernetesRole) -> Self {
        match role {
            KubernetesRole::Node => Self::Node,
            KubernetesRole::Pod => Self::Pod,
            KubernetesRole::Service => Self::Service,
            KubernetesRole::Endpoints => Self::Endpoints,
            KubernetesRole::EndpointSlice => Self::EndpointSlice,
            KubernetesRole::Ingress => Self::Ingress,
        }
    }

    pub(super) const fn is_namespaced(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace)
    }

    /// API group and plural name.
    pub(super) const fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Node => ("/api/v1", "nodes"),
            Self::Namespace => ("/api/v1", "namespaces"),
            Self::Pod => ("/api/v1", "pods"),
            Self::Service => ("/api/v1", "services"),
            Self::Endpoints => ("/api/v1", "endpoints"),
            Self::EndpointSlice => ("/apis/discovery.k8s.io/v1", "endpointslices"),
            Self::Ingress => ("/apis/networking.k8s.io/v1", "ingresses"),
            Self::ReplicaSet => ("/apis/apps/v1", "replicasets"),
            Self::Job => ("/apis/batch/v1", "jobs"),
        }
    }
}

/// What all objects have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
    pub(super) owner_references: Vec<Owner>,
}

impl Meta {
    /// What made the object and looks after it.
    pub(super) fn controller(&self) -> Option<&Owner> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) controller: Option<bool>,
}

/// An object; of what differs between kinds the JSON is kept.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    pub(super) metadata: Meta,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

/// Nothing at all.
static NULL: Value = Value::Null;

impl Object {
    /// A part of the object: `spec`, `status`, …
    pub(super) fn part(&self, name: &str) -> &Value {
        self.rest.get(name).unwrap_or(&NULL)
    }

    /// A text in a part, `""` when it is not there.
    pub(super) fn text(&self, part: &str, key: &str) -> &str {
        text(self.part(part), key)
    }

    /// Leaves out what is never used and may be long.
    pub(super) fn slim(&mut self) {
        self.rest.remove("managedFields");
        if let Some(Value::Object(spec)) = self.rest.get_mut("spec") {
            for key in ["volumes", "tolerations", "affinity", "template"] {
                spec.remove(key);
            }
            for list in ["containers", "initContainers"] {
                for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    if let Value::Object(container) = container {
                        container.retain(|key, _| matches!(key.as_str(), "name" | "image" | "ports"));
                    }
                }
            }
        }
    }
}

/// A text of a JSON object, `""` when it is not there.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list in a JSON object.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Which watch brings an object: kind and namespace (all when `None`).
pub(super) type WatchKey = (Kind, Option<String>);

/// Objects by namespace and name.
type Objects = BTreeMap<(String, String), Object>;

/// All objects that are followed.
#[derive(Debug, Default)]
pub(super) struct World {
    lists: HashMap<WatchKey, Option<Objects>>,
}

impl World {
    /// A watch that will bring its list.
    pub(super) fn expect(&mut self, key: WatchKey) {
        self.lists.insert(key, None);
    }

    /// Whether every watch has brought its list.
    pub(super) fn is_complete(&self) -> bool {
        self.lists.values().all(Option::is_some)
    }

    pub(super) fn replace(&mut self, key: &WatchKey, objects: Vec<Object>) {
        let objects = objects.into_iter().map(|o| ((o.metadata.namespace.clone(), o.metadata.name.clone()), o));
        self.lists.insert(key.clone(), Some(objects.collect()));
    }

    pub(super) fn put(&mut self, key: &WatchKey, object: Object) {
        if let Some(Some(list)) = self.lists.get_mut(key) {
            list.insert((object.metadata.namespace.clone(), object.metadata.name.clone()), object);
        }
    }

    pub(super) fn remove(&mut self, key: &WatchKey, object: &Object) {
        if let Some(Some(list)) = self.lists.get_mut(key) {
            list.remove(&(object.metadata.namespace.clone(), object.metadata.name.clone()));
        }
    }

    /// All objects of a kind, sorted by namespace and name.
    pub(super) fn all(&self, kind: Kind) -> Vec<&Object> {
        let lists = self.lists.iter().filter(|((k, _), _)| *k == kind).filter_map(|(_, list)| list.as_ref());
        let mut out: Vec<&Object> = lists.flat_map(BTreeMap::values).collect();
        out.sort_by_key(|o| (&o.metadata.namespace, &o.metadata.name));
        out
    }

    pub(super) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        let key = (namespace.to_owned(), name.to_owned());
        let lists = self.lists.iter().filter(|((k, _), _)| *k == kind).filter_map(|(_, list)| list.as_ref());
        lists.into_iter().find_map(|list| list.get(&key))
    }
}
