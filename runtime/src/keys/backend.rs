//! The cryptography backend of jsonwebtoken.

use std::sync::OnceLock;

use jsonwebtoken::crypto::CryptoProvider;

use crate::Algorithm;

#[cfg(not(any(feature = "aws_lc_rs", feature = "rust_crypto")))]
compile_error!(
    "socketioxide-jwt-auth needs a cryptography backend: keep its default features, or add the feature `aws_lc_rs` \
     (fast) or `rust_crypto` (pure Rust)"
);

#[cfg(feature = "aws_lc_rs")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(all(feature = "rust_crypto", not(feature = "aws_lc_rs")))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

/// Installs the backend, unless the application has installed one. Returns whether this one is
/// installed.
///
/// jsonwebtoken installs one only if exactly one is compiled in, and panics at the first token
/// otherwise. Cargo unifies features, so any other dependency can compile in the second one.
pub(crate) fn install() -> bool {
    static IS_OURS: OnceLock<bool> = OnceLock::new();
    *IS_OURS.get_or_init(|| {
        #[cfg(any(feature = "aws_lc_rs", feature = "rust_crypto"))]
        return CryptoProvider::install_default(&DEFAULT_PROVIDER).is_ok();
        #[cfg(not(any(feature = "aws_lc_rs", feature = "rust_crypto")))]
        false
    })
}

/// Checks that tokens of this algorithm can be verified. ES512 needs aws-lc-rs itself, because
/// jsonwebtoken does not have it.
///
/// # Errors
///
/// Returns why it cannot, and how to repair that.
pub(crate) fn check(algorithm: Algorithm) -> Result<(), &'static str> {
    if algorithm != Algorithm::ES512 {
        return Ok(());
    }

    if !cfg!(feature = "aws_lc_rs") {
        return Err(
            "ES512 needs the feature aws_lc_rs of socketioxide-jwt-auth; switch it on, or \
                    let the issuer sign with ES384",
        );
    }
    if !install() {
        return Err(
            "ES512 needs the provider of the feature aws_lc_rs, and the application \
                    installed another one for jsonwebtoken; leave that out, or let the issuer \
                    sign with ES384",
        );
    }
    Ok(())
}
