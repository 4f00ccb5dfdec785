//! HMAC secrets.

use base64::{
    Engine,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jsonwebtoken::DecodingKey;

use super::{
    KeyProblem, VerificationKey,
    key::{KeyKind, minimum_secret_bits},
};
use crate::{Algorithm, error::ConfigError, settings::written_setting};

/// How an HMAC secret is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// The bytes of the string are the secret.
    #[default]
    Utf8,
    /// Base64, with or without padding.
    Base64,
    /// Base64 with the alphabet for URLs, with or without padding.
    Base64Url,
    /// Hexadecimal.
    Hex,
}

written_setting! {
    SecretEncoding {
        "utf8" => Utf8,
        "base64" => Base64,
        "base64url" => Base64Url,
        "hex" => Hex,
    }
}

/// How secrets are decoded and checked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SecretRules {
    pub(crate) encoding: SecretEncoding,
    pub(crate) allow_weak: bool,
}

/// Decodes one HMAC secret. `name` says in an error where it came from.
///
/// # Errors
///
/// The secret is empty, badly encoded, or too short for one of the algorithms.
pub(crate) fn decode(
    name: &str,
    written: &[u8],
    rules: SecretRules,
    algorithms: &[Algorithm],
) -> Result<VerificationKey, ConfigError> {
    let describe = |problem: KeyProblem| ConfigError::key(format!("{name} {problem}"));

    let secret = decode_bytes(written, rules.encoding).map_err(describe)?;
    let bits = secret.len() * 8;
    check(&secret, rules, algorithms).map_err(describe)?;

    let kind = KeyKind::Secret {
        bits,
        allow_weak: rules.allow_weak,
    };
    VerificationKey::new(DecodingKey::from_secret(&secret), kind)
        .map_err(|problem| ConfigError::key(format!("{name} is {problem}")))
}

fn decode_bytes(written: &[u8], encoding: SecretEncoding) -> Result<Vec<u8>, KeyProblem> {
    let trimmed = written.trim_ascii();

    match encoding {
        SecretEncoding::Utf8 => Ok(written.to_vec()),
        SecretEncoding::Base64 => with_or_without_padding(&STANDARD)
            .decode(trimmed)
            .map_err(|_| KeyProblem::BadlyEncoded("base64")),
        SecretEncoding::Base64Url => with_or_without_padding(&URL_SAFE)
            .decode(trimmed)
            .map_err(|_| KeyProblem::BadlyEncoded("base64url")),
        SecretEncoding::Hex => {
            hex::decode(trimmed).map_err(|_| KeyProblem::BadlyEncoded("hexadecimal"))
        }
    }
}

fn check(secret: &[u8], rules: SecretRules, algorithms: &[Algorithm]) -> Result<(), KeyProblem> {
    if secret.is_empty() {
        return Err(KeyProblem::EmptySecret(command(256, rules.encoding)));
    }
    if is_pem(secret) {
        return Err(KeyProblem::PemAsSecret);
    }
    if rules.allow_weak {
        return Ok(());
    }

    let hmac = algorithms
        .iter()
        .copied()
        .filter(|algorithm| algorithm.is_hmac());
    let Some(algorithm) = hmac.max_by_key(|algorithm| minimum_secret_bits(*algorithm)) else {
        return Ok(());
    };
    let (bits, needed) = (secret.len() * 8, minimum_secret_bits(algorithm));
    if bits < needed {
        return Err(KeyProblem::WeakSecret {
            bits,
            algorithm,
            needed,
            command: command(needed, rules.encoding),
        });
    }
    Ok(())
}

/// Returns whether an HMAC secret is a public key in PEM: the other half of algorithm confusion
/// ([RFC 8725 §2.1](https://www.rfc-editor.org/rfc/rfc8725#section-2.1)).
fn is_pem(secret: &[u8]) -> bool {
    const MARK: &[u8] = b"-----BEGIN ";
    secret.windows(MARK.len()).any(|window| window == MARK)
}

fn with_or_without_padding(alphabet: &Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

/// Returns a command that makes a good secret.
fn command(bits: usize, encoding: SecretEncoding) -> String {
    let bytes = bits / 8;
    match encoding {
        SecretEncoding::Utf8 | SecretEncoding::Hex => format!("openssl rand -hex {bytes}"),
        SecretEncoding::Base64 => format!("openssl rand -base64 {bytes}"),
        SecretEncoding::Base64Url => format!("openssl rand -base64 {bytes} | tr '+/' '-_'"),
    }
}
