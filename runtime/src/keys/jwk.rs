//! JSON Web Keys ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).

use std::{borrow::Cow, collections::HashSet, fmt, mem};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;

use super::{
    KeyProblem, VerificationKey,
    der::RsaKey,
    key::{KeyKind, check_rsa},
};
use crate::{
    Algorithm,
    error::ConfigError,
    json::{self, JsonError, ListReader, ObjectReader},
};

/// More keys than any issuer publishes, and few enough to try each for every token.
pub(super) const MAX_KEYS: usize = 100;

/// How many characters are logged about the keys that are left out of one set.
const LONGEST_REPORT: usize = 1000;

/// Some editors put it at the beginning of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The members that are used. jsonwebtoken does not check `use`, `key_ops`, `alg` and `crv`, so
/// they are checked here.
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
    problem: Option<KeyProblem>,
}

/// The private members of all types of keys except `oct` ([RFC 7518
/// §6](https://www.rfc-editor.org/rfc/rfc7518#section-6)), and `priv` of the newer ones.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

impl<'a> Jwk<'a> {
    /// Parses all members, so that a private one is noticed whatever else is wrong with the key.
    ///
    /// # Errors
    ///
    /// `json` is not an object.
    fn parse(json: &'a str) -> Result<Self, JsonError> {
        let mut jwk = Self::default();
        let mut object = ObjectReader::new(json)?;
        let mut seen = HashSet::new();

        while let Some(name) = object.next_name()? {
            let value = object.value()?;
            if let Err(problem) = jwk.add(&name, value) {
                jwk.problem.get_or_insert(problem);
            }
            if !seen.insert(name) {
                jwk.problem.get_or_insert(KeyProblem::DuplicateMember);
            }
        }

        Ok(jwk)
    }

    fn add(&mut self, name: &str, value: &'a str) -> Result<(), KeyProblem> {
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
                self.key_ops = Some(json::strings(value).ok_or(KeyProblem::WrongMember)?);
                return Ok(());
            }
            _ => {
                self.has_private_member |= PRIVATE_MEMBERS.contains(&name);
                return Ok(());
            }
        };

        if value != "null" {
            *member = Some(json::string(value).ok_or(KeyProblem::WrongMember)?);
        }
        Ok(())
    }

    /// An `oct` key has no private members, but only a key without a problem counts as one.
    fn is_private(&self) -> bool {
        let is_secret = self.problem.is_none() && self.kty.as_deref() == Some("oct");
        self.has_private_member && !is_secret
    }
}

/// A parsed set: the keys that can be used, and the others.
struct ParsedSet {
    usable: Vec<VerificationKey>,
    left_out: Vec<LeftOut>,
}

/// A key that cannot be used.
struct LeftOut {
    /// Counted from 1.
    position: usize,
    id: Option<String>,
    problem: KeyProblem,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Members have any length, and a problem may quote one.
        let problem = self.problem.to_string();
        write!(formatter, "key {}: {problem:.300}", self.position)?;

        match &self.id {
            Some(id) => write!(formatter, " (kid {:.100})", format!("{id:?}")),
            None => Ok(()),
        }
    }
}

/// The keys of a set that can be used: one at least.
pub(crate) struct UsableKeys {
    pub(crate) keys: Vec<VerificationKey>,
    /// Which keys are left out and why, for the operator. `None` if all keys can be used.
    pub(crate) left_out: Option<String>,
}

impl ParsedSet {
    fn new(json: &str, trust: Trust) -> Result<Self, KeyProblem> {
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        let keys = split_set(json).map_err(|_| KeyProblem::NotJwkSet)?;
        if keys.len() > MAX_KEYS {
            return Err(KeyProblem::TooManyKeys(keys.len()));
        }

        let mut set = Self {
            usable: Vec::new(),
            left_out: Vec::new(),
        };
        for (position, json) in (1..).zip(keys) {
            set.add(position, json, trust);
        }

        Ok(set)
    }

    fn add(&mut self, position: usize, json: &str, trust: Trust) {
        let jwk = Jwk::parse(json);
        let id = jwk.as_ref().ok().and_then(|jwk| jwk.kid.as_deref());
        let id = id.map(str::to_owned);
        let key = jwk
            .map_err(|_| KeyProblem::WrongMember)
            .and_then(|jwk| parse_key(jwk, trust));

        match key {
            // An equal key would only be tried a second time.
            Ok(key) if self.usable.iter().any(|other| other.is_same(&key)) => {}
            Ok(key) => self.usable.push(key),
            Err(problem) => self.left_out.push(LeftOut {
                position,
                id,
                problem,
            }),
        }
    }

    /// # Errors
    ///
    /// The set has no usable key.
    fn into_usable(self) -> Result<UsableKeys, KeyProblem> {
        let problems: Vec<_> = self.left_out.iter().map(ToString::to_string).collect();
        let left_out = (!problems.is_empty()).then(|| problems.join("; "));

        if self.usable.is_empty() {
            let problems = left_out.unwrap_or_else(|| "the set is empty".to_owned());
            return Err(KeyProblem::NoUsableKey(problems));
        }
        Ok(UsableKeys {
            keys: self.usable,
            left_out,
        })
    }
}

/// Parses a set that the operator configured. Its good keys count, but a private key is an error.
///
/// # Errors
///
/// The string is not a JWK Set, or the set has a private key or no usable key.
pub(crate) fn parse_configured(
    name: &str,
    json: &str,
) -> Result<Vec<VerificationKey>, ConfigError> {
    let describe = |problem: &dyn fmt::Display| ConfigError::key(format!("{name}: {problem}"));
    let set = ParsedSet::new(json, Trust::Configured).map_err(|problem| describe(&problem))?;

    if let Some(key) = set
        .left_out
        .iter()
        .find(|key| matches!(key.problem, KeyProblem::PrivateJwk))
    {
        return Err(describe(key));
    }

    let usable = set.into_usable().map_err(|problem| describe(&problem))?;
    if let Some(left_out) = &usable.left_out {
        warn_of_left_out(name, left_out);
    }
    Ok(usable.keys)
}

/// Parses a set that was fetched: its good keys count, whatever the others are.
///
/// # Errors
///
/// The string is not a JWK Set, or the set has no usable key.
#[cfg(feature = "jwks")]
pub(crate) fn parse_fetched(json: &str) -> Result<UsableKeys, KeyProblem> {
    ParsedSet::new(json, Trust::Fetched)?.into_usable()
}

/// Tells the operator which keys of a set are left out. `place` names the set.
pub(crate) fn warn_of_left_out(place: &str, left_out: &str) {
    // There may be a hundred of them.
    let left_out: String = left_out.chars().take(LONGEST_REPORT).collect();
    tracing::warn!(
        set = place,
        left_out,
        "keys of the JWK Set are left out; the others are used"
    );
}

/// Where a set comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    Configured,
    #[cfg(feature = "jwks")]
    Fetched,
}

/// Returns the keys of a set, each as JSON.
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

fn parse_key(mut jwk: Jwk<'_>, trust: Trust) -> Result<VerificationKey, KeyProblem> {
    // Checked first: a private key must not be here, even if it is left out for another reason.
    if jwk.is_private() {
        return Err(KeyProblem::PrivateJwk);
    }
    if let Some(problem) = jwk.problem.take() {
        return Err(problem);
    }

    let kty = mem::take(&mut jwk.kty).ok_or(KeyProblem::WrongMember)?;
    if jwk.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
        return Err(KeyProblem::OtherUse);
    }
    if jwk
        .key_ops
        .as_ref()
        .is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
    {
        return Err(KeyProblem::OtherKeyOps);
    }
    let algorithm = match &jwk.alg {
        Some(alg) => Some(
            Algorithm::from_name(alg).ok_or_else(|| KeyProblem::UnsupportedAlg(alg.to_string()))?,
        ),
        None => None,
    };

    let mut key = match &*kty {
        "RSA" => parse_rsa(&jwk)?,
        "EC" => parse_ec(&jwk)?,
        "OKP" => parse_ed25519(&jwk)?,
        // A secret that anyone can fetch is not a secret.
        "oct" if trust == Trust::Configured => parse_secret(&jwk)?,
        other => return Err(KeyProblem::UnsupportedKty(other.to_owned())),
    };
    if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
        return Err(KeyProblem::AlgOfOtherType);
    }
    key.id = jwk.kid.map(Cow::into_owned);
    key.algorithm = algorithm;
    Ok(key)
}

fn decode_member(
    name: &'static str,
    encoded: Option<&Cow<'_, str>>,
) -> Result<Vec<u8>, KeyProblem> {
    let encoded = encoded.ok_or(KeyProblem::MissingMember(name))?;
    URL_SAFE_NO_PAD
        .decode(&**encoded)
        .map_err(|_| KeyProblem::NotBase64Url(name))
}

fn parse_rsa(jwk: &Jwk<'_>) -> Result<VerificationKey, KeyProblem> {
    let modulus = decode_member("n", jwk.n.as_ref())?;
    let exponent = decode_member("e", jwk.e.as_ref())?;
    check_rsa(&modulus, &exponent)?;
    // Some issuers write leading zeros, against RFC 7518 §6.3.1.1; they are left out.
    let der = RsaKey::new(&modulus, &exponent)
        .to_der()
        .ok_or(KeyProblem::NotNumber)?;
    VerificationKey::new(DecodingKey::from_rsa_der(&der), KeyKind::Rsa)
}

fn parse_ec(jwk: &Jwk<'_>) -> Result<VerificationKey, KeyProblem> {
    let (kind, length) = match jwk.crv.as_deref() {
        Some("P-256") => (KeyKind::P256, 32),
        Some("P-384") => (KeyKind::P384, 48),
        Some("P-521") => (KeyKind::P521, 66),
        _ => return Err(KeyProblem::UnsupportedCrv),
    };
    let (x, y) = (
        decode_member("x", jwk.x.as_ref())?,
        decode_member("y", jwk.y.as_ref())?,
    );
    if x.len() != length || y.len() != length {
        return Err(KeyProblem::CoordinateLength);
    }

    // SEC 1 §2.3.3: an uncompressed point.
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    VerificationKey::new(DecodingKey::from_ec_der(&point), kind)
}

fn parse_ed25519(jwk: &Jwk<'_>) -> Result<VerificationKey, KeyProblem> {
    if jwk.crv.as_deref() != Some("Ed25519") {
        return Err(KeyProblem::UnsupportedCrv);
    }
    let x = decode_member("x", jwk.x.as_ref())?;
    // jsonwebtoken's rust_crypto backend panics at the first token if this length is another.
    if x.len() != 32 {
        return Err(KeyProblem::Ed25519Length);
    }
    VerificationKey::new(DecodingKey::from_ed_der(&x), KeyKind::Ed25519)
}

fn parse_secret(jwk: &Jwk<'_>) -> Result<VerificationKey, KeyProblem> {
    let secret = decode_member("k", jwk.k.as_ref())?;
    let bits = secret.len() * 8;
    let kind = KeyKind::Secret {
        bits,
        allow_weak: false,
    };
    let key = VerificationKey::new(DecodingKey::from_secret(&secret), kind)?;
    if !key.fits(Algorithm::HS256) {
        return Err(KeyProblem::WeakJwkSecret(bits));
    }
    Ok(key)
}
