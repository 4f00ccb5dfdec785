use base64::{
    Engine,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};

use super::{
    VerificationKey,
    key::{KeyKind, minimum_secret_bits},
};
use crate::{error::ConfigError, settings::written_setting};

/// How an HMAC secret is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// The bytes of the text are the secret.
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

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SecretSettings {
    pub(crate) encoding: SecretEncoding,
    pub(crate) allow_weak: bool,
}

/// Reads one HMAC secret. `name` says in an error where it came from.
///
/// # Errors
///
/// A secret that is empty, badly encoded, or too short for one of the algorithms.
pub(crate) fn read(
    name: &str,
    written: &[u8],
    settings: SecretSettings,
    algorithms: &[Algorithm],
) -> Result<VerificationKey, ConfigError> {
    let secret = decode(name, written, settings.encoding)?;
    if secret.is_empty() {
        return Err(ConfigError::new(format!("{name} is empty; {}", how_to_make(256, settings.encoding))));
    }
    if is_pem(&secret) {
        return Err(ConfigError::new(format!(
            "{name} is a PEM text, and with a public key as the secret anybody could sign; give it to public_key, and \
             name the algorithm of the private key, like RS256"
        )));
    }
    let bits = secret.len() * 8;
    if !settings.allow_weak {
        check_strength(name, bits, settings.encoding, algorithms)?;
    }
    let kind = KeyKind::Secret { bits, allow_weak: settings.allow_weak };
    VerificationKey::new(DecodingKey::from_secret(&secret), kind)
        .map_err(|problem| ConfigError::new(format!("{name} is {problem}")))
}

fn decode(name: &str, written: &[u8], encoding: SecretEncoding) -> Result<Vec<u8>, ConfigError> {
    let badly_encoded =
        |kind: &str| ConfigError::new(format!("{name} is not valid {kind}; encode it so, or change secret_encoding"));
    match encoding {
        SecretEncoding::Utf8 => Ok(written.to_vec()),
        SecretEncoding::Base64 => lenient(&STANDARD).decode(written.trim_ascii()).map_err(|_| badly_encoded("base64")),
        SecretEncoding::Base64Url => {
            lenient(&URL_SAFE).decode(written.trim_ascii()).map_err(|_| badly_encoded("base64url"))
        }
        SecretEncoding::Hex => hex::decode(written.trim_ascii()).map_err(|_| badly_encoded("hexadecimal")),
    }
}

/// The other half of algorithm confusion ([RFC 8725 §2.1](https://www.rfc-editor.org/rfc/rfc8725#section-2.1)).
fn is_pem(secret: &[u8]) -> bool {
    const MARK: &[u8] = b"-----BEGIN ";
    secret.windows(MARK.len()).any(|window| window == MARK)
}

/// A secret is written by a person: with or without padding.
fn lenient(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

fn check_strength(
    name: &str,
    bits: usize,
    encoding: SecretEncoding,
    algorithms: &[Algorithm],
) -> Result<(), ConfigError> {
    let hmac = algorithms.iter().filter(|algorithm| algorithm.family() == AlgorithmFamily::Hmac);
    let Some(strictest) = hmac.max_by_key(|algorithm| minimum_secret_bits(**algorithm)) else { return Ok(()) };
    let needed = minimum_secret_bits(*strictest);
    if bits >= needed {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "{name} has {bits} bits, and {strictest:?} needs at least {needed} (RFC 7518 §3.2); {}. \
         (allow_weak_secret = true takes it as it is)",
        how_to_make(needed, encoding)
    )))
}

fn how_to_make(bits: usize, encoding: SecretEncoding) -> String {
    let bytes = bits / 8;
    let command = match encoding {
        SecretEncoding::Utf8 | SecretEncoding::Hex => format!("openssl rand -hex {bytes}"),
        SecretEncoding::Base64 => format!("openssl rand -base64 {bytes}"),
        SecretEncoding::Base64Url => format!("openssl rand -base64 {bytes} | tr '+/' '-_'"),
    };
    format!("make a good one with `{command}`")
}
