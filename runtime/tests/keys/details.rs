//! What the operator is told about each refused token, and what is never told.

use proptest::{collection::vec, prelude::*, sample::select};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use socketioxide_jwt_auth::{Verifier, VerifierBuilder};

use super::support::{Algorithm, EXP, SECRET, Signer, encode, jwk, key_set, named, verify};

fn builder() -> VerifierBuilder {
    Verifier::builder().secret(SECRET)
}

fn signer() -> Signer {
    Signer::new(Algorithm::HS256)
}

#[track_caller]
fn assert_told(builder: VerifierBuilder, token: &str, code: &str, detail: &str) {
    let error = verify(&builder.build().unwrap(), token).unwrap_err();
    assert_eq!(error.code(), code, "{token}");
    assert_eq!(error.detail(), Some(detail), "{token}");
}

/// The token of any header and payload.
fn signed(header: &str, payload: &str) -> String {
    signer().sign(header, payload)
}

fn with_claims(claims: &Value) -> String {
    signer().token(claims)
}

#[test]
fn a_string_that_is_not_a_jwt_is_told_by_its_form() {
    let good = with_claims(&json!({"exp": EXP}));
    let [header, payload, signature] = super::support::split(&good);
    for (token, detail) in [
        (
            "ya29.opaque".replace('.', "-"),
            "this is not a JWT: the issuer may have sent an opaque token; ask it for a JWT, often by an `audience` or a \
             `resource` parameter",
        ),
        (
            "a.b.c.d.e".to_owned(),
            "this is an encrypted JWT (JWE), which has five segments; ask the issuer for a signed one",
        ),
        ("a.b".to_owned(), "a JWT has three segments, and this has 2"),
        (
            "a.b.c.d".to_owned(),
            "a JWT has three segments, and this has 4",
        ),
        (
            format!("Bearer {good}"),
            "the header has white space in it; is there `Bearer ` before the token?",
        ),
        (
            format!("{header}==.{payload}.{signature}"),
            "the header is padded with `=`, and a JWT is base64url without padding",
        ),
        (
            format!("{header}.{payload}=.{signature}"),
            "the payload is padded with `=`, and a JWT is base64url without padding",
        ),
        (
            format!("{header}.{payload}.+{signature}"),
            "the signature is base64 with `+` or `/`, and a JWT is base64url, which has `-` and `_`",
        ),
        (
            format!("{header}.{payload}!.{signature}"),
            "the payload is not base64url",
        ),
        (
            format!("{}.{payload}.{signature}", encode([0xff])),
            "the header is not UTF-8",
        ),
        (
            format!("{}.{payload}.{signature}", encode("[]")),
            "the header is not a JSON object",
        ),
        (
            signed(r#"{"alg":"HS256"}"#, "[]"),
            "the payload is not a JSON object",
        ),
    ] {
        assert_told(builder(), &token, "token_malformed", detail);
    }
}

#[test]
fn a_header_is_told_by_its_member() {
    for (header, code, detail) in [
        ("{}", "token_malformed", "the header has no `alg`"),
        (
            r#"{"alg":5}"#,
            "token_malformed",
            "the header's `alg` is a number, and must be a valid string",
        ),
        (
            r#"{"alg":"HS256","kid":["a"]}"#,
            "token_malformed",
            "the header's `kid` is a list, and must be a valid string",
        ),
        (
            r#"{"alg":"HS256","alg":"HS256"}"#,
            "token_malformed",
            "`alg` is there twice in the header",
        ),
        (
            r#"{"alg":"HS256","a":1,"a":1}"#,
            "token_malformed",
            "a member of the header is there twice",
        ),
        (
            r#"{"alg":"dir","enc":"A256GCM"}"#,
            "token_malformed",
            "the header has `enc`, which is not supported",
        ),
        (
            r#"{"alg":"HS256","x5c":5}"#,
            "token_malformed",
            "a member of the header that is not used, such as `jwk` or `x5c`, has a wrong type",
        ),
        (
            r#"{"alg":"nOnE"}"#,
            "token_algorithm_not_allowed",
            "the token is not signed: its `alg` is \"none\"",
        ),
        (
            r#"{"alg":"HS1\n"}"#,
            "token_algorithm_not_allowed",
            "the token's `alg` is \"HS1\\n\", which is unknown",
        ),
        (
            r#"{"alg":"RS256"}"#,
            "token_algorithm_not_allowed",
            "the token is signed with RS256, and `algorithms` has \"HS256\", \"HS384\"",
        ),
    ] {
        let builder = builder().algorithms(["HS256", "HS384"]);
        assert_told(builder, &signed(header, "{}"), code, detail);
    }
}

#[test]
fn a_key_is_told_by_its_id() {
    let keys = [
        named(jwk(Algorithm::HS256), "a"),
        named(jwk(Algorithm::ES256), "ec"),
    ];
    let builder = || {
        Verifier::builder()
            .jwks(key_set(&keys))
            .algorithms(["HS256", "ES256"])
    };
    assert_told(
        builder(),
        &signed(r#"{"alg":"HS256","kid":"b"}"#, "{}"),
        "token_key_unknown",
        "no key for HS256 has the `kid` \"b\" of the token",
    );
    assert_told(
        builder(),
        &signed(r#"{"alg":"HS256","kid":"ec"}"#, "{}"),
        "token_algorithm_not_allowed",
        "the token is signed with HS256, and the key with its `kid` \"ec\" is for another algorithm",
    );
    let forged = Signer::foreign(Algorithm::HS256);
    assert_told(
        builder(),
        &forged.sign(r#"{"alg":"HS256","kid":"a"}"#, "{}"),
        "token_signature_invalid",
        "none of the keys for HS256 made the signature; the token's `kid` is \"a\"",
    );
    assert_told(
        builder(),
        &forged.sign(r#"{"alg":"HS256"}"#, "{}"),
        "token_signature_invalid",
        "none of the keys for HS256 made the signature; the token's `kid` is missing",
    );
}

#[test]
fn a_registered_claim_is_told_by_its_type() {
    let invalid = "token_claims_invalid";
    for (payload, code, detail) in [
        (
            json!({"exp": "tomorrow"}),
            invalid,
            "`exp` is a string, and must be a number of seconds since 1970, not below 0",
        ),
        (
            json!({"exp": -1}),
            invalid,
            "`exp` is a number, and must be a number of seconds since 1970, not below 0",
        ),
        (
            json!({"exp": EXP, "sub": 5}),
            invalid,
            "`sub` is a number, and must be a string; `numeric_subject = true` accepts integers",
        ),
        (
            json!({"exp": EXP, "sub": 5.5}),
            invalid,
            "`sub` is a number, and must be a string",
        ),
        (
            json!({"exp": EXP, "sub": {"name": "alice"}}),
            invalid,
            "`sub` is an object, and must be a string",
        ),
        (
            json!({"exp": EXP, "aud": [1]}),
            invalid,
            "`aud` is a list, and must be a string or a list of strings",
        ),
        (
            json!({"exp": EXP, "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
            invalid,
            "this is a logout token: its `events` are those of OpenID Connect Back-Channel Logout",
        ),
        (
            json!({"name": "alice"}),
            "token_claim_missing",
            "the token has no \"exp\", which `required_claims` has",
        ),
    ] {
        assert_told(builder(), &with_claims(&payload), code, detail);
    }

    assert_told(
        builder(),
        &signed(r#"{"alg":"HS256"}"#, r#"{"exp":1,"exp":2}"#),
        invalid,
        "`exp` is there twice",
    );
    assert_told(
        builder().numeric_subject(true),
        &with_claims(&json!({"exp": EXP, "sub": -5})),
        invalid,
        "`sub` is a number, and must be a string or an integer from 0 on, written with digits only",
    );
    assert_told(
        builder().required_claims(["a", "b", "c"]),
        &with_claims(&json!({"b": "alice"})),
        "token_claim_missing",
        "the token has no \"a\", \"c\", which `required_claims` has",
    );
}

#[test]
fn a_claim_with_demanded_values_is_told_without_its_value() {
    let builder = || {
        builder()
            .required_claims([""; 0])
            .claim_values("azp", ["web", "ios"])
            .claim_values("token_use", "access")
    };
    for (claims, detail) in [
        (
            json!({"azp": "other\n"}),
            "the claim \"azp\" is \"other\\n\", and `claim_values` has \"web\", \"ios\"",
        ),
        (
            json!({"azp": 5}),
            "the claim \"azp\" is a number, and `claim_values` has \"web\", \"ios\"",
        ),
        (
            json!({"azp": "web", "token_use": "alice"}),
            "the claim \"token_use\" is another string, and `claim_values` has \"access\"",
        ),
        (
            json!({"azp": "web", "token_use": ["alice"]}),
            "the claim \"token_use\" is a list, and `claim_values` has \"access\"",
        ),
        (
            json!({"azp": "web"}),
            "the claim \"token_use\" is missing, and `claim_values` has \"access\"",
        ),
    ] {
        assert_told(
            builder(),
            &with_claims(&claims),
            "token_claims_invalid",
            detail,
        );
    }
}

#[test]
fn times_are_told_in_seconds() {
    let error = verify(
        &builder().build().unwrap(),
        &with_claims(&json!({"exp": 0})),
    )
    .unwrap_err();
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with("`exp` was ")
            && detail.ends_with(" seconds ago, and the leeway is 60 seconds"),
        "{detail}"
    );

    let claims = json!({"exp": EXP, "nbf": EXP});
    let error = verify(&builder().build().unwrap(), &with_claims(&claims)).unwrap_err();
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with("`nbf` is in ")
            && detail.ends_with(" seconds, and the leeway is 60 seconds; are the clocks right?"),
        "{detail}"
    );
}

#[derive(Deserialize)]
#[allow(
    dead_code,
    reason = "only whether it can be deserialized is of interest"
)]
struct Claims {
    name: String,
    level: Option<u8>,
}

fn told<C: DeserializeOwned>(verifier: &Verifier, token: &str) -> Option<String> {
    use futures_util::FutureExt;

    let verified = verifier.verify::<C>(token).now_or_never().unwrap();
    let error = verified.err()?;
    Some(error.detail().unwrap_or_default().to_owned())
}

#[test]
fn a_claim_of_another_type_than_the_applications_is_told() {
    let verifier = builder().build().unwrap();
    for (claims, detail) in [
        (
            json!({"exp": EXP, "name": 5}),
            "the claim \"name\" is an integer, and the application's type expects a string",
        ),
        (
            json!({"exp": EXP}),
            "the application's type needs \"name\", which is not among the claims",
        ),
        (
            json!({"exp": EXP, "name": "alice", "level": "bob"}),
            "the claim \"level\" is a string, and the application's type expects u8",
        ),
    ] {
        let told = told::<Claims>(&verifier, &with_claims(&claims));
        assert_eq!(told.as_deref(), Some(detail));
    }
}

/// A value that is as personal as a value can be, and that no message has by itself.
fn personal() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("alice@private.example")),
        Just(json!("Private Alice")),
        Just(json!(5_551_234)),
        Just(json!(true)),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.prop_map(|value| json!({"alice private": value})),
        ]
    })
}

proptest! {
    #[test]
    fn no_detail_holds_a_segment_or_the_value_of_a_claim(
        claims in vec(
            (
                select(vec!["exp", "nbf", "iat", "sub", "jti", "events", "name", "level", "token_use", "email"]),
                personal(),
            ),
            0..6,
        ),
        numeric in any::<bool>(),
        valid_exp in any::<bool>(),
    ) {
        let verifier = builder()
            .required_claims(["email"])
            .numeric_subject(numeric)
            .claim_values("token_use", ["access", "service"])
            .build()
            .unwrap();
        let mut claims: Map<_, _> = claims
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if valid_exp {
            claims.insert("exp".to_owned(), EXP.into());
            claims.insert("token_use".to_owned(), "access".into());
        }
        let token = with_claims(&Value::Object(claims));

        for detail in [told::<Claims>(&verifier, &token), told::<Value>(&verifier, &token)] {
            let Some(detail) = detail else { continue };
            prop_assert!(!detail.is_empty());
            prop_assert!(detail.chars().count() < 1000);
            for value in ["alice", "Alice", "rivate", "555"].into_iter().chain(token.split('.')) {
                prop_assert!(!detail.contains(value), "{detail}");
            }
        }
    }
}
