//! Remembers a decoded header, so that it need not be decoded for every token.

use std::{borrow::Cow, sync::OnceLock};

use super::header::Header;
use crate::error::AuthError;

/// The header of the first token whose signature was good.
///
/// Until an issuer changes its key, it writes the same header into all of its tokens. A header says
/// only how to verify a token, and is compared as a whole; each token is still verified.
#[derive(Debug, Default)]
pub(super) struct KnownHeader(OnceLock<Known>);

#[derive(Debug)]
struct Known {
    /// The segment of the token, in base64url.
    encoded: Box<str>,
    header: Header,
}

impl KnownHeader {
    /// Returns the header that a segment of a token encodes.
    ///
    /// # Errors
    ///
    /// Returns those of [`Header::decode`].
    pub(super) fn decode(&self, encoded: &str) -> Result<Cow<'_, Header>, AuthError> {
        match self.0.get() {
            Some(known) if *known.encoded == *encoded => Ok(Cow::Borrowed(&known.header)),
            _ => Header::decode(encoded).map(Cow::Owned),
        }
    }

    /// Remembers a header, unless one is known already. Only that of a token whose signature is
    /// good: otherwise a client could choose which one is known.
    pub(super) fn remember(&self, encoded: &str, header: &Header) {
        self.0.get_or_init(|| Known {
            encoded: encoded.into(),
            header: header.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use futures_util::FutureExt;
    use jsonwebtoken::{EncodingKey, encode};
    use serde_json::{Value, json};

    use crate::{ErrorCode, Verifier};

    const SECRET: &str = "a secret of thirty-two bytes or more";

    fn verifier() -> Verifier {
        Verifier::builder().secret(SECRET).build().unwrap()
    }

    fn token(key_id: &str, secret: &str) -> String {
        let header = jsonwebtoken::Header {
            kid: Some(key_id.to_owned()),
            ..jsonwebtoken::Header::default()
        };
        let claims = json!({"sub": "1", "exp": 9_999_999_999_u64});
        encode(
            &header,
            &claims,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
        .unwrap()
    }

    fn verify(verifier: &Verifier, token: &str) -> Result<(), ErrorCode> {
        let verified = verifier.verify::<Value>(token).now_or_never().unwrap();
        verified.map(drop).map_err(|error| error.code())
    }

    fn known_key_id(verifier: &Verifier) -> Option<&str> {
        verifier.known_header.0.get()?.header.key_id.as_deref()
    }

    #[test]
    fn only_the_header_of_a_good_token_is_remembered() {
        let verifier = verifier();

        let forged = token("forged", "another secret of thirty-two bytes");
        let refusal = verify(&verifier, &forged);
        assert_eq!(refusal, Err(ErrorCode::TokenSignatureInvalid));
        assert_eq!(known_key_id(&verifier), None);

        assert_eq!(verify(&verifier, &token("first", SECRET)), Ok(()));
        assert_eq!(known_key_id(&verifier), Some("first"));
    }

    #[test]
    fn the_first_one_stays_and_others_are_verified_too() {
        let verifier = verifier();
        for key_id in ["first", "second", "first", "second"] {
            assert_eq!(verify(&verifier, &token(key_id, SECRET)), Ok(()));
            assert_eq!(known_key_id(&verifier), Some("first"));
        }
    }

    #[test]
    fn a_known_header_lets_no_other_header_in() {
        let verifier = verifier();
        let good = token("first", SECRET);
        assert_eq!(verify(&verifier, &good), Ok(()));
        let (header, rest) = good.split_once('.').unwrap();

        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none","kid":"first"}"#);
        for (other, refusal) in [
            (unsigned.as_str(), ErrorCode::TokenAlgorithmNotAllowed),
            ("", ErrorCode::TokenMalformed),
            (&header[1..], ErrorCode::TokenMalformed),
            (&header[..header.len() - 1], ErrorCode::TokenMalformed),
            (&format!("{header}A"), ErrorCode::TokenMalformed),
        ] {
            assert_eq!(verify(&verifier, &format!("{other}.{rest}")), Err(refusal));
        }
    }

    #[test]
    fn a_known_header_does_not_replace_the_signature() {
        let verifier = verifier();
        assert_eq!(verify(&verifier, &token("first", SECRET)), Ok(()));

        let forged = token("first", "another secret of thirty-two bytes");
        let refusal = verify(&verifier, &forged);
        assert_eq!(refusal, Err(ErrorCode::TokenSignatureInvalid));
    }
}
