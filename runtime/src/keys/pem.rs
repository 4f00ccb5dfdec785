//! Public keys and certificates in PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)).

mod certificate;
mod repair;

use const_oid::ObjectIdentifier;
use jsonwebtoken::DecodingKey;

use super::{
    KeyProblem, VerificationKey,
    der::{KeyInfo, Parameters, RsaKey},
    key::{KeyKind, check_rsa},
};
use crate::error::ConfigError;
use certificate::Certificate;

/// Why a PEM cannot be parsed that has the beginning of a block.
const CUT_OFF: &str = ": a block is broken or cut off, export the key again";

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Parses every key of a PEM file. Of a chain of certificates, only the leaf is a key. `name` says
/// in an error where the file came from.
///
/// # Errors
///
/// `pem` has no blocks, or one of them is a private key, or an unsupported or broken key.
pub(crate) fn parse(name: &str, pem: &[u8]) -> Result<Vec<VerificationKey>, ConfigError> {
    parse_blocks(pem).map_err(|problem| ConfigError::key(format!("{name} holds {problem}")))
}

fn parse_blocks(written: &[u8]) -> Result<Vec<VerificationKey>, KeyProblem> {
    let pem = repair::find_pem(written)?;
    let blocks = pem::parse_many(&pem).map_err(|_| KeyProblem::NotPem(CUT_OFF))?;
    // The parser stops at a block that is cut off.
    if blocks.len() != repair::count_blocks(&pem) {
        return Err(KeyProblem::NotPem(CUT_OFF));
    }

    let blocks = blocks
        .iter()
        .map(|block| Block::parse(block.tag(), block.contents()))
        .collect::<Result<Vec<_>, _>>()?;
    let keys = blocks
        .iter()
        .filter(|block| !blocks.iter().any(|other| block.is_issuer_of(other)))
        .map(Block::parse_key)
        .collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(KeyProblem::NoLeaf);
    }
    Ok(keys)
}

/// A block of PEM, whose key is not parsed yet.
enum Block<'a> {
    Certificate(Certificate),
    KeyInfo(KeyInfo<'a>),
    Rsa(&'a [u8]),
}

impl<'a> Block<'a> {
    fn parse(tag: &str, der: &'a [u8]) -> Result<Self, KeyProblem> {
        match tag {
            "PUBLIC KEY" => KeyInfo::parse(der).map(Self::KeyInfo),
            "CERTIFICATE" => Certificate::parse(der).map(Self::Certificate),
            "RSA PUBLIC KEY" => Ok(Self::Rsa(der)),
            private if private.contains("PRIVATE KEY") => Err(KeyProblem::PrivatePem),
            other => Err(KeyProblem::UnsupportedBlock(other.to_owned())),
        }
    }

    fn parse_key(&self) -> Result<VerificationKey, KeyProblem> {
        match self {
            Self::Certificate(certificate) => {
                parse_key_info(&KeyInfo::parse(&certificate.key_info()?)?)
            }
            Self::KeyInfo(info) => parse_key_info(info),
            Self::Rsa(der) => parse_rsa(der),
        }
    }

    /// Returns whether this is the certificate of the authority that issued the other one. Its key
    /// signs certificates, not tokens.
    fn is_issuer_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Certificate(own), Self::Certificate(other)) => own.is_issuer_of(other),
            _ => false,
        }
    }
}

/// The parameters of RSA are NULL ([RFC 3279
/// §2.3.1](https://www.rfc-editor.org/rfc/rfc3279#section-2.3.1)), which some tools leave out, and
/// Ed25519 has none ([RFC 8410 §3](https://www.rfc-editor.org/rfc/rfc8410#section-3)).
fn parse_key_info(info: &KeyInfo<'_>) -> Result<VerificationKey, KeyProblem> {
    match (info.algorithm, &info.parameters) {
        (RSA, Parameters::Null | Parameters::Absent) => parse_rsa(info.key),
        (RSA, _) => Err(KeyProblem::BrokenRsa),
        (EC, Parameters::Identifier(P256)) => parse_point(info.key, KeyKind::P256, 65),
        (EC, Parameters::Identifier(P384)) => parse_point(info.key, KeyKind::P384, 97),
        (EC, Parameters::Identifier(P521)) => parse_point(info.key, KeyKind::P521, 133),
        (EC, _) => Err(KeyProblem::UnsupportedCurve),
        (ED25519, Parameters::Absent) if info.key.len() == 32 => {
            VerificationKey::new(DecodingKey::from_ed_der(info.key), KeyKind::Ed25519)
        }
        (ED25519, _) => Err(KeyProblem::BrokenBlock("PUBLIC KEY".to_owned())),
        (other, _) => Err(KeyProblem::UnsupportedType(other)),
    }
}

fn parse_rsa(der: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let key = RsaKey::parse(der).ok_or(KeyProblem::BrokenRsa)?;
    check_rsa(key.modulus, key.exponent)?;
    VerificationKey::new(DecodingKey::from_rsa_der(der), KeyKind::Rsa)
}

fn parse_point(point: &[u8], kind: KeyKind, length: usize) -> Result<VerificationKey, KeyProblem> {
    if point.len() != length || point[0] != 4 {
        return Err(KeyProblem::CompressedPoint);
    }
    VerificationKey::new(DecodingKey::from_ec_der(point), kind)
}
