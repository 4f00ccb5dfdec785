//! Mistakes that are reported when a verifier is built, and URLs from the environment.

use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth::{Issuer as Named, Verifier, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, User, find_user,
    issuer::{Issuer, KEYS, SigningKey, outcome},
    outcome_of_child, report,
};

#[jwt_auth(jwks_url = "https://issuer.example/keys", algorithms = ["EdDSA", "RS256"])]
async fn from_url(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(jwks_url_env = "SJA_JWKS_URL", algorithm = "EdDSA")]
async fn from_environment(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

fn build(url: &str) -> Result<Verifier, String> {
    Verifier::builder()
        .jwks_url(url)
        .algorithm("EdDSA")
        .build()
        .map_err(|error| error.to_string())
}

#[test]
fn https_and_http_to_loopback_are_accepted() {
    from_url::middleware().unwrap();

    for url in [
        "https://issuer.example/keys",
        "HTTPS://ISSUER.EXAMPLE/keys",
        "https://issuer.example:8443/keys?code=5",
        "https://192.0.2.1/keys",
        "http://127.0.0.1/keys",
        "http://127.0.0.1:8080/keys",
        "http://127.9.9.9/keys",
        "http://127.1/keys",
        "http://[::1]:8080/keys",
        "http://localhost/keys",
        "http://LOCALHOST:8080/keys",
    ] {
        build(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    for url in [
        "http://issuer.example/keys",
        "http://localhost.issuer.example/keys",
        "http://127.0.0.1.issuer.example/keys",
        "http://127.0.0.1@issuer.example/keys",
        "http://issuer.example#@127.0.0.1/keys",
        "http://issuer.example/127.0.0.1",
        "http://192.168.0.1/keys",
        "http://10.0.0.1/keys",
        "http://0.0.0.0/keys",
        "http://[::]/keys",
        "http://[::ffff:192.0.2.1]/keys",
        "ftp://127.0.0.1/keys",
        "ws://127.0.0.1/keys",
        "file:///etc/keys.json",
        "data:application/json,{}",
    ] {
        let error = build(url).expect_err(url);
        assert!(
            error.contains("jwks_url") && error.contains("must begin with https://"),
            "{url}: {error}"
        );
    }

    for url in [
        "",
        "keys",
        "issuer.example/keys",
        "//issuer.example/keys",
        "https://",
        "https:///",
        "http://[::1/keys",
    ] {
        let error = build(url).expect_err(url);
        assert!(
            error.contains("jwks_url") && error.contains("https://issuer.example/keys"),
            "{url}: {error}"
        );
    }
}

#[test]
fn plain_http_to_other_hosts_needs_its_option() {
    let builder = |url: &str| Verifier::builder().jwks_url(url).algorithm("EdDSA");

    for url in [
        "http://keycloak:8080/realms/chat/protocol/openid-connect/certs",
        "http://issuer.example/keys",
        "http://10.0.0.1/keys",
        "http://[2001:db8::1]/keys",
    ] {
        builder(url).allow_insecure_http(true).build().unwrap();

        for builder in [builder(url), builder(url).allow_insecure_http(false)] {
            let error = builder.build().unwrap_err().to_string();
            assert!(
                error.contains("allow_insecure_http = true") && error.contains("forge"),
                "{url}: {error}"
            );
        }
    }

    // The option does not permit these URLs.
    for url in ["ftp://issuer.example/keys", "file:///etc/keys.json"] {
        for builder in [builder(url), builder(url).allow_insecure_http(true)] {
            let error = builder.build().unwrap_err().to_string();
            assert!(
                error.contains("must begin with https://") && !error.contains("allow_insecure"),
                "{url}: {error}"
            );
        }
    }
}

#[test]
fn the_option_for_plain_http_is_one_of_an_issuer_too() {
    let issuer = || {
        Named::new("http://keycloak:8080/realms/chat")
            .oidc()
            .algorithm("RS256")
    };
    let builder = |issuer| Verifier::builder().issuers([issuer]);
    let error = builder(issuer()).build().unwrap_err().to_string();
    assert!(
        error.contains("the issuer \"http://keycloak:8080")
            && error.contains("allow_insecure_http"),
        "{error}"
    );

    builder(issuer().allow_insecure_http(true)).build().unwrap();
    builder(issuer()).allow_insecure_http(true).build().unwrap();
    let own = builder(issuer().allow_insecure_http(false)).allow_insecure_http(true);
    own.build().unwrap_err();
}

#[test]
fn an_error_does_not_show_the_credentials_of_the_url() {
    for url in [
        "http://operator:the-password@issuer.example/keys?code=the-code",
        "operator:the-password@issuer.example/keys?code=the-code",
        "https://operator:the-password@[issuer.example/keys?code=the-code",
    ] {
        let error = build(url).unwrap_err();
        assert!(
            !error.contains("the-password") && !error.contains("the-code"),
            "{error}"
        );
    }
}

#[test]
fn the_algorithms_must_be_named_and_be_those_of_public_keys() {
    let builder = || Verifier::builder().jwks_url("https://issuer.example/keys");
    let error = builder().build().unwrap_err().to_string();
    assert!(error.contains("algorithms is required"), "{error}");
    for algorithm in ["HS256", "HS384", "HS512", "none"] {
        let error = builder()
            .algorithms(["RS256", algorithm])
            .build()
            .unwrap_err()
            .to_string();
        assert!(error.contains(algorithm), "{error}");
    }
}

/// Returns the outcome of the child with this URL. Its environment also names a proxy, which must
/// not be used for `http://`.
async fn verify_with(url: Option<String>) -> String {
    let proxy = Issuer::start().await;
    let proxy_url = proxy.url("");

    // This thread serves the keys, so the child is awaited on another.
    let outcome = tokio::task::spawn_blocking(move || {
        outcome_of_child("jwks_url::configuration::the_child_verifies", |child| {
            child
                .env("http_proxy", proxy_url)
                .env_remove("no_proxy")
                .env_remove("NO_PROXY");
            child
                .env_remove("SJA_JWKS_URL")
                .envs(url.map(|url| ("SJA_JWKS_URL", url)));
        })
    });
    let outcome = outcome.await.unwrap();
    assert_eq!(proxy.requests(), 0);
    outcome
}

#[tokio::test]
#[ignore = "`the_url_may_come_from_the_environment` runs it in a process of its own"]
async fn the_child_verifies() {
    let token = SigningKey::new(Algorithm::EdDSA, "a").token();
    let outcome = match from_environment::middleware() {
        Ok(middleware) => outcome(middleware.verifier(), &token).await.to_owned(),
        Err(error) => error.to_string(),
    };
    report(outcome);
}

#[tokio::test]
async fn the_url_may_come_from_the_environment() {
    let issuer = Issuer::with_keys(&[&SigningKey::new(Algorithm::EdDSA, "a")]).await;

    assert_eq!(verify_with(Some(issuer.url(KEYS))).await, "accepted");
    assert_eq!(issuer.requests(), 1);

    for (url, problem) in [
        (None, "is not set"),
        (Some(" "), "is empty"),
        (Some("keys?code=the-code"), "is not a URL"),
        (
            Some("http://issuer.example/keys?code=the-code"),
            "must begin with https://",
        ),
    ] {
        let outcome = verify_with(url.map(str::to_owned)).await;
        assert!(
            outcome.contains("SJA_JWKS_URL") && outcome.contains(problem),
            "{outcome}"
        );
        assert!(!outcome.contains("the-code"), "{outcome}");
    }
}
