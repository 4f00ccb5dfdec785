use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use crate::Result;

pub(crate) const SECRET: &str = "the secret of the benchmarks, 32 bytes or more";

/// Later than every benchmark ends.
pub fn in_an_hour() -> SystemTime {
    SystemTime::now() + Duration::from_hours(1)
}

/// A good token.
///
/// # Errors
///
/// It expires before 1970.
pub fn token(subject: &str, expires_at: SystemTime) -> Result<String> {
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map(|since| since.as_secs_f64())
    };
    let claims = json!({
        "sub": subject,
        "jti": format!("token of {subject}"),
        "sid": format!("session of {subject}"),
        "iat": seconds(SystemTime::now())?,
        "exp": seconds(expires_at)?,
    });
    Ok(encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )?)
}
