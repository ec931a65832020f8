//! Tests. Pure.
