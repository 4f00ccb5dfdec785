//! JSON Web Keys ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).

use std::{borrow::Cow, collections::HashSet, mem, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use pkcs1::{
    RsaPublicKeyRef,
    der::{Encode, asn1::UintRef},
};

use super::{
    VerificationKey,
    key::{KeyKind, check_rsa},
};
use crate::{
    error::ConfigError,
    json::{self, JsonError, ListReader, ObjectReader},
};

/// More keys than any issuer publishes, and few enough to look through for each token.
const MAX_KEYS: usize = 100;

/// The members that are used. What jsonwebtoken ignores is checked here: `use`, `key_ops`, `alg`, `crv`.
#[derive(Default)]
struct Jwk<'a> {
    kty: Option<Cow<'a, str>>,
    kid: Option<Cow<'a, str>>,
    r#use: Option<Cow<'a, str>>,
    key_ops: Option<Vec<Cow<'a, str>>>,
    alg: Option<Cow<'a, str>>,
    crv: Option<Cow<'a, str>>,
    n: Option<Cow<'a, str>>,
    e: Option<Cow<'a, str>>,
    x: Option<Cow<'a, str>>,
    y: Option<Cow<'a, str>>,
    k: Option<Cow<'a, str>>,
    has_private_member: bool,
    problem: Option<&'static str>,
}

/// The private members of every type of key but `oct` ([RFC 7518 §6](https://www.rfc-editor.org/rfc/rfc7518#section-6)),
/// and `priv` of the newer ones.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

const WRONG_TYPE: &str = "a member is missing or of a wrong type";

impl<'a> Jwk<'a> {
    /// Reads all members, so that a private one is noticed whatever else is wrong with the key.
    ///
    /// # Errors
    ///
    /// The text is not an object.
    fn read(json: &'a str) -> Result<Self, JsonError> {
        let mut jwk = Self::default();
        let mut object = ObjectReader::new(json)?;
        let mut seen = HashSet::new();
        while let Some(name) = object.next_name()? {
            let value = object.value()?;
            if let Err(problem) = jwk.add(&name, value) {
                jwk.problem.get_or_insert(problem);
            }
            if !seen.insert(name) {
                jwk.problem.get_or_insert("a member is there twice");
            }
        }
        Ok(jwk)
    }

    fn add(&mut self, name: &str, value: &'a str) -> Result<(), &'static str> {
        let member = match name {
            "kty" => &mut self.kty,
            "kid" => &mut self.kid,
            "use" => &mut self.r#use,
            "alg" => &mut self.alg,
            "crv" => &mut self.crv,
            "n" => &mut self.n,
            "e" => &mut self.e,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "k" => &mut self.k,
            "key_ops" if value != "null" => {
                self.key_ops = Some(json::strings(value).ok_or(WRONG_TYPE)?);
                return Ok(());
            }
            _ => {
                self.has_private_member |= PRIVATE_MEMBERS.contains(&name);
                return Ok(());
            }
        };
        if value != "null" {
            *member = Some(json::text(value).ok_or(WRONG_TYPE)?);
        }
        Ok(())
    }

    /// An `oct` key has no private members, but only what is read without a problem is one.
    fn is_private(&self) -> bool {
        let is_secret = self.problem.is_none() && self.kty.as_deref() == Some("oct");
        self.has_private_member && !is_secret
    }
}

/// What a set holds: the keys that can be used, and why each other one cannot.
struct ReadSet {
    usable: Vec<VerificationKey>,
    problems: Vec<String>,
}

impl ReadSet {
    fn into_usable(self) -> Result<Vec<VerificationKey>, String> {
        if !self.usable.is_empty() {
            return Ok(self.usable);
        }
        let problems = if self.problems.is_empty() { "the set is empty".to_owned() } else { self.problems.join("; ") };
        Err(format!("no usable key ({problems}); add one for signatures: RSA, EC (P-256, P-384) or Ed25519"))
    }
}

/// Reads a set that the operator configured: what is certainly a mistake is an error.
///
/// # Errors
///
/// A text that is no JWK Set, a private key, two keys with the same `kid`, or no usable key.
pub(crate) fn read_configured(name: &str, json: &str) -> Result<Vec<VerificationKey>, ConfigError> {
    let in_set = |problem: String| ConfigError::new(format!("{name}: {problem}"));
    let set = read_set(json, Trust::Configured).map_err(in_set)?;
    if let Some(problem) = set.problems.iter().find(|problem| problem.contains(PRIVATE_KEY)) {
        return Err(in_set(problem.clone()));
    }
    for problem in &set.problems {
        tracing::warn!(set = name, problem, "a key of the JWK Set is left out");
    }
    set.into_usable().map_err(in_set)
}

/// Reads a set that came over the network: its good keys count, whatever the others are.
///
/// # Errors
///
/// A text that is no JWK Set, two keys with the same `kid`, or no usable key: then the set is not taken.
#[cfg(feature = "jwks")]
pub(crate) fn read_fetched(json: &str) -> Result<Vec<VerificationKey>, String> {
    let set = read_set(json, Trust::Fetched)?;
    for problem in &set.problems {
        // Not a warning: many issuers publish their encryption keys too, in every answer.
        tracing::debug!(problem, "a key of the fetched JWK Set is left out");
    }
    set.into_usable()
}

/// Who wrote a set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    Configured,
    #[cfg(feature = "jwks")]
    Fetched,
}

const PRIVATE_KEY: &str =
    "a private key, which a server that only verifies must not have; publish the public members only";

fn read_set(json: &str, trust: Trust) -> Result<ReadSet, String> {
    let keys = split_set(json).map_err(|_| "not a JWK Set; it must look like {\"keys\": [...]}")?;
    if keys.len() > MAX_KEYS {
        return Err(format!("{} keys; at most {MAX_KEYS} are taken", keys.len()));
    }

    let mut read = ReadSet { usable: Vec::new(), problems: Vec::new() };
    for (position, json) in keys.into_iter().enumerate() {
        match read_key(json, trust) {
            Ok(key) => read.usable.push(key),
            // It may quote a member, and members have any length.
            Err(problem) => read.problems.push(format!("key {}: {problem:.300}", position + 1)),
        }
    }

    let mut ids = HashSet::new();
    if let Some(id) = read.usable.iter().filter_map(|key| key.id.as_ref()).find(|id| !ids.insert(*id)) {
        return Err(format!("two keys have the kid {id:?}; give each its own"));
    }
    Ok(read)
}

/// Returns the keys of a set, each as JSON text.
fn split_set(json: &str) -> Result<Vec<&str>, JsonError> {
    let mut set = ObjectReader::of_any_depth(json)?;
    let mut list = None;
    while let Some(name) = set.next_name()? {
        let value = set.value()?;
        if name == "keys" && list.replace(value).is_some() {
            return Err(JsonError::Malformed);
        }
    }
    if set.has_private_name() {
        return Err(JsonError::Malformed);
    }

    let mut list = ListReader::of_any_depth(list.ok_or(JsonError::Malformed)?)?;
    let mut keys = Vec::new();
    while let Some(key) = list.next_element()? {
        keys.push(key);
    }
    Ok(keys)
}

fn read_key(json: &str, trust: Trust) -> Result<VerificationKey, String> {
    let mut jwk = Jwk::read(json).map_err(|_| WRONG_TYPE)?;
    // First of all: a private key that is left out for another reason stands in the wrong place just the same.
    if jwk.is_private() {
        return Err(PRIVATE_KEY.to_owned());
    }
    if let Some(problem) = jwk.problem {
        return Err(problem.to_owned());
    }
    let kty = mem::take(&mut jwk.kty).ok_or(WRONG_TYPE)?;
    if jwk.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
        return Err("its use is not \"sig\"".to_owned());
    }
    if jwk.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|operation| operation == "verify")) {
        return Err("its key_ops do not include \"verify\"".to_owned());
    }
    let algorithm = match &jwk.alg {
        Some(alg) => Some(Algorithm::from_str(alg).map_err(|_| format!("its alg {alg:?} is not supported"))?),
        None => None,
    };
    let mut key = match &*kty {
        "RSA" => read_rsa(&jwk)?,
        "EC" => read_ec(&jwk)?,
        "OKP" => read_ed25519(&jwk)?,
        // A secret that anybody can fetch is none.
        "oct" if trust == Trust::Configured => read_secret(&jwk)?,
        other => return Err(format!("its kty {other:?} is not supported")),
    };
    if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
        return Err("its alg does not fit its type".to_owned());
    }
    key.id = jwk.kid.map(Cow::into_owned);
    key.algorithm = algorithm;
    Ok(key)
}

fn member(name: &str, encoded: Option<&Cow<'_, str>>) -> Result<Vec<u8>, String> {
    let encoded = encoded.ok_or_else(|| format!("its member {name} is missing"))?;
    URL_SAFE_NO_PAD.decode(&**encoded).map_err(|_| format!("its member {name} is not base64url"))
}

fn read_rsa(jwk: &Jwk<'_>) -> Result<VerificationKey, String> {
    let modulus = member("n", jwk.n.as_ref())?;
    let exponent = member("e", jwk.e.as_ref())?;
    check_rsa(&modulus, &exponent).map_err(|error| error.to_string())?;
    let der = pkcs1_der(&modulus, &exponent).ok_or("its n or e is not a number")?;
    VerificationKey::new(DecodingKey::from_rsa_der(&der), KeyKind::Rsa)
}

/// Some issuers write a leading zero octet, against RFC 7518 §6.3.1.1; `UintRef` leaves it out.
fn pkcs1_der(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let (modulus, public_exponent) = (UintRef::new(modulus).ok()?, UintRef::new(exponent).ok()?);
    RsaPublicKeyRef { modulus, public_exponent }.to_der().ok()
}

fn read_ec(jwk: &Jwk<'_>) -> Result<VerificationKey, String> {
    let (kind, length) = match jwk.crv.as_deref() {
        Some("P-256") => (KeyKind::P256, 32),
        Some("P-384") => (KeyKind::P384, 48),
        _ => return Err("its crv is not supported".to_owned()),
    };
    let (x, y) = (member("x", jwk.x.as_ref())?, member("y", jwk.y.as_ref())?);
    if x.len() != length || y.len() != length {
        return Err("its coordinates do not have the length of its curve".to_owned());
    }
    // SEC 1 §2.3.3: an uncompressed point.
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    VerificationKey::new(DecodingKey::from_ec_der(&point), kind)
}

fn read_ed25519(jwk: &Jwk<'_>) -> Result<VerificationKey, String> {
    if jwk.crv.as_deref() != Some("Ed25519") {
        return Err("its crv is not supported".to_owned());
    }
    let x = member("x", jwk.x.as_ref())?;
    // jsonwebtoken's rust_crypto backend panics at the first token if this length is another.
    if x.len() != 32 {
        return Err("its x does not have 32 bytes".to_owned());
    }
    VerificationKey::new(DecodingKey::from_ed_der(&x), KeyKind::Ed25519)
}

fn read_secret(jwk: &Jwk<'_>) -> Result<VerificationKey, String> {
    let secret = member("k", jwk.k.as_ref())?;
    let algorithm = AlgorithmFamily::Hmac.algorithms()[0];
    let key = VerificationKey::new(
        DecodingKey::from_secret(&secret),
        KeyKind::Secret { bits: secret.len() * 8, allow_weak: false },
    )?;
    if !key.fits(algorithm) {
        return Err(format!("its secret has {} bits, and HS256 needs 256 (RFC 7518 §3.2)", secret.len() * 8));
    }
    Ok(key)
}
