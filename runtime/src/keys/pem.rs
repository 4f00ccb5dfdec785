//! Public keys and certificates in PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)).

use jsonwebtoken::DecodingKey;
use pkcs1::RsaPublicKeyRef;
use x509_cert::{
    Certificate,
    der::{Decode, asn1::ObjectIdentifier},
    spki::SubjectPublicKeyInfoOwned,
};

use super::{
    KeyProblem, VerificationKey,
    key::{KeyKind, check_rsa},
};
use crate::error::ConfigError;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Parses every block of a PEM file. `name` says in an error where it came from.
///
/// # Errors
///
/// `pem` has no blocks, or one of them is a private key, or an unsupported or broken key.
pub(crate) fn parse(name: &str, pem: &[u8]) -> Result<Vec<VerificationKey>, ConfigError> {
    parse_blocks(pem).map_err(|problem| ConfigError::key(format!("{name} holds {problem}")))
}

fn parse_blocks(pem: &[u8]) -> Result<Vec<VerificationKey>, KeyProblem> {
    let blocks = pem::parse_many(pem).map_err(|_| KeyProblem::NotPem)?;
    if blocks.is_empty() {
        return Err(KeyProblem::NotPem);
    }
    blocks
        .iter()
        .map(|block| parse_block(block.tag(), block.contents()))
        .collect()
}

fn parse_block(tag: &str, der: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let broken = |_| KeyProblem::BrokenBlock(tag.to_owned());

    match tag {
        "PUBLIC KEY" => parse_key_info(&SubjectPublicKeyInfoOwned::from_der(der).map_err(broken)?),
        "CERTIFICATE" => {
            let certificate = Certificate::from_der(der).map_err(broken)?;
            parse_key_info(certificate.tbs_certificate().subject_public_key_info())
        }
        "RSA PUBLIC KEY" => parse_rsa(der),
        private if private.contains("PRIVATE KEY") => Err(KeyProblem::PrivatePem),
        other => Err(KeyProblem::UnsupportedBlock(other.to_owned())),
    }
}

fn parse_key_info(info: &SubjectPublicKeyInfoOwned) -> Result<VerificationKey, KeyProblem> {
    let bits = info
        .subject_public_key
        .as_bytes()
        .ok_or(KeyProblem::BrokenBitString)?;
    let curve = || {
        info.algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.decode_as::<ObjectIdentifier>().ok())
    };

    match info.algorithm.oid {
        RSA => parse_rsa(bits),
        EC => match curve() {
            Some(P256) => parse_point(bits, KeyKind::P256, 65),
            Some(P384) => parse_point(bits, KeyKind::P384, 97),
            Some(P521) => parse_point(bits, KeyKind::P521, 133),
            _ => Err(KeyProblem::UnsupportedCurve),
        },
        ED25519 if bits.len() == 32 => {
            VerificationKey::new(DecodingKey::from_ed_der(bits), KeyKind::Ed25519)
        }
        other => Err(KeyProblem::UnsupportedType(other)),
    }
}

fn parse_rsa(der: &[u8]) -> Result<VerificationKey, KeyProblem> {
    let key = RsaPublicKeyRef::from_der(der).map_err(|_| KeyProblem::BrokenRsa)?;
    check_rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
    VerificationKey::new(DecodingKey::from_rsa_der(der), KeyKind::Rsa)
}

fn parse_point(point: &[u8], kind: KeyKind, length: usize) -> Result<VerificationKey, KeyProblem> {
    if point.len() != length || point[0] != 4 {
        return Err(KeyProblem::CompressedPoint);
    }
    VerificationKey::new(DecodingKey::from_ec_der(point), kind)
}
