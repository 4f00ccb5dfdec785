use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use crate::Result;

pub(crate) const SECRET: &str = "the secret of the benchmarks, 32 bytes or more";

/// A token that expires in an hour, so that its timer outlives every benchmark.
///
/// # Errors
///
/// Never, unless the clock is before 1970.
pub fn hour_long_token(subject: &str) -> Result<String> {
    let expires_at = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_hours(1);
    let claims = json!({ "sub": subject, "exp": expires_at.as_secs() });
    Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}
