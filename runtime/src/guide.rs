//! Guides: rights of users, providers of tokens, and what the crate tells the operator.

// Its routes need the feature.
#[cfg_attr(feature = "axum", doc = include_str!("../docs/authorisation.md"))]
#[cfg_attr(
    not(feature = "axum"),
    doc = "Authorisation: this page is for the feature `axum`."
)]
pub mod authorisation {}

#[doc = include_str!("../docs/logs.md")]
pub mod logs {}

// The attributes of the page need the feature.
#[cfg_attr(feature = "jwks", doc = include_str!("../docs/providers.md"))]
#[cfg_attr(
    not(feature = "jwks"),
    doc = "Providers: this page is for the feature `jwks`."
)]
pub mod providers {}
