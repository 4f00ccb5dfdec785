//! The cryptography backend of jsonwebtoken.

use std::sync::OnceLock;

use jsonwebtoken::crypto::CryptoProvider;

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
