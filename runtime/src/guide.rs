//! Guides: what to set for each provider of tokens, and what the crate tells the operator.

#[doc = include_str!("../docs/logs.md")]
pub mod logs {}

// The attributes of the page need the feature.
#[cfg_attr(feature = "jwks", doc = include_str!("../docs/providers.md"))]
#[cfg_attr(
    not(feature = "jwks"),
    doc = "Providers: this page is for the feature `jwks`."
)]
pub mod providers {}
