//! The backend of jsonwebtoken.

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

/// Chooses the backend, unless the application has.
///
/// jsonwebtoken chooses by itself only if one backend is compiled in, and panics at the first token otherwise. Cargo
/// unifies features, so any other dependency can bring in the second one.
pub(super) fn install() {
    #[cfg(any(feature = "aws_lc_rs", feature = "rust_crypto"))]
    // An error says that one is installed already: the application's choice, or ours from an earlier call.
    let _ = CryptoProvider::install_default(&DEFAULT_PROVIDER);
}
