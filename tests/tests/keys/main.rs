//! Verification of tokens, and where the keys come from.

mod claims;
mod jwks_url;
mod oidc;
mod tenants;
mod verifier;
