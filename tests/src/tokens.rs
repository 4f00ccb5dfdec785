//! Tokens signed with HS256.

use std::{
    sync::Once,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    crypto::{self, CryptoProvider, aws_lc::DEFAULT_PROVIDER},
};
use serde_json::{Value, json};

/// The secret of most tests.
pub const SECRET: &str = "the secret of the tests, 32 bytes or more";

/// A secret that the servers of most tests do not accept.
pub const OTHER_SECRET: &str = "another secret that is long enough as well";

/// Chooses a backend of jsonwebtoken, which has no default if several are compiled in.
pub fn install_backend() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // It fails if a verifier has chosen one before.
        let _ = CryptoProvider::install_default(&DEFAULT_PROVIDER);
    });
}

/// Returns a good token for a subject.
pub fn token(subject: &str) -> String {
    token_expiring_in(3600, subject)
}

/// Returns a token that expires in this number of seconds, or has expired if it is negative.
pub fn token_expiring_in(seconds: i64, subject: &str) -> String {
    mint(
        &json!({ "sub": subject, "exp": seconds_from_now(seconds) }),
        SECRET,
    )
}

/// Returns a time in seconds since 1970.
///
/// # Panics
///
/// If the clock is before 1970.
pub fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is right")
        .as_secs();
    i64::try_from(now).expect("the clock is right") + seconds
}

/// Signs claims with HS256.
///
/// # Panics
///
/// If they cannot be signed.
pub fn mint(claims: &Value, secret: &str) -> String {
    install_backend();
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
        .expect("the claims can be signed")
}

/// Signs exactly this header and these claims with HS256, or with HS512 if that is the header's `alg`.
///
/// # Panics
///
/// If they cannot be signed.
pub fn signed_with_secret(header: &Value, claims: &Value, secret: &str) -> String {
    install_backend();
    let [header_part, claims] =
        [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header_part}.{claims}");
    let algorithm = match header["alg"].as_str() {
        Some("HS512") => Algorithm::HS512,
        _ => Algorithm::HS256,
    };
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature = crypto::sign(message.as_bytes(), &key, algorithm).expect("bytes can be signed");
    format!("{message}.{signature}")
}

/// Signs a header and a payload, both in base64url, with HS256.
///
/// # Panics
///
/// If they cannot be signed.
pub fn sign(header: &str, payload: &str, secret: &str) -> String {
    install_backend();
    let message = format!("{header}.{payload}");
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature =
        crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("bytes can be signed");
    format!("{message}.{signature}")
}
