//! What `#[jwt_auth]` accepts.

#![allow(dead_code, missing_docs, clippy::unused_async)]

mod aliases;
pub mod carried_attributes;
mod function_body;
mod macro_rules;
mod no_implicit_prelude;
mod options;
mod parameters;
mod raw_identifier;
mod reexport;
mod return_types;
