//! HMAC secrets.

use base64::{
    Engine,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use data_encoding::HEXLOWER_PERMISSIVE;
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

/// Decodes an HMAC secret that the operator put into a variable or a file, and warns about what is
/// probably not part of it. `place` names the variable or the file.
///
/// # Errors
///
/// The secret is empty, badly encoded, or too short for one of the algorithms.
pub(crate) fn decode_from(
    place: &str,
    written: &[u8],
    rules: SecretRules,
    algorithms: &[Algorithm],
) -> Result<VerificationKey, ConfigError> {
    warn_about_ends(place, written, rules.encoding);
    let name = format!("the secret in {place}");
    decode(&name, written, rules, algorithms)
}

/// Warns if a secret begins or ends with what its author probably does not count as a part of it:
/// with such a secret every token is refused.
fn warn_about_ends(place: &str, written: &[u8], encoding: SecretEncoding) {
    let found = unusual_ends(written, encoding).join(" and ");
    if !found.is_empty() {
        tracing::warn!(
            place,
            found,
            "the secret is used as it is, with what is at its ends; remove that, unless the issuer's secret has it too"
        );
    }
}

fn unusual_ends(written: &[u8], encoding: SecretEncoding) -> Vec<&'static str> {
    if written.starts_with(&[0xff, 0xfe]) || written.starts_with(&[0xfe, 0xff]) {
        return vec!["the byte order mark of UTF-16 (save it as UTF-8)"];
    }
    // A secret of random bytes has any bytes at its ends.
    let Ok(text) = str::from_utf8(written) else {
        return Vec::new();
    };

    let mut found = Vec::new();
    let marked = text.strip_prefix('\u{feff}');
    if marked.is_some() {
        found.push("a byte order mark (save it as UTF-8 without it)");
    }

    let text = marked.unwrap_or(text);
    let trimmed = text.trim();
    if trimmed != text && encoding == SecretEncoding::Utf8 {
        found.push("white space or a line break");
    }
    if trimmed.ends_with("\\n") {
        found.push("a backslash and an n instead of a line break");
    }
    if is_quoted(trimmed) {
        found.push("quotes");
    }
    found
}

fn is_quoted(text: &str) -> bool {
    ['"', '\''].into_iter().any(|quote| {
        text.strip_prefix(quote)
            .is_some_and(|rest| rest.ends_with(quote))
    })
}

/// Returns the content of a file without the line break that editors and `echo` put at its end.
pub(crate) fn without_line_break(content: &[u8]) -> &[u8] {
    let line = content.strip_suffix(b"\n");
    line.map_or(content, |line| line.strip_suffix(b"\r").unwrap_or(line))
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
        SecretEncoding::Hex => HEXLOWER_PERMISSIVE
            .decode(trimmed)
            .map_err(|_| KeyProblem::BadlyEncoded("hexadecimal")),
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
