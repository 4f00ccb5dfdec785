//! The three segments of a token, encoded and decoded.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use memchr::memchr_iter;
use serde::de::DeserializeOwned;

use super::{claims, malformed, token_cache::TokenHash};
use crate::error::AuthError;

/// The parts of the compact serialization ([RFC 7515
/// §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)).
pub(super) struct Segments<'a> {
    /// Header and payload, as they were signed.
    pub(super) message: &'a str,
    pub(super) header: &'a str,
    payload: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Segments<'a> {
    /// # Errors
    ///
    /// `token_malformed` unless the token has exactly two dots.
    pub(super) fn split(token: &'a str) -> Result<Self, AuthError> {
        let mut dots = memchr_iter(b'.', token.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(malformed(wrong_number_of_segments(token)));
        };
        Ok(Self {
            message: &token[..second],
            header: &token[..first],
            payload: &token[first + 1..second],
            signature: &token[second + 1..],
        })
    }

    /// Decodes the payload and the signature.
    ///
    /// # Errors
    ///
    /// `token_malformed`.
    pub(super) fn decode(&self) -> Result<DecodedSegments, AuthError> {
        let mut bytes = Vec::with_capacity(self.payload.len() + self.signature.len());
        let payload_end = decode_onto(&mut bytes, "payload", self.payload)?;
        decode_onto(&mut bytes, "signature", self.signature)?;

        Ok(DecodedSegments { bytes, payload_end })
    }
}

/// Decodes a segment onto the end of a buffer, and returns where it ends. Decodes strictly: no
/// padding, no white space, no bits beyond the last byte, so that a token has one spelling only.
///
/// # Errors
///
/// `token_malformed`, with the name of the segment in its detail.
pub(super) fn decode_onto(
    buffer: &mut Vec<u8>,
    name: &str,
    segment: &str,
) -> Result<usize, AuthError> {
    match URL_SAFE_NO_PAD.decode_vec(segment, buffer) {
        Ok(()) => Ok(buffer.len()),
        Err(_) => Err(malformed(format!(
            "the {name} {}",
            encoding_problem(segment)
        ))),
    }
}

/// Says what a string without two dots probably is.
fn wrong_number_of_segments(token: &str) -> String {
    match memchr_iter(b'.', token.as_bytes()).count() {
        0 => "this is not a JWT: the issuer may have sent an opaque token; ask it for a JWT, often by an `audience` or a \
             `resource` parameter"
            .to_owned(),
        4 => "this is an encrypted JWT (JWE), which has five segments; ask the issuer for a signed one".to_owned(),
        dots => format!("a JWT has three segments, and this has {}", dots + 1),
    }
}

/// Says why a segment is not base64url.
fn encoding_problem(segment: &str) -> &'static str {
    if segment.contains(char::is_whitespace) {
        "has white space in it; is there `Bearer ` before the token?"
    } else if segment.contains('=') {
        "is padded with `=`, and a JWT is base64url without padding"
    } else if segment.contains(['+', '/']) {
        "is base64 with `+` or `/`, and a JWT is base64url, which has `-` and `_`"
    } else {
        "is not base64url"
    }
}

/// The payload and the signature, decoded.
pub(super) struct DecodedSegments {
    /// The payload and after it the signature: one allocation for both.
    bytes: Vec<u8>,
    payload_end: usize,
}

impl DecodedSegments {
    /// Returns the payload, which is not verified yet.
    pub(super) fn payload(&self) -> Result<&str, AuthError> {
        str::from_utf8(&self.bytes[..self.payload_end]).map_err(|_| payload_is_not_utf8())
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.bytes[self.payload_end..]
    }

    /// Returns the payload, for a token whose signature was checked.
    ///
    /// # Errors
    ///
    /// `token_malformed` if the payload is not UTF-8.
    pub(super) fn into_payload(
        self,
        newly_verified: Option<Box<TokenHash>>,
    ) -> Result<SignedPayload, AuthError> {
        let mut bytes = self.bytes;
        bytes.truncate(self.payload_end);
        let json = String::from_utf8(bytes).map_err(|_| payload_is_not_utf8())?;

        Ok(SignedPayload {
            json,
            newly_verified,
        })
    }
}

fn payload_is_not_utf8() -> AuthError {
    malformed("the payload is not UTF-8")
}

/// A payload whose signature was checked.
pub(crate) struct SignedPayload {
    json: String,
    /// The token, if the cache is to remember it. Boxed, because this is moved for each token, and
    /// most have none.
    pub(super) newly_verified: Option<Box<TokenHash>>,
}

impl SignedPayload {
    pub(super) fn as_str(&self) -> &str {
        &self.json
    }

    /// Deserializes the claims as the application's type. They are not checked by it: see
    /// [`Verifier::check_claims`](super::Verifier::check_claims).
    pub(crate) fn deserialize<C: DeserializeOwned>(&self) -> Result<C, AuthError> {
        claims::deserialize(self.as_str())
    }
}
