//! What the cache saves, and what it never does.
//!
//! A forged token in the cache shows whether a signature is verified: it is accepted if, and only
//! if, the cache is asked.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::*;
use crate::{
    AuthError, ErrorCode, Issuer, KeyRequest, KeySet, KeySource, Revocation, Revocations, Verifier,
    VerifierBuilder,
    verify::{VerifierRules, rules::TokenRules},
};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/",
            $name
        ))
    };
}

const PUBLIC: &str = fixture!("ed25519.pem");
const OTHER_PUBLIC: &str = fixture!("ed25519-other.pem");
const SECRET: &str = "a secret of thirty-two bytes or more";
const FAR: u64 = 9_999_999_999;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn private_key() -> EncodingKey {
    let pem = fixture!("test-only-private-ed25519.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    EncodingKey::from_ed_der(&STANDARD.decode(base64).unwrap())
}

fn claims() -> Value {
    json!({"sub": "1", "exp": FAR, "iss": "a", "aud": "chat", "use": "access", "jti": "7", "iat": 1})
}

fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn sign_with(header: &Header, claims: &Value) -> String {
    crate::keys::install_backend();
    encode(header, claims, &private_key()).unwrap()
}

fn sign(claims: &Value) -> String {
    sign_with(&Header::new(Algorithm::EdDSA), claims)
}

/// Puts the signature of another token under a token.
fn forge(token: &str) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    let other = sign(&json!({"sub": "another one"}));
    let (_, signature) = other.rsplit_once('.').unwrap();
    format!("{message}.{signature}")
}

/// Returns the keys that the test has put there.
#[derive(Clone)]
struct Source(Arc<Mutex<Arc<KeySet>>>);

impl Source {
    fn new(pem: &str) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(
            KeySet::from_pem(pem).unwrap(),
        ))))
    }

    fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.0.lock().unwrap())
    }

    fn replace(&self, pem: &str) -> Arc<KeySet> {
        let keys = Arc::new(KeySet::from_pem(pem).unwrap());
        std::mem::replace(&mut self.0.lock().unwrap(), keys)
    }
}

impl KeySource for Source {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        Ok(self.current())
    }
}

fn builder(source: &Source) -> VerifierBuilder {
    let builder = Verifier::builder().keys(source.clone()).algorithm("EdDSA");
    builder
        .issuer("a")
        .audience("chat")
        .claim_values("use", "access")
        .token_cache(10)
}

fn verify_as<C: DeserializeOwned>(verifier: &Verifier, token: &str) -> Result<(), ErrorCode> {
    let verified = verifier.verify::<C>(token).now_or_never().unwrap();
    verified.map(drop).map_err(|error| error.code())
}

fn verify(verifier: &Verifier, token: &str) -> Result<(), ErrorCode> {
    verify_as::<Value>(verifier, token)
}

fn rules(verifier: &Verifier) -> &TokenRules {
    match &*verifier.rules {
        VerifierRules::Common(rules) => rules,
        VerifierRules::ByIssuer(_) => panic!("several issuers"),
    }
}

fn cache(verifier: &Verifier) -> &TokenCache {
    rules(verifier).token_cache.as_ref().unwrap()
}

impl TokenCache {
    fn len(&self) -> usize {
        self.lock().len()
    }
}

/// Puts a token into the cache that was never verified.
fn put(verifier: &Verifier, keys: &KeySet, token: &str) {
    let hash = TokenHash::new(keys.id(), token);
    cache(verifier).insert(hash, None, at(0));
}

#[test]
fn the_signature_of_a_token_in_the_cache_is_not_verified() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).build().unwrap();
    let forged = forge(&sign(&claims()));

    assert_eq!(
        verify(&verifier, &forged),
        Err(ErrorCode::TokenSignatureInvalid)
    );
    put(&verifier, &source.current(), &forged);
    assert_eq!(verify(&verifier, &forged), Ok(()));
    assert_eq!(verify(&verifier.clone(), &forged), Ok(()), "clones share");
}

#[test]
fn a_token_that_is_accepted_is_remembered_until_it_expires() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).leeway("10s").build().unwrap();
    let token = sign(&claims());
    let hash = TokenHash::new(source.current().id(), &token);

    assert_eq!(verify(&verifier, &token), Ok(()));
    assert_eq!(verify(&verifier, &token), Ok(()));
    assert_eq!(cache(&verifier).len(), 1);
    assert!(cache(&verifier).contains(&hash, at(FAR + 9)));
    assert!(!cache(&verifier).contains(&hash, at(FAR + 10)));
    assert_eq!(cache(&verifier).len(), 0);
}

#[test]
fn a_token_without_exp_is_remembered_too() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).required_claims([""; 0]).build().unwrap();
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("exp");

    assert_eq!(verify(&verifier, &sign(&claims)), Ok(()));
    assert_eq!(cache(&verifier).len(), 1);
}

#[test]
fn a_token_that_is_refused_is_not_remembered() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).build().unwrap();
    let token = sign(&claims());
    for refused in [
        forge(&token),
        format!("{token}A"),
        sign(&claims_with("exp", 1)),
        sign(&claims_with("iss", "b")),
        sign(&claims_with("use", "refresh")),
    ] {
        assert!(verify(&verifier, &refused).is_err());
        assert_eq!(cache(&verifier).len(), 0, "{refused}");
    }
}

#[test]
fn a_token_in_the_cache_must_pass_every_other_check() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).token_type("JWT").build().unwrap();
    let header = Header::new(Algorithm::EdDSA);
    let of_type = |kind: Option<&str>| Header {
        typ: kind.map(str::to_owned),
        ..header.clone()
    };

    for (header, claims, expected) in [
        (&header, claims(), Ok(())),
        (&header, claims_with("exp", 1), Err(ErrorCode::TokenExpired)),
        (
            &header,
            claims_with("nbf", FAR),
            Err(ErrorCode::TokenNotYetValid),
        ),
        (
            &header,
            claims_with("iss", "b"),
            Err(ErrorCode::TokenIssuerInvalid),
        ),
        (
            &header,
            claims_with("aud", "mail"),
            Err(ErrorCode::TokenAudienceInvalid),
        ),
        (
            &header,
            claims_with("use", "refresh"),
            Err(ErrorCode::TokenClaimsInvalid),
        ),
        (
            &of_type(Some("at+jwt")),
            claims(),
            Err(ErrorCode::TokenClaimsInvalid),
        ),
        (&of_type(None), claims(), Err(ErrorCode::TokenClaimsInvalid)),
    ] {
        let token = sign_with(header, &claims);
        put(&verifier, &source.current(), &token);
        assert_eq!(verify(&verifier, &token), expected, "{header:?} {claims}");
    }
}

#[test]
fn the_claims_are_parsed_each_time() {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(rename = "role")]
        _role: String,
    }

    let source = Source::new(PUBLIC);
    let verifier = builder(&source).build().unwrap();
    let token = sign(&claims());
    for _ in 0..2 {
        assert_eq!(verify(&verifier, &token), Ok(()));
        assert_eq!(
            verify_as::<Claims>(&verifier, &token),
            Err(ErrorCode::TokenClaimsInvalid)
        );
    }
}

#[tokio::test]
async fn a_store_of_revocations_is_asked_each_time() {
    let source = Source::new(PUBLIC);
    let store = Revocations::in_memory();
    let verifier = builder(&source).revocations(store.clone()).build().unwrap();
    let token = sign(&claims());
    assert_eq!(verify(&verifier, &token), Ok(()));

    store.revoke(Revocation::token("7")).await.unwrap();
    assert_eq!(cache(&verifier).len(), 1);
    assert_eq!(verify(&verifier, &token), Err(ErrorCode::TokenRevoked));
}

/// The algorithm is one that the key has, and that `algorithms` does not name.
#[test]
fn the_algorithm_and_the_key_are_chosen_each_time() {
    let source = Source::new(PUBLIC);
    let verifier = Verifier::builder()
        .keys(source.clone())
        .algorithm("ES256")
        .token_cache(10)
        .build()
        .unwrap();
    let token = sign(&json!({"exp": FAR}));
    put(&verifier, &source.current(), &token);
    assert_eq!(
        verify(&verifier, &token),
        Err(ErrorCode::TokenAlgorithmNotAllowed)
    );

    let named = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let keys = Arc::new(KeySet::from_jwks(named).unwrap());
    *source.0.lock().unwrap() = Arc::clone(&keys);
    let verifier = builder(&source).build().unwrap();
    let header = Header {
        kid: Some("b".to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let token = sign_with(&header, &claims());
    put(&verifier, &keys, &token);
    assert_eq!(verify(&verifier, &token), Err(ErrorCode::TokenKeyUnknown));
}

#[test]
fn a_token_counts_for_the_set_of_keys_that_verified_it_only() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).build().unwrap();
    let token = sign(&claims());
    assert_eq!(verify(&verifier, &token), Ok(()));

    let first = source.replace(OTHER_PUBLIC);
    assert_eq!(
        verify(&verifier, &token),
        Err(ErrorCode::TokenSignatureInvalid)
    );
    *source.0.lock().unwrap() = first;
    assert_eq!(verify(&verifier, &token), Ok(()));
}

/// The allocator may give the new set the address of the old one.
#[test]
fn a_set_is_another_one_after_the_old_one_was_dropped() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).build().unwrap();
    let forged = forge(&sign(&claims()));

    for _ in 0..100 {
        put(&verifier, &source.current(), &forged);
        drop(source.replace(PUBLIC));
        assert_eq!(
            verify(&verifier, &forged),
            Err(ErrorCode::TokenSignatureInvalid)
        );
    }
}

#[test]
fn only_the_clones_of_a_set_are_the_same_set() {
    let keys = KeySet::from_pem(PUBLIC).unwrap();
    let other = KeySet::from_pem(OTHER_PUBLIC).unwrap();
    assert_eq!(keys.clone().id(), keys.id());
    assert_ne!(other.id(), keys.id());
    assert_ne!(keys.clone().merge(other.clone()).id(), keys.id());
    assert_ne!(keys.merge(other.clone()).id(), other.id());
}

#[test]
fn every_part_of_a_token_counts() {
    let source = Source::new(PUBLIC);
    let verifier = builder(&source).build().unwrap();
    let token = sign(&claims());
    assert_eq!(verify(&verifier, &token), Ok(()));

    let parts: Vec<_> = token.split('.').collect();
    let admin = sign(&claims_with("sub", "admin"));
    let typed = sign_with(
        &Header {
            typ: None,
            ..Header::new(Algorithm::EdDSA)
        },
        &claims(),
    );
    let part = |token: &str, number| token.split('.').nth(number).unwrap().to_owned();

    for changed in [
        [&part(&typed, 0), parts[1], parts[2]].join("."),
        [parts[0], &part(&admin, 1), parts[2]].join("."),
        [parts[0], parts[1], &part(&admin, 2)].join("."),
    ] {
        assert_eq!(
            verify(&verifier, &changed),
            Err(ErrorCode::TokenSignatureInvalid),
            "{changed}"
        );
    }
}

#[test]
fn tokens_that_are_signed_with_a_secret_are_not_remembered() {
    let verifier = Verifier::builder()
        .secret(SECRET)
        .token_cache(10)
        .build()
        .unwrap();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = encode(&Header::default(), &json!({"exp": FAR}), &key).unwrap();
    assert_eq!(verify(&verifier, &token), Ok(()));
    assert_eq!(cache(&verifier).len(), 0);
}

#[test]
fn each_issuer_has_a_cache_of_its_own_size_or_of_the_common_one() {
    let issuer = |name: &str| Issuer::new(name).public_key(PUBLIC).algorithm("EdDSA");
    let issuers = [issuer("a").token_cache(1), issuer("b")];
    let verifier = Verifier::builder()
        .issuers(issuers)
        .token_cache(2)
        .build()
        .unwrap();
    let VerifierRules::ByIssuer(all) = &*verifier.rules else {
        panic!("one issuer")
    };
    let remembered = || {
        let mut sizes: Vec<_> = all
            .each()
            .map(|(name, rules)| (name, rules.token_cache.as_ref().unwrap().len()))
            .collect();
        sizes.sort_unstable();
        sizes
    };

    for number in 0..3 {
        for name in ["a", "b"] {
            let claims = json!({"exp": FAR, "iss": name, "sub": number.to_string()});
            assert_eq!(verify(&verifier, &sign(&claims)), Ok(()));
        }
        let of_b = if number == 0 { 1 } else { 2 };
        assert_eq!(remembered(), [("a", 1), ("b", of_b)]);
    }
}

#[test]
fn nothing_is_remembered_without_the_option() {
    let source = Source::new(PUBLIC);
    let verifier = Verifier::builder().keys(source).algorithm("EdDSA");
    let verifier = verifier.build().unwrap();
    assert!(rules(&verifier).token_cache.is_none());
    assert_eq!(verify(&verifier, &sign(&json!({"exp": FAR}))), Ok(()));
}

fn hash(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

fn remembered(cache: &TokenCache, now: SystemTime) -> Vec<u8> {
    (0..10)
        .filter(|number| cache.contains(&hash(*number), now))
        .collect()
}

#[test]
fn the_least_recently_used_token_is_forgotten_first() {
    let cache = TokenCache::new(3).unwrap();
    for number in 0..3 {
        cache.insert(hash(number), None, at(0));
    }
    assert!(cache.contains(&hash(0), at(0)));

    cache.insert(hash(3), None, at(0));
    assert_eq!(remembered(&cache, at(0)), [0, 2, 3]);
    cache.insert(hash(3), None, at(0));
    assert_eq!(cache.len(), 3, "a token has one entry");
}

#[test]
fn expired_tokens_are_forgotten_as_others_come() {
    let cache = TokenCache::new(10).unwrap();
    for number in 0..4 {
        cache.insert(hash(number), Some(at(100)), at(0));
    }
    cache.insert(hash(4), Some(at(100)), at(99));
    assert_eq!(cache.len(), 5);

    for (number, left) in [(5, 4), (6, 3), (7, 3), (8, 4)] {
        cache.insert(hash(number), Some(at(200)), at(100));
        assert_eq!(cache.len(), left, "{number}");
    }
    assert_eq!(remembered(&cache, at(100)), [5, 6, 7, 8]);
}

#[test]
fn the_cache_shows_its_size_only() {
    let cache = TokenCache::new(3).unwrap();
    cache.insert(hash(7), None, at(0));
    assert_eq!(format!("{cache:?}"), "TokenCache { max_tokens: 3, .. }");
}

#[test]
fn a_size_that_makes_no_sense_is_a_mistake_that_says_what_does() {
    for size in [0, MAX_TOKENS + 1, usize::MAX] {
        let builder = Verifier::builder().secret(SECRET).token_cache(size);
        let mistake = builder.build().unwrap_err().to_string();
        for part in [
            &format!("token_cache is {size}"),
            "1 to 1000000",
            "10000",
            "leave it out",
        ] {
            assert!(mistake.contains(part), "{part:?} is not in {mistake:?}");
        }
    }
    assert!(TokenCache::new(1).is_ok() && TokenCache::new(MAX_TOKENS).is_ok());
}
