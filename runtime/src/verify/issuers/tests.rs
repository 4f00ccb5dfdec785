//! Which issuer's keys and rules a token is verified with.

use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{ErrorCode::*, SecretEncoding, Verifier, VerifierBuilder};

const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn secret(name: &str) -> String {
    format!("{name}, and then enough for a secret of 256 bits")
}

fn issuer(name: &str) -> Issuer {
    Issuer::new(name).secret(secret(name))
}

fn sign(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// A token of `claims_of`, signed by `signed_by`.
fn token(signed_by: &str, claims_of: &str) -> String {
    let claims = json!({"sub": "1", "exp": 9_999_999_999_u64, "iss": claims_of});
    sign(&secret(signed_by), &claims)
}

fn verify(verifier: &Verifier, token: &str) -> Result<(), ErrorCode> {
    let verified = verifier.verify::<Value>(token).now_or_never().unwrap();
    verified.map(drop).map_err(|error| error.code())
}

fn verifier(issuers: impl IntoIterator<Item = Issuer>) -> Verifier {
    Verifier::builder().issuers(issuers).build().unwrap()
}

fn mistake(builder: VerifierBuilder) -> String {
    builder.build().unwrap_err().to_string()
}

#[test]
fn the_keys_of_one_issuer_never_verify_a_token_of_another() {
    let verifier = verifier([issuer(A), issuer(B)]);
    for (signed_by, claims_of, expected) in [
        (A, A, Ok(())),
        (B, B, Ok(())),
        (A, B, Err(TokenSignatureInvalid)),
        (B, A, Err(TokenSignatureInvalid)),
        (A, "https://c.example", Err(TokenIssuerInvalid)),
        (A, "https://a.example/", Err(TokenIssuerInvalid)),
        (A, "HTTPS://a.example", Err(TokenIssuerInvalid)),
        (A, "", Err(TokenIssuerInvalid)),
    ] {
        assert_eq!(
            verify(&verifier, &token(signed_by, claims_of)),
            expected,
            "{signed_by} {claims_of}"
        );
    }
}

#[test]
fn a_key_id_of_one_issuer_finds_no_key_of_another() {
    let key = |id: &str| format!(r#"{{"kty":"oct","kid":"{id}","k":"{}"}}"#, "A".repeat(43));
    let set = |id: &str| format!(r#"{{"keys":[{}]}}"#, key(id));
    let verifier = verifier([
        Issuer::new(A).jwks(set("a")).algorithm("HS256"),
        Issuer::new(B).jwks(set("b")).algorithm("HS256"),
    ]);

    let claims = json!({"exp": 9_999_999_999_u64, "iss": B});
    let signed = |id: &str| {
        let header = Header {
            kid: Some(id.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, &claims, &EncodingKey::from_secret(&[0; 32])).unwrap()
    };
    assert_eq!(verify(&verifier, &signed("b")), Ok(()));
    // The keys are equal, so only the issuer decides.
    assert_eq!(verify(&verifier, &signed("a")), Err(TokenKeyUnknown));
}

#[test]
fn an_issuer_claim_that_is_missing_or_ambiguous_chooses_nothing() {
    let verifier = verifier([issuer(A), issuer(B)]);
    let signed = |payload: &str| {
        let [header, payload] = [r#"{"alg":"HS256"}"#, payload].map(|part| {
            base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, part)
        });
        let message = format!("{header}.{payload}");
        let key = EncodingKey::from_secret(secret(A).as_bytes());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
        format!("{message}.{}", signature.unwrap())
    };

    for (payload, expected) in [
        (r#"{"exp":9999999999,"iss":"https://a.example"}"#, Ok(())),
        (
            r#"{"exp":9999999999,"\u0069ss":"https://a.example"}"#,
            Ok(()),
        ),
        (r#"{"exp":9999999999}"#, Err(TokenClaimMissing)),
        (r#"{"exp":9999999999,"iss":null}"#, Err(TokenClaimsInvalid)),
        (
            r#"{"exp":9999999999,"iss":["https://a.example"]}"#,
            Err(TokenClaimsInvalid),
        ),
        (
            r#"{"exp":9999999999,"iss":"https://a.example","iss":"https://a.example"}"#,
            Err(TokenClaimsInvalid),
        ),
        (
            r#"{"exp":9999999999,"iss":"https://a.example","\u0069ss":"https://b.example"}"#,
            Err(TokenClaimsInvalid),
        ),
        (
            r#"{"exp":9999999999,"nested":{"iss":"https://b.example"},"iss":"https://a.example"}"#,
            Ok(()),
        ),
        (r#"["https://a.example"]"#, Err(TokenMalformed)),
        (r#"{"iss":"https://a.example""#, Err(TokenMalformed)),
    ] {
        assert_eq!(verify(&verifier, &signed(payload)), expected, "{payload}");
    }
}

#[test]
fn an_issuer_takes_the_settings_that_it_does_not_have_from_the_builder() {
    let verifier = Verifier::builder()
        .issuers([issuer(A), issuer(B).audience("b")])
        .audience("common")
        .build()
        .unwrap();
    let for_audience = |name: &str, audience: &str| {
        let claims = json!({"exp": 9_999_999_999_u64, "iss": name, "aud": audience});
        verify(&verifier, &sign(&secret(name), &claims))
    };

    assert_eq!(for_audience(A, "common"), Ok(()));
    assert_eq!(for_audience(B, "b"), Ok(()));
    assert_eq!(for_audience(A, "b"), Err(TokenAudienceInvalid));
    assert_eq!(for_audience(B, "common"), Err(TokenAudienceInvalid));
}

#[test]
fn the_length_of_a_token_is_limited_by_its_issuer() {
    let length = token(A, A).len();
    assert_eq!(token(B, B).len(), length);
    let verifier = verifier([
        issuer(A).max_token_bytes(length),
        issuer(B).max_token_bytes(length - 1),
    ]);
    assert_eq!(verify(&verifier, &token(A, A)), Ok(()));
    assert_eq!(verify(&verifier, &token(B, B)), Err(TokenTooLarge));
    assert_eq!(
        verify(&verifier, &format!("{}x", token(A, A))),
        Err(TokenTooLarge)
    );
}

#[test]
fn a_claim_in_the_name_of_an_issuer_must_be_that_of_the_token() {
    const NAME: &str = "https://login.example/{tid}/v2.0";
    let verifier = verifier([issuer(NAME), issuer("https://login.example/fixed/v2.0")]);
    let of_tenant = |iss: &str, tid: Value| {
        let claims = json!({"exp": 9_999_999_999_u64, "iss": iss, "tid": tid});
        verify(&verifier, &sign(&secret(NAME), &claims))
    };

    for tenant in ["a", "6f1c1a7e-0d9b-4f0a-8f52-2f6d0d1b7c11", "A_b"] {
        let iss = format!("https://login.example/{tenant}/v2.0");
        assert_eq!(of_tenant(&iss, json!(tenant)), Ok(()), "{tenant}");
        assert_eq!(
            of_tenant(&iss, json!("other")),
            Err(TokenIssuerInvalid),
            "{tenant}"
        );
        assert_eq!(
            of_tenant(&iss, json!(null)),
            Err(TokenClaimsInvalid),
            "{tenant}"
        );
        assert_eq!(
            of_tenant(&iss, json!([tenant])),
            Err(TokenClaimsInvalid),
            "{tenant}"
        );
    }
    for tenant in ["", "a/b", "../a", "a.b", "a?", "{tid}", "é", "a b"] {
        let iss = format!("https://login.example/{tenant}/v2.0");
        assert_eq!(
            of_tenant(&iss, json!(tenant)),
            Err(TokenIssuerInvalid),
            "{tenant}"
        );
    }
    for iss in [
        "https://login.example/a/v2.0/",
        "https://login.example/a",
        "xhttps://login.example/a/v2.0",
    ] {
        assert_eq!(of_tenant(iss, json!("a")), Err(TokenIssuerInvalid), "{iss}");
    }
    // The exact name comes first, and has its own keys.
    assert_eq!(
        of_tenant("https://login.example/fixed/v2.0", json!("fixed")),
        Err(TokenSignatureInvalid)
    );
}

#[test]
fn a_mistake_names_its_issuer_and_all_are_reported() {
    let text = mistake(Verifier::builder().issuers([
        Issuer::new(A),
        issuer(B).secret("short"),
        issuer("c"),
    ]));
    assert!(
        text.contains(r#"the issuer "https://a.example": no key to verify tokens with"#),
        "{text}"
    );
    assert!(
        text.contains(r#"the issuer "https://b.example": the secret has 40 bits"#),
        "{text}"
    );
    assert!(!text.contains(r#""c""#), "{text}");

    for (issuers, part) in [
        (vec![], "issuers is an empty list"),
        (
            vec![issuer(A), issuer(A)],
            r#""https://a.example" is listed twice"#,
        ),
        (
            vec![issuer("a/{tid}"), issuer("a/{tid}")],
            r#""a/{tid}" is listed twice"#,
        ),
        (vec![issuer("")], "is empty"),
        (vec![issuer("a/{}")], "do not enclose"),
        (vec![issuer("a/{tid")], "do not enclose"),
        (vec![issuer("a/tid}")], "do not enclose"),
        (vec![issuer("}{tid}")], "do not enclose"),
        (vec![issuer("{a}/{b}")], "more than one claim"),
        (vec![issuer("{a}}")], "more than one claim"),
        (
            vec![issuer("a").algorithm("RS256")],
            r#"the issuer "a": algorithms: RS256 needs a public key"#,
        ),
        (
            vec![issuer("a").secret_encoding(SecretEncoding::Hex)],
            "hexadecimal",
        ),
    ] {
        let text = mistake(Verifier::builder().issuers(issuers));
        assert!(text.contains(part), "{text}");
    }

    let both = mistake(Verifier::builder().issuer(A).issuers([issuer(A)]));
    assert!(both.contains("issuer and issuers are both set"), "{both}");
}

#[cfg(feature = "jwks")]
#[test]
fn the_keys_of_a_name_with_a_claim_cannot_be_discovered() {
    let text = mistake(
        Verifier::builder().issuers([Issuer::new("https://a.example/{tid}")
            .oidc()
            .algorithm("RS256")]),
    );
    assert!(text.contains("jwks_url"), "{text}");
    assert!(
        Verifier::builder()
            .issuers([Issuer::new(A).oidc().algorithm("RS256")])
            .build()
            .is_ok()
    );
}

#[test]
fn a_later_source_of_keys_replaces_the_issuers_and_the_other_way_round() {
    let common = Verifier::builder()
        .issuers([issuer(A)])
        .secret(secret(B))
        .build()
        .unwrap();
    assert_eq!(verify(&common, &token(B, "anything")), Ok(()));
    let listed = Verifier::builder()
        .secret(secret(B))
        .issuers([issuer(A)])
        .build()
        .unwrap();
    assert_eq!(verify(&listed, &token(A, A)), Ok(()));
    assert_eq!(verify(&listed, &token(B, B)), Err(TokenIssuerInvalid));
}

#[test]
fn an_unknown_issuer_is_told_to_the_operator() {
    let verifier = verifier([issuer(A)]);
    let error = verifier
        .verify::<Value>(&token(A, B))
        .now_or_never()
        .unwrap()
        .unwrap_err();
    assert_eq!(
        error.detail(),
        Some(r#"`iss` is "https://b.example", and the issuers are "https://a.example""#)
    );
}

proptest! {
    #[test]
    fn only_a_listed_name_and_its_own_key_verify(signed_by in "[ab]", claims_of in "[a-c]{0,2}") {
        let verifier = verifier([issuer("a"), issuer("b")]);
        let is_accepted = verify(&verifier, &token(&signed_by, &claims_of)).is_ok();
        prop_assert_eq!(is_accepted, signed_by == claims_of);
    }
}

#[test]
fn claim_values_of_an_issuer_and_of_the_builder_add_up() {
    let verifier = Verifier::builder()
        .claim_values("token_use", "access")
        .claim_values("azp", "common")
        .issuers([issuer(A).claim_values("azp", "web"), issuer(B)])
        .build()
        .unwrap();
    let outcome = |issuer: &str, claims: Value| {
        let mut all = json!({"exp": 9_999_999_999_u64, "iss": issuer});
        all.as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        verify(&verifier, &sign(&secret(issuer), &all))
    };

    for (issuer, claims, expected) in [
        (A, json!({"token_use": "access", "azp": "web"}), Ok(())),
        (
            A,
            json!({"token_use": "access", "azp": "common"}),
            Err(TokenClaimsInvalid),
        ),
        (
            A,
            json!({"token_use": "refresh", "azp": "web"}),
            Err(TokenClaimsInvalid),
        ),
        (A, json!({"azp": "web"}), Err(TokenClaimsInvalid)),
        (B, json!({"token_use": "access", "azp": "common"}), Ok(())),
        (
            B,
            json!({"token_use": "access", "azp": "web"}),
            Err(TokenClaimsInvalid),
        ),
    ] {
        assert_eq!(
            outcome(issuer, claims.clone()),
            expected,
            "{issuer} {claims}"
        );
    }
}
