use jsonwebtoken::DecodingKey;
use pkcs1::RsaPublicKeyRef;
use x509_cert::{
    Certificate,
    der::{Decode, asn1::ObjectIdentifier},
    spki::SubjectPublicKeyInfoOwned,
};

use super::{
    VerificationKey,
    key::{KeyKind, check_rsa},
};
use crate::error::ConfigError;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Reads every block of a PEM text ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)). `name` says in an error where
/// it came from.
///
/// # Errors
///
/// No block, a private key, an unsupported or broken key. The text itself is never part of the error.
pub(crate) fn read(name: &str, text: &[u8]) -> Result<Vec<VerificationKey>, ConfigError> {
    let not_pem = || {
        ConfigError::new(format!(
            "{name} holds no PEM public key; it must contain `-----BEGIN PUBLIC KEY-----` (or RSA PUBLIC KEY, or CERTIFICATE)"
        ))
    };
    let blocks = pem::parse_many(text).map_err(|_| not_pem())?;
    if blocks.is_empty() {
        return Err(not_pem());
    }
    let keys = blocks.iter().map(|block| read_block(block.tag(), block.contents()));
    keys.collect::<Result<_, _>>().map_err(|problem| ConfigError::new(format!("{name} holds {problem}")))
}

fn read_block(tag: &str, der: &[u8]) -> Result<VerificationKey, String> {
    let broken = |_| format!("a broken {tag} block; export the key again");
    match tag {
        "PUBLIC KEY" => read_key_info(&SubjectPublicKeyInfoOwned::from_der(der).map_err(broken)?),
        "CERTIFICATE" => {
            let certificate = Certificate::from_der(der).map_err(broken)?;
            read_key_info(certificate.tbs_certificate().subject_public_key_info())
        }
        "RSA PUBLIC KEY" => read_rsa(der),
        private if private.contains("PRIVATE KEY") => {
            Err("a private key, which a server that only verifies must not have; put in the public one, made with \
             `openssl pkey -in private.pem -pubout`"
                .to_owned())
        }
        other => {
            Err(format!("a block of the unsupported kind {other:?}; use PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE"))
        }
    }
}

fn read_key_info(info: &SubjectPublicKeyInfoOwned) -> Result<VerificationKey, String> {
    let bits = info.subject_public_key.as_bytes().ok_or("a key with a broken bit string; export it again")?;
    let curve = || info.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    match info.algorithm.oid {
        RSA => read_rsa(bits),
        EC => match curve() {
            Some(P256) => read_point(bits, KeyKind::P256, 65),
            Some(P384) => read_point(bits, KeyKind::P384, 97),
            _ => Err("an EC key on an unsupported curve; use P-256 (ES256) or P-384 (ES384)".to_owned()),
        },
        ED25519 if bits.len() == 32 => VerificationKey::new(DecodingKey::from_ed_der(bits), KeyKind::Ed25519),
        other => Err(format!("a key of an unsupported type ({other}); use RSA, EC or Ed25519")),
    }
}

fn read_rsa(der: &[u8]) -> Result<VerificationKey, String> {
    let key = RsaPublicKeyRef::from_der(der).map_err(|_| "a broken RSA key; export it again")?;
    check_rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes()).map_err(|error| error.to_string())?;
    VerificationKey::new(DecodingKey::from_rsa_der(der), KeyKind::Rsa)
}

fn read_point(point: &[u8], kind: KeyKind, length: usize) -> Result<VerificationKey, String> {
    if point.len() != length || point[0] != 4 {
        return Err("an EC key in compressed form; export it with `-ec_conv_form uncompressed`".to_owned());
    }
    VerificationKey::new(DecodingKey::from_ec_der(point), kind)
}
