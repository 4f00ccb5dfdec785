//! Verification of tokens, and the sources of keys.

mod claims;
mod issuers;
mod jwks_url;
mod oidc;
mod options;
mod providers;
mod reload;
mod revocations;
mod secrets;
mod tenants;
mod token_cache;
mod verifier;
mod warm_up;
