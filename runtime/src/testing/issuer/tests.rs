//! Tokens of a test issuer, and which verifiers accept them.

use std::{sync::LazyLock, time::SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::{AuthError, ErrorCode, Issuer, KeySet, Verifier, testing::TestToken};

/// Every algorithm that keys can be loaded for, with an issuer. RSA keys are slow to generate.
static ISSUERS: LazyLock<Vec<TestIssuer>> = LazyLock::new(|| {
    let issuers = Algorithm::ALL.iter().copied().map(TestIssuer::with);
    issuers
        .filter(|issuer| {
            issuer.algorithm() != Algorithm::ES512 || KeySet::from_jwks(issuer.jwks()).is_ok()
        })
        .collect()
});

fn verifier(issuer: &TestIssuer) -> Verifier {
    Verifier::builder().test_issuer(issuer).build().unwrap()
}

async fn verify(verifier: &Verifier, token: TestToken) -> Result<Value, AuthError> {
    let verified = verifier.verify(&token.sign()).await;
    verified.map(|token| token.claims)
}

async fn refusal(verifier: &Verifier, token: TestToken) -> ErrorCode {
    verify(verifier, token).await.unwrap_err().code()
}

#[tokio::test]
async fn a_token_of_every_algorithm_verifies_with_its_issuer() {
    for issuer in &*ISSUERS {
        let claims = verify(&verifier(issuer), issuer.token("1")).await;
        assert_eq!(claims.unwrap()["sub"], "1", "{issuer:?}");
    }
    assert!(ISSUERS.len() >= 12);
}

#[tokio::test]
async fn a_forged_token_and_one_of_another_issuer_are_refused() {
    for issuer in &*ISSUERS {
        let verifier = verifier(issuer);
        assert_eq!(
            refusal(&verifier, issuer.token("1").forged()).await,
            ErrorCode::TokenSignatureInvalid,
            "{issuer:?}"
        );

        for other in &*ISSUERS {
            if other.algorithm() != issuer.algorithm() {
                assert_eq!(
                    refusal(&verifier, other.token("1")).await,
                    ErrorCode::TokenAlgorithmNotAllowed,
                    "{issuer:?}, {other:?}"
                );
            }
        }
    }

    let [issuer, other] = [TestIssuer::new(), TestIssuer::new()];
    assert_eq!(
        refusal(&verifier(&issuer), other.token("1")).await,
        ErrorCode::TokenSignatureInvalid
    );
}

#[tokio::test]
async fn no_token_verifies_where_the_issuer_was_not_given() {
    let verifier = Verifier::builder()
        .secret("a secret of thirty-two bytes or more")
        .build()
        .unwrap();
    let issuer = TestIssuer::new();
    assert_eq!(
        refusal(&verifier, issuer.token("1")).await,
        ErrorCode::TokenSignatureInvalid
    );

    for issuer in &*ISSUERS {
        assert!(verify(&verifier, issuer.token("1")).await.is_err());
    }
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    for issuer in &*ISSUERS {
        let verifier = verifier(issuer);
        let token = issuer.token("1").unsigned();
        assert!(token.clone().sign().ends_with('.'));
        assert_eq!(
            refusal(&verifier, token).await,
            ErrorCode::TokenAlgorithmNotAllowed
        );

        let token = issuer
            .token("1")
            .unsigned()
            .header("alg", issuer.algorithm());
        assert_eq!(
            refusal(&verifier, token).await,
            ErrorCode::TokenSignatureInvalid
        );
    }
}

#[tokio::test]
async fn the_default_claims_are_those_of_a_login() {
    let issuer = TestIssuer::new();
    let verifier = verifier(&issuer);
    let before = seconds();
    let claims = verify(&verifier, issuer.token("1")).await.unwrap();
    let after = seconds();

    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["exp", "iat", "jti", "sub"]);
    assert!((before..=after).contains(&claims["iat"].as_u64().unwrap()));
    assert!((before + 3600..=after + 3600).contains(&claims["exp"].as_u64().unwrap()));

    let again = verify(&verifier, issuer.token("1")).await.unwrap();
    assert_ne!(again["jti"], claims["jti"]);
}

#[tokio::test]
async fn claims_are_added_replaced_and_removed() {
    #[derive(serde::Serialize)]
    struct Claims {
        role: &'static str,
        groups: Vec<&'static str>,
    }

    let issuer = TestIssuer::new();
    let groups = vec!["a"];
    let token = issuer
        .token(7)
        .claim("role", "guest")
        .claims(Claims {
            role: "admin",
            groups,
        })
        .claims(json!({ "email_verified": true }))
        .without_claim("jti")
        .without_claim("iat")
        .without_claim("exp");
    let verifier = Verifier::builder()
        .test_issuer(&issuer)
        .required_claims(Vec::<String>::new())
        .numeric_subject(true)
        .build()
        .unwrap();
    assert_eq!(
        verify(&verifier, token).await.unwrap(),
        json!({ "sub": 7, "role": "admin", "groups": ["a"], "email_verified": true })
    );
}

#[tokio::test]
async fn a_token_expires_when_it_should() {
    let issuer = TestIssuer::new();
    let verifier = Verifier::builder()
        .test_issuer(&issuer)
        .leeway("24h")
        .build()
        .unwrap();
    let now = SystemTime::now();
    let day = std::time::Duration::from_hours(24);
    let minute = std::time::Duration::from_mins(1);

    assert_eq!(
        refusal(&verifier, issuer.token("1").expired()).await,
        ErrorCode::TokenExpired
    );
    for good in [
        issuer.token("1").expires_in("5m"),
        issuer.token("1").expires_in(minute),
        issuer.token("1").expires_at(now - day + minute),
        issuer.token("1").not_before(now + day - minute),
    ] {
        assert!(verify(&verifier, good).await.is_ok());
    }
    assert_eq!(
        refusal(&verifier, issuer.token("1").expires_at(now - day - minute)).await,
        ErrorCode::TokenExpired
    );
    assert_eq!(
        refusal(&verifier, issuer.token("1").not_before(now + day + minute)).await,
        ErrorCode::TokenNotYetValid
    );

    let issued = issuer
        .token("1")
        .issued_at(SystemTime::UNIX_EPOCH)
        .expires_in("90s");
    let claims = verify(&verifier, issued).await.unwrap();
    assert_eq!(claims["iat"], 0);
    assert!(claims["exp"].as_u64().unwrap().abs_diff(seconds() + 90) <= 5);
}

#[tokio::test]
async fn the_other_settings_stay() {
    let issuer = TestIssuer::new();
    let verifier = Verifier::builder()
        .public_key_file("/does/not/exist.pem")
        .algorithms(["RS256", "ES256"])
        .issuer("https://login.example.com")
        .audience(["chat", "mail"])
        .token_type("at+jwt")
        .test_issuer(&issuer)
        .build()
        .unwrap();
    let token = || {
        issuer
            .token("1")
            .issuer("https://login.example.com")
            .audience("chat")
            .header("typ", "at+jwt")
    };

    assert!(verify(&verifier, token()).await.is_ok());
    assert!(
        verify(&verifier, token().audience(["other", "mail"]))
            .await
            .is_ok()
    );
    for (token, code) in [
        (token().without_claim("iss"), ErrorCode::TokenClaimMissing),
        (
            token().issuer("https://other.example"),
            ErrorCode::TokenIssuerInvalid,
        ),
        (token().audience("other"), ErrorCode::TokenAudienceInvalid),
        (token().header("typ", "JWT"), ErrorCode::TokenClaimsInvalid),
    ] {
        assert_eq!(refusal(&verifier, token).await, code);
    }
}

#[tokio::test]
async fn the_keys_of_every_listed_issuer_are_replaced() {
    let issuer = TestIssuer::with(Algorithm::ES256);
    let verifier = Verifier::builder()
        .issuers([
            Issuer::new("https://a.example").secret_env("NOT_SET"),
            Issuer::new("https://b.example")
                .jwks("nonsense")
                .algorithm("RS256"),
        ])
        .test_issuer(&issuer)
        .build()
        .unwrap();

    for name in ["https://a.example", "https://b.example"] {
        assert!(
            verify(&verifier, issuer.token("1").issuer(name))
                .await
                .is_ok()
        );
    }
    assert_eq!(
        refusal(&verifier, issuer.token("1").issuer("https://c.example")).await,
        ErrorCode::TokenIssuerInvalid
    );
}

#[tokio::test]
async fn a_later_source_of_keys_replaces_the_issuer() {
    let issuer = TestIssuer::new();
    let verifier = Verifier::builder()
        .test_issuer(&issuer)
        .secret("a secret of thirty-two bytes or more")
        .build()
        .unwrap();
    assert_eq!(
        refusal(&verifier, issuer.token("1")).await,
        ErrorCode::TokenSignatureInvalid
    );
}

#[test]
fn no_key_is_shown() {
    let issuer = TestIssuer::new();
    let jwks: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let secret = jwks["keys"][0]["k"].as_str().unwrap();
    for shown in [
        format!("{issuer:?}"),
        format!("{:?}", issuer.token("1")),
        format!("{:?}", Verifier::builder().test_issuer(&issuer)),
        format!("{:?}", verifier(&issuer)),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn only_an_hmac_publishes_its_secret() {
    for issuer in &*ISSUERS {
        let jwks: Value = serde_json::from_str(&issuer.jwks()).unwrap();
        let key = jwks["keys"][0].as_object().unwrap();
        assert_eq!(key.contains_key("k"), issuer.algorithm().is_hmac());
        assert!(!key.contains_key("d"));
    }
}

#[test]
#[should_panic(expected = "expires_in: \"5 moons\" is not a duration")]
fn a_time_that_is_not_a_duration_panics() {
    drop(TestIssuer::new().token("1").expires_in("5 moons"));
}

#[test]
#[should_panic(expected = "claims are a JSON object, and this is [1]")]
fn claims_that_are_not_an_object_panic() {
    drop(TestIssuer::new().token("1").claims([1]));
}

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs()
}
