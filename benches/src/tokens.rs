use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::Result;

pub(crate) const SECRET: &str = "the secret of the benchmarks, 32 bytes or more";

/// Later than every benchmark ends, in whole seconds.
pub fn in_an_hour() -> SystemTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    UNIX_EPOCH + Duration::from_secs(now.unwrap_or_default().as_secs()) + Duration::from_hours(1)
}

pub(crate) const PUBLIC_KEY: &str = include_str!("../keys/p256.pub.pem");

/// How the tokens of a server are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// With a secret.
    HS256,
    /// With a key pair on P-256.
    ES256,
    /// With a secret that no server knows.
    Forged,
}

/// A good token, signed with HS256.
///
/// # Errors
///
/// It expires before 1970.
pub fn token(subject: &str, expires_at: SystemTime) -> Result<String> {
    signed_token(Signature::HS256, subject, expires_at)
}

/// A token that is good, but for its signature if that is forged.
///
/// # Errors
///
/// It expires before 1970.
pub fn signed_token(signature: Signature, subject: &str, expires_at: SystemTime) -> Result<String> {
    let claims = json!({
        "sub": subject,
        "jti": format!("token of {subject}"),
        "sid": format!("session of {subject}"),
        "iat": SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
        "exp": numeric_date(expires_at)?,
    });
    let (algorithm, key) = match signature {
        Signature::HS256 => (
            Algorithm::HS256,
            EncodingKey::from_secret(SECRET.as_bytes()),
        ),
        Signature::Forged => (
            Algorithm::HS256,
            EncodingKey::from_secret(b"another secret, which the servers do not know"),
        ),
        Signature::ES256 => (
            Algorithm::ES256,
            EncodingKey::from_ec_pem(include_bytes!("../keys/p256.pem"))?,
        ),
    };
    Ok(encode(&Header::new(algorithm), &claims, &key)?)
}

/// Whole seconds as an integer, which is how issuers write them, and others with their decimals.
fn numeric_date(time: SystemTime) -> Result<Value> {
    let since = time.duration_since(UNIX_EPOCH)?;
    Ok(if since.subsec_nanos() == 0 {
        json!(since.as_secs())
    } else {
        json!(since.as_secs_f64())
    })
}
