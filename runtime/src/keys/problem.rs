//! What can be wrong with a key.

use const_oid::ObjectIdentifier;

use crate::Algorithm;

/// Why a key cannot be used, and how to repair it. Its message follows the name of the place that
/// the key comes from, and never holds key material.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyProblem {
    #[error("a key that the cryptography backend cannot read; export it again")]
    RejectedByBackend,
    #[error(
        "an RSA key of {0} bits; RFC 7518 §3.3 asks for 2048 at least (and 8192 is the most). Make one with `openssl \
         genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`"
    )]
    RsaBits(usize),
    #[error("a P-521 key, and {0}")]
    P521Unavailable(&'static str),
    #[error("an RSA key with an unusable public exponent; the usual one is 65537")]
    RsaExponent,

    // PEM
    #[error(
        "no PEM public key{0}; it must contain `-----BEGIN PUBLIC KEY-----` (or RSA PUBLIC KEY, or, with the feature \
         `certificates`, CERTIFICATE)"
    )]
    NotPem(&'static str),
    #[error(
        "certificates of authorities only, each the issuer of another; put in the certificate of the key that signs \
         the tokens"
    )]
    NoLeaf,
    #[cfg(not(feature = "certificates"))]
    #[error(
        "a certificate, which needs the feature `certificates`: run `cargo add socketioxide-jwt-auth --features \
         certificates`, or put in the public key, made with `openssl x509 -in cert.pem -noout -pubkey`"
    )]
    CertificatesUnavailable,
    #[error("a broken {0} block; export the key again")]
    BrokenBlock(String),
    #[error(
        "a private key, which a server that only verifies must not have; put in the public one, made with `openssl \
         pkey -in private.pem -pubout`"
    )]
    PrivatePem,
    #[error("a block of the unsupported kind {0:?}; use PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")]
    UnsupportedBlock(String),
    #[error("a key with a broken bit string; export it again")]
    BrokenBitString,
    #[error("a broken RSA key; export it again")]
    BrokenRsa,
    #[error("an EC key on an unsupported curve; use P-256 (ES256), P-384 (ES384) or P-521 (ES512)")]
    UnsupportedCurve,
    #[error("an EC key in compressed form; export it with `-ec_conv_form uncompressed`")]
    CompressedPoint,
    #[error("a key of an unsupported type ({0}); use RSA, EC or Ed25519")]
    UnsupportedType(ObjectIdentifier),

    // Secrets
    #[error("is empty; make a good one with `{0}`")]
    EmptySecret(String),
    #[error(
        "is a PEM text, and with a public key as the secret anybody could sign; give it to public_key, and name the \
         algorithm of the private key, like RS256"
    )]
    PemAsSecret,
    #[error("is not valid {0}; encode it so, or change secret_encoding")]
    BadlyEncoded(&'static str),
    #[error(
        "has {bits} bits, and {algorithm} needs at least {needed} (RFC 7518 §3.2); make a good one with `{command}`. \
         (allow_weak_secret = true takes it as it is)"
    )]
    WeakSecret {
        bits: usize,
        algorithm: Algorithm,
        needed: usize,
        command: String,
    },

    // JWK Sets
    #[error("not a JWK Set; it must look like {{\"keys\": [...]}}")]
    NotJwkSet,
    #[error("{0} keys; at most {max} are taken", max = super::jwk::MAX_KEYS)]
    TooManyKeys(usize),
    #[error(
        "no usable key ({0}); add one for signatures: RSA, EC (P-256, P-384, P-521) or Ed25519"
    )]
    NoUsableKey(String),

    // Members of a JWK
    #[error("a member is missing or of a wrong type")]
    WrongMember,
    #[error("a member is there twice")]
    DuplicateMember,
    #[error(
        "a private key, which a server that only verifies must not have; publish the public members only"
    )]
    PrivateJwk,
    #[error("its use is not \"sig\"")]
    OtherUse,
    #[error("its key_ops do not include \"verify\"")]
    OtherKeyOps,
    #[error("its alg {0:?} is not supported")]
    UnsupportedAlg(String),
    #[error("its alg does not fit its type")]
    AlgOfOtherType,
    #[error("its kty {0:?} is not supported")]
    UnsupportedKty(String),
    #[error("its crv is not supported")]
    UnsupportedCrv,
    #[error("its member {0} is missing")]
    MissingMember(&'static str),
    #[error("its member {0} is not base64url")]
    NotBase64Url(&'static str),
    #[error("its n or e is not a number")]
    NotNumber,
    #[error("its coordinates do not have the length of its curve")]
    CoordinateLength,
    #[error("its x does not have 32 bytes")]
    Ed25519Length,
    #[error("its secret has {0} bits, and HS256 needs 256 (RFC 7518 §3.2)")]
    WeakJwkSecret(usize),
}
