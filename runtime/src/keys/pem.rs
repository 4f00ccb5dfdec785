//! Public keys and certificates in PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)).

mod repair;

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
enum Block {
    Certificate(Box<Certificate>),
    KeyInfo(SubjectPublicKeyInfoOwned),
    Rsa(Vec<u8>),
}

impl Block {
    fn parse(tag: &str, der: &[u8]) -> Result<Self, KeyProblem> {
        let broken = |_| KeyProblem::BrokenBlock(tag.to_owned());

        match tag {
            "PUBLIC KEY" => SubjectPublicKeyInfoOwned::from_der(der)
                .map(Self::KeyInfo)
                .map_err(broken),
            "CERTIFICATE" => Certificate::from_der(der)
                .map(|certificate| Self::Certificate(Box::new(certificate)))
                .map_err(broken),
            "RSA PUBLIC KEY" => Ok(Self::Rsa(der.to_owned())),
            private if private.contains("PRIVATE KEY") => Err(KeyProblem::PrivatePem),
            other => Err(KeyProblem::UnsupportedBlock(other.to_owned())),
        }
    }

    fn parse_key(&self) -> Result<VerificationKey, KeyProblem> {
        match self {
            Self::Certificate(certificate) => {
                parse_key_info(certificate.tbs_certificate().subject_public_key_info())
            }
            Self::KeyInfo(info) => parse_key_info(info),
            Self::Rsa(der) => parse_rsa(der),
        }
    }

    /// Returns whether this is the certificate of the authority that issued the other one. Its key
    /// signs certificates, not tokens. A self-signed certificate has no authority.
    fn is_issuer_of(&self, other: &Self) -> bool {
        let (Self::Certificate(own), Self::Certificate(other)) = (self, other) else {
            return false;
        };
        let (own, other) = (own.tbs_certificate(), other.tbs_certificate());
        other.issuer() == own.subject() && other.issuer() != other.subject()
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
