//! A token under construction.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    TestIssuer,
    signing_key::{SigningKey, random_bytes},
};
use crate::{OneOrMany, Setting};

/// A token that [`TestIssuer::token`] begins and [`sign`](Self::sign) returns.
///
/// A later call for the same claim replaces the earlier one.
///
/// ```
/// use socketioxide_jwt_auth::testing::TestIssuer;
///
/// let issuer = TestIssuer::new();
/// let token = issuer.token("1").claim("role", "admin").expires_in("5m").sign();
/// assert_eq!(token.split('.').count(), 3);
///
/// // Tokens that a server must refuse.
/// let expired = issuer.token("1").expired().sign();
/// let forged = issuer.token("1").forged().sign();
/// let unsigned = issuer.token("1").unsigned().sign();
/// ```
#[derive(Debug, Clone)]
#[must_use = "`sign` returns the token"]
pub struct TestToken {
    issuer: TestIssuer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature: Signature,
}

#[derive(Debug, Clone, Copy)]
enum Signature {
    Good,
    OfAnotherKey,
    Missing,
}

/// More than the longest leeway that can be configured, which is a day.
const LONG_AGO: Duration = Duration::from_hours(48);

const HOUR: Duration = Duration::from_hours(1);

impl TestToken {
    pub(super) fn new(issuer: TestIssuer, subject: impl Serialize) -> Self {
        let algorithm = issuer.algorithm();
        let token = Self {
            issuer,
            header: Map::new(),
            claims: Map::new(),
            signature: Signature::Good,
        };

        token
            .header("typ", "JWT")
            .header("alg", algorithm)
            .claim("sub", subject)
            .claim("jti", HEXLOWER.encode(&random_bytes::<16>()))
            .issued_at(SystemTime::now())
            .expires_in(HOUR)
    }

    /// Sets a claim.
    ///
    /// # Panics
    ///
    /// If the value cannot be written as JSON.
    #[track_caller]
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.insert(name.into(), to_json(value));
        self
    }

    /// Sets every claim of a JSON object or of a struct, and leaves the other claims as they are.
    ///
    /// ```
    /// use serde_json::json;
    /// use socketioxide_jwt_auth::testing::TestIssuer;
    ///
    /// let issuer = TestIssuer::new();
    /// let token = issuer.token("1").claims(json!({ "role": "admin", "groups": ["a", "b"] })).sign();
    /// # drop(token);
    /// ```
    ///
    /// # Panics
    ///
    /// If the claims cannot be written as a JSON object.
    #[track_caller]
    pub fn claims(mut self, claims: impl Serialize) -> Self {
        match to_json(claims) {
            Value::Object(claims) => self.claims.extend(claims),
            other => panic!("claims are a JSON object, and this is {other}"),
        }
        self
    }

    /// Removes a claim, such as one of the defaults: `sub`, `iat`, `exp` and `jti`.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets `iss`.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.claim("iss", issuer.into())
    }

    /// Sets `aud`: a string, or a list of several.
    pub fn audience(self, audience: impl OneOrMany) -> Self {
        let mut audience = audience.into_strings();
        if audience.len() == 1 {
            self.claim("aud", audience.remove(0))
        } else {
            self.claim("aud", audience)
        }
    }

    /// Sets `exp` to this time from now: a [`Duration`], or a string such as `"5m"`.
    ///
    /// # Panics
    ///
    /// If the string is not a duration.
    #[track_caller]
    pub fn expires_in(self, time: impl Setting<Duration>) -> Self {
        let time = match time.into_value("expires_in") {
            Ok(time) => time,
            Err(error) => panic!("{error}"),
        };
        self.expires_at(SystemTime::now() + time)
    }

    /// Sets `exp`, in whole seconds.
    pub fn expires_at(self, time: SystemTime) -> Self {
        self.claim("exp", seconds_since_1970(time))
    }

    /// Sets `iat`, in whole seconds.
    pub fn issued_at(self, time: SystemTime) -> Self {
        self.claim("iat", seconds_since_1970(time))
    }

    /// Sets `nbf`, in whole seconds. A server refuses the token before that time.
    pub fn not_before(self, time: SystemTime) -> Self {
        self.claim("nbf", seconds_since_1970(time))
    }

    /// Sets a member of the header, such as `kid` or `typ`. Setting `alg` does not change how the
    /// token is signed.
    ///
    /// # Panics
    ///
    /// If the value cannot be written as JSON.
    #[track_caller]
    pub fn header(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.header.insert(name.into(), to_json(value));
        self
    }

    /// Makes a token that expired two days ago: longer than any leeway.
    pub fn expired(self) -> Self {
        let expired = SystemTime::now() - LONG_AGO;
        self.issued_at(expired - HOUR).expires_at(expired)
    }

    /// Makes a token that is signed with another key of the same type.
    pub fn forged(mut self) -> Self {
        self.signature = Signature::OfAnotherKey;
        self
    }

    /// Makes a token without a signature, whose `alg` is `none`.
    pub fn unsigned(mut self) -> Self {
        self.signature = Signature::Missing;
        self.header("alg", "none")
    }

    /// Returns the signed token.
    pub fn sign(self) -> String {
        let [header, claims] = [self.header, self.claims]
            .map(|part| URL_SAFE_NO_PAD.encode(Value::Object(part).to_string()));
        let message = format!("{header}.{claims}");

        let key = self.issuer.key();
        let signature = match self.signature {
            Signature::Good => key.sign(message.as_bytes()),
            Signature::OfAnotherKey => {
                SigningKey::generate(key.algorithm()).sign(message.as_bytes())
            }
            Signature::Missing => Vec::new(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[track_caller]
fn to_json(value: impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(value) => value,
        Err(error) => panic!("the value cannot be written as JSON: {error}"),
    }
}

/// A time before 1970 counts as 1970.
fn seconds_since_1970(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
