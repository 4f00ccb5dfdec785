//! The verifier without a server, and tokens that only an attacker or a broken issuer makes.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use socketioxide_jwt_auth::{Action, AuthError, KeyRequest, KeySet, KeySource, Verifier};
use socketioxide_jwt_auth_tests::{
    Claims, Log, OTHER_SECRET, SECRET, authenticate, mint, seconds_from_now, sign, token,
};

fn verifier() -> Verifier {
    Verifier::builder().secret(SECRET).build().unwrap()
}

const GOOD_HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn good_payload() -> String {
    format!(r#"{{"sub":"ada","exp":{}}}"#, seconds_from_now(3600))
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Returns a token with a valid signature over any header and payload.
fn signed(header: &str, payload: &str) -> String {
    sign(&encode(header), &encode(payload), SECRET)
}

async fn code(token: &str) -> &'static str {
    match verifier().verify::<Claims>(token).await {
        Ok(_) => "good",
        Err(error) => error.code().as_str(),
    }
}

#[tokio::test]
async fn a_verifier_returns_the_claims_and_when_they_expire() {
    let expires = seconds_from_now(60);
    let verified = verifier()
        .verify::<Claims>(&mint(&json!({ "sub": "ada", "exp": expires }), SECRET))
        .await
        .unwrap();
    assert_eq!(verified.claims.sub, "ada");
    assert_eq!(
        verified.expires_at,
        Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(expires).unwrap()))
    );

    let undated = Verifier::builder()
        .secret(SECRET)
        .required_claims([""; 0])
        .build()
        .unwrap();
    let verified = undated
        .verify::<Value>(&mint(&json!({ "sub": "ada" }), SECRET))
        .await
        .unwrap();
    assert_eq!(
        (verified.claims, verified.expires_at),
        (json!({ "sub": "ada" }), None)
    );
}

#[tokio::test]
async fn the_verifier_of_a_middleware_checks_the_same_tokens() {
    let middleware = authenticate::middleware().unwrap();
    let verifier = middleware.verifier().clone();
    assert_eq!(
        verifier
            .verify::<Claims>(&token("ada"))
            .await
            .unwrap()
            .claims
            .sub,
        "ada"
    );

    let forged = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(60) }),
        OTHER_SECRET,
    );
    assert_eq!(
        verifier.verify::<Claims>(&forged).await.unwrap_err().code(),
        "token_signature_invalid"
    );
}

#[tokio::test]
async fn an_error_has_an_action() {
    let expired = mint(&json!({ "sub": "ada", "exp": 1 }), SECRET);
    let early = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600), "nbf": seconds_from_now(600) }),
        SECRET,
    );

    for (token, code, message, action) in [
        (
            expired.as_str(),
            "token_expired",
            "Your login has expired.",
            Action::Renew,
        ),
        (
            early.as_str(),
            "token_not_yet_valid",
            "Your login is not valid yet.",
            Action::Retry,
        ),
        ("blabla", "token_malformed", "Log in again.", Action::Login),
    ] {
        let error = verifier().verify::<Claims>(token).await.unwrap_err();
        assert_eq!(
            (
                error.code().as_str(),
                error.to_string().as_str(),
                error.action()
            ),
            (code, code, action)
        );
        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            json!({ "code": code, "message": message, "action": action.as_str() })
        );
    }
}

#[tokio::test]
async fn a_token_without_a_mistake_is_accepted() {
    assert_eq!(code(&signed(GOOD_HEADER, &good_payload())).await, "good");
    assert_eq!(
        code(&signed(
            r#"{"typ":"at+jwt","kid":"1","cty":"JWT","alg":"HS256"}"#,
            &good_payload()
        ))
        .await,
        "good"
    );
}

#[tokio::test]
async fn algorithms_that_are_not_allowed_are_refused() {
    for algorithm in [
        "none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "", "HS256 ",
    ] {
        let header = json!({ "alg": algorithm }).to_string();
        assert_eq!(
            code(&signed(&header, &good_payload())).await,
            "token_algorithm_not_allowed",
            "{algorithm}"
        );
    }

    let unsigned = format!(
        "{}.{}.",
        encode(r#"{"alg":"none"}"#),
        encode(good_payload())
    );
    assert_eq!(code(&unsigned).await, "token_algorithm_not_allowed");
}

#[tokio::test]
async fn invalid_headers_are_malformed() {
    let headers = [
        r#"{"typ":"JWT"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":256}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":{"HS256":null}}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"1","kid":"2"}"#,
        r#"{"alg":"HS256","kid":5}"#,
        r#"{"alg":"HS256"} "x""#,
        r#"["HS256"]"#,
        r#""HS256""#,
        "HS256",
        "null",
        "",
    ];
    for header in headers {
        assert_eq!(
            code(&signed(header, &good_payload())).await,
            "token_malformed",
            "{header}"
        );
    }
}

#[tokio::test]
async fn extensions_of_the_header_are_refused() {
    for extension in [
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":true"#,
        r#""zip":"DEF""#,
        r#""enc":"A256GCM""#,
    ] {
        let header = format!(r#"{{"alg":"HS256",{extension}}}"#);
        assert_eq!(
            code(&signed(&header, &good_payload())).await,
            "token_malformed",
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_key_in_the_token_itself_is_not_used() {
    let own_key = json!({ "kty": "oct", "k": encode(OTHER_SECRET) });
    let header = json!({ "alg": "HS256", "jwk": own_key }).to_string();
    let forged = sign(&encode(header), &encode(good_payload()), OTHER_SECRET);
    assert_ne!(code(&forged).await, "good");
    let header =
        json!({ "alg": "HS256", "jku": "https://evil.example.com/jwks.json", "kid": "/dev/null" })
            .to_string();
    let forged = sign(&encode(header), &encode(good_payload()), OTHER_SECRET);
    assert_eq!(code(&forged).await, "token_signature_invalid");
}

#[tokio::test]
async fn payloads_that_are_not_objects_are_malformed() {
    for payload in [
        "",
        "null",
        "5",
        r#""text""#,
        "[]",
        r#"[{"sub":"ada"}]"#,
        "{",
        r#"{"sub":"ada"}}"#,
        "\u{feff}{}",
    ] {
        assert_eq!(
            code(&signed(GOOD_HEADER, payload)).await,
            "token_malformed",
            "{payload}"
        );
    }

    let not_utf8 = sign(&encode(GOOD_HEADER), &encode(b"{\"sub\":\"\xff\"}"), SECRET);
    assert_eq!(code(&not_utf8).await, "token_malformed");
}

#[tokio::test]
async fn registered_claims_must_be_unambiguous() {
    let later = seconds_from_now(3600);
    for payload in [
        format!(r#"{{"sub":"ada","exp":1,"exp":{later}}}"#),
        format!(r#"{{"sub":"ada","exp":{later},"exp":1}}"#),
        format!(r#"{{"sub":"ada","sub":"grace","exp":{later}}}"#),
        format!(r#"{{"sub":"ada","exp":{later},"\u0065xp":{later}}}"#),
        format!(r#"{{"sub":"ada","exp":{later},"nbf":0,"nbf":0}}"#),
        format!(r#"{{"sub":"ada","exp":{later},"aud":"a","aud":"b"}}"#),
    ] {
        assert_eq!(
            code(&signed(GOOD_HEADER, &payload)).await,
            "token_claims_invalid",
            "{payload}"
        );
    }
}

#[tokio::test]
async fn a_token_has_one_spelling_only() {
    let good = token("ada");

    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let spellings = [
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{signature}\n"),
        format!("{header}\n.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}..{signature}"),
    ];

    for spelling in spellings {
        assert_eq!(code(&spelling).await, "token_malformed", "{spelling:?}");
    }
}

#[tokio::test]
async fn a_token_with_a_changed_byte_is_refused() {
    let good = token("ada");
    for position in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        // Another letter of base64url, whose last bits differ too.
        bytes[position] = if bytes[position] == b'A' { b'f' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_ne!(code(&changed).await, "good", "position {position}");
    }
    assert_eq!(code(&good).await, "good");
}

#[tokio::test]
async fn a_truncated_signature_is_refused() {
    let good = token("ada");
    let message = good.rsplit_once('.').unwrap().0;
    assert_eq!(
        code(&format!("{message}.")).await,
        "token_signature_invalid"
    );
    assert_eq!(
        code(&good[..good.len() - 3]).await,
        "token_signature_invalid"
    );
}

#[tokio::test]
async fn a_claim_nested_without_end_is_refused() {
    let deep = format!(r#"{{"sub":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    assert_eq!(
        code(&signed(GOOD_HEADER, &deep)).await,
        "token_claims_invalid"
    );
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let shown = format!("{:?} {:?}", verifier(), authenticate::builder());
    let shown = format!("{shown} {:?}", authenticate::middleware().unwrap());
    assert!(
        shown.contains("Verifier") && shown.contains("HS256"),
        "{shown}"
    );
    assert!(
        !shown.contains(SECRET) && !shown.contains(&format!("{:?}", SECRET.as_bytes())),
        "{shown}"
    );
}

/// As for a connection: an HTTP route must not be torn down by the application's own source.
#[tokio::test]
async fn a_key_source_that_panics_is_an_internal_error() {
    struct Broken;

    impl KeySource for Broken {
        async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
            panic!("this is the test's own")
        }
    }

    let verifier = Verifier::builder()
        .keys(Broken)
        .algorithm("HS256")
        .build()
        .unwrap();
    let error = verifier
        .verify::<serde_json::Value>(&token("ada"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "internal_error");
}

#[test]
fn the_keys_that_are_left_out_of_a_configured_set_are_told_once() {
    let log = Log::capture();
    let secret = URL_SAFE_NO_PAD.encode(SECRET);
    let set = |keys: &Value| json!({ "keys": keys }).to_string();
    let good = json!({ "kty": "oct", "k": secret });
    let keys = json!([
        { "kty": "RSA", "kid": "old\n1", "n": "AQAB", "e": "AQAB" },
        good,
        good,
        { "kty": "AKP", "alg": "ML-DSA-44", "kid": "x".repeat(500) },
    ]);

    Verifier::builder()
        .jwks(set(&keys))
        .algorithm("HS256")
        .build()
        .unwrap();
    let told = log.lines_with("left out");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("WARN")
            && told[0].contains("jwks")
            && told[0].contains("key 1: ")
            && told[0].contains("17 bits")
            && told[0].contains("key 4: ")
            && !told[0].contains("key 2")
            && !told[0].contains("key 3")
            && !told[0].contains(&"x".repeat(101))
            && !told[0].contains(&secret),
        "{told:?}"
    );

    KeySet::from_jwks(set(&json!([good, good]))).unwrap();
    assert_eq!(
        log.lines_with("left out").len(),
        1,
        "equal keys are no news"
    );
}
