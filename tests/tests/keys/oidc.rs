//! OpenID Connect discovery, over real sockets.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use socketioxide::{extract::SocketRef, handler::ConnectHandler};
use socketioxide_jwt_auth::{JwtAuthBuilder, Verifier, VerifierBuilder, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, Log, Server, User, authenticate, find_user,
    issuer::{
        Answer, DISCOVERY, HostileIssuer, Issuer, KEYS, SigningKey, advance_time, outcome,
        spawn_verification,
    },
    outcome_of_child, report, seconds_from_now,
};
use tokio::io::AsyncWriteExt;

#[jwt_auth(
    oidc_issuer = "https://issuer.example",
    algorithm = "RS256",
    audience = "chat"
)]
async fn from_issuer(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(oidc_issuer_env = "SJA_OIDC_ISSUER", algorithm = "EdDSA")]
async fn from_environment(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

/// Returns a token of this issuer.
fn token_of(issuer: &str) -> String {
    key().token_with_claims(&json!({ "sub": "ada", "exp": seconds_from_now(3600), "iss": issuer }))
}

fn verifier_of(issuer: &str) -> VerifierBuilder {
    Verifier::builder().oidc_issuer(issuer).algorithm("EdDSA")
}

/// Starts an issuer with a key and a discovery document.
async fn discoverable() -> Issuer {
    let issuer = Issuer::with_keys(&[&key()]).await;
    issuer.publish_discovery(&issuer.url(""), &issuer.url(KEYS));
    issuer
}

#[tokio::test]
async fn the_document_names_the_url_of_the_keys() {
    let issuer = discoverable().await;
    let name = issuer.url("");
    let verifier = verifier_of(&name).build().unwrap();

    for _ in 0..10 {
        assert_eq!(outcome(&verifier, &token_of(&name)).await, "accepted");
    }

    let paths: Vec<_> = issuer
        .received_requests()
        .iter()
        .map(|asked| asked.uri.path().to_owned())
        .collect();
    assert_eq!(paths, [DISCOVERY, KEYS]);
}

#[tokio::test]
async fn a_token_must_name_the_issuer() {
    let issuer = discoverable().await;

    let name = issuer.url("");
    let verifier = verifier_of(&name).build().unwrap();

    for (claims, expected) in [
        (json!({ "iss": name }), "accepted"),
        (json!({}), "token_claim_missing"),
        (json!({ "iss": null }), "token_claims_invalid"),
        (json!({ "iss": [name] }), "token_claims_invalid"),
        (json!({ "iss": "" }), "token_issuer_invalid"),
        (json!({ "iss": format!("{name}/") }), "token_issuer_invalid"),
        (
            json!({ "iss": name.to_uppercase() }),
            "token_issuer_invalid",
        ),
        (
            json!({ "iss": "https://issuer.example" }),
            "token_issuer_invalid",
        ),
    ] {
        let mut claims: Value = claims;
        (claims["sub"], claims["exp"]) = ("ada".into(), seconds_from_now(3600).into());
        assert_eq!(
            outcome(&verifier, &key().token_with_claims(&claims)).await,
            expected,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn configured_issuers_replace_the_discovered_one() {
    let issuer = discoverable().await;
    let verifier = verifier_of(&issuer.url(""))
        .issuer(["https://a.example", "https://b.example"])
        .build()
        .unwrap();
    assert_eq!(
        outcome(&verifier, &token_of("https://b.example")).await,
        "accepted"
    );
    assert_eq!(
        outcome(&verifier, &token_of(&issuer.url(""))).await,
        "token_issuer_invalid"
    );
}

/// [Discovery
/// §4.3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation):
/// the document's issuer is exactly the one that was asked for.
#[tokio::test]
async fn a_document_of_another_issuer_is_refused() {
    let issuer = Issuer::with_keys(&[&key()]).await;

    let name = issuer.url("");
    let port = issuer.address().port();

    for (configured, published, expected) in [
        (name.clone(), name.clone(), "accepted"),
        (format!("{name}/"), format!("{name}/"), "accepted"),
        (name.clone(), format!("{name}/"), "keys_unavailable"),
        (format!("{name}/"), name.clone(), "keys_unavailable"),
        (name.clone(), name.to_uppercase(), "keys_unavailable"),
        (name.clone(), format!(" {name}"), "keys_unavailable"),
        (name.clone(), format!("{name}?"), "keys_unavailable"),
        (
            name.clone(),
            format!("http://localhost:{port}"),
            "keys_unavailable",
        ),
        (
            format!("http://localhost:{port}"),
            name.clone(),
            "keys_unavailable",
        ),
        (
            name.clone(),
            format!("{name}/realms/chat"),
            "keys_unavailable",
        ),
        (
            name.clone(),
            "https://issuer.example".to_owned(),
            "keys_unavailable",
        ),
        (name.clone(), String::new(), "keys_unavailable"),
    ] {
        issuer.publish_discovery(&published, &issuer.url(KEYS));
        let verifier = verifier_of(&configured).build().unwrap();
        let outcome = outcome(&verifier, &token_of(&configured)).await;
        assert_eq!(outcome, expected, "{configured:?} and {published:?}");
    }
}

#[tokio::test]
async fn an_issuer_may_have_a_path() {
    let issuer = Issuer::with_keys(&[&key()]).await;
    for name in [issuer.url("/realms/chat"), issuer.url("/realms/chat/")] {
        let document = json!({ "issuer": name, "jwks_uri": issuer.url(KEYS) }).to_string();
        issuer.answer(&format!("/realms/chat{DISCOVERY}"), Answer::ok(document));
        assert_eq!(
            outcome(&verifier_of(&name).build().unwrap(), &token_of(&name)).await,
            "accepted",
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_keys_may_be_on_another_host() {
    let (issuer, keys) = (Issuer::start().await, Issuer::with_keys(&[&key()]).await);
    let elsewhere = format!("http://localhost:{}{KEYS}", keys.address().port());
    issuer.publish_discovery(&issuer.url(""), &elsewhere);
    let verifier = verifier_of(&issuer.url("")).build().unwrap();
    assert_eq!(
        outcome(&verifier, &token_of(&issuer.url(""))).await,
        "accepted"
    );
    assert_eq!((issuer.requests(), keys.requests()), (1, 1));
}

#[tokio::test]
async fn keys_over_plain_http_are_not_requested() {
    let log = Log::capture();
    let issuer = Issuer::with_keys(&[&key()]).await;

    for url in [
        "http://issuer.example/keys?code=the-code",
        "file:///etc/keys.json",
        "/keys",
        "keys",
        "",
    ] {
        issuer.publish_discovery(&issuer.url(""), url);
        let verifier = verifier_of(&issuer.url("")).build().unwrap();
        assert_eq!(
            outcome(&verifier, &token_of(&issuer.url(""))).await,
            "keys_unavailable",
            "{url}"
        );
        let lines = log.lines_with("jwks_uri");
        assert!(
            lines.last().unwrap().contains(&issuer.url("")) && !log.text().contains("the-code"),
            "{lines:?}"
        );
    }

    assert_eq!(log.lines_with("jwks_uri").len(), 5);
    assert_eq!(issuer.requests(), 5, "only the document was requested");
}

/// The host name of the issuer in a network of containers, where only its name service knows it.
#[tokio::test]
async fn an_issuer_over_plain_http_is_accepted_with_its_option() {
    let issuer = Issuer::with_keys(&[&key()]).await;
    let name = format!("http://keycloak:{}", issuer.address().port());
    let client = reqwest::Client::builder().resolve("keycloak", issuer.address());
    let client = client.build().unwrap();
    let verify = async || {
        let builder = verifier_of(&name).allow_insecure_http(true);
        let verifier = builder.http_client(client.clone()).build().unwrap();
        outcome(&verifier, &token_of(&name)).await
    };

    issuer.publish_discovery(&name, &format!("{name}{KEYS}"));
    assert_eq!(verify().await, "accepted");

    issuer.answer("/old", Answer::redirect(KEYS));
    issuer.publish_discovery(&name, &format!("{name}/old"));
    assert_eq!(verify().await, "accepted", "redirects on the same host");

    let elsewhere = Issuer::with_keys(&[&key()]).await;
    issuer.answer("/old", Answer::redirect(&elsewhere.url(KEYS)));
    assert_eq!(verify().await, "keys_unavailable", "redirects to another");

    issuer.publish_discovery(&name, &elsewhere.url(KEYS));
    let requests = elsewhere.requests();
    assert_eq!(verify().await, "keys_unavailable", "keys on this machine");
    assert_eq!(elsewhere.requests(), requests);
}

#[tokio::test]
async fn an_invalid_document_is_refused() {
    let issuer = discoverable().await;

    let (name, keys) = (issuer.url(""), issuer.url(KEYS));
    let good = json!({ "issuer": name, "jwks_uri": keys, "an unknown member": [1] }).to_string();

    for (body, expected) in [
        (good.clone(), "accepted"),
        (String::new(), "keys_unavailable"),
        ("{}".to_owned(), "keys_unavailable"),
        (format!("[{good}]"), "keys_unavailable"),
        (good[..good.len() - 1].to_owned(), "keys_unavailable"),
        (json!({ "issuer": name }).to_string(), "keys_unavailable"),
        (json!({ "jwks_uri": keys }).to_string(), "keys_unavailable"),
        (
            json!({ "issuer": name, "jwks_uri": null }).to_string(),
            "keys_unavailable",
        ),
        (
            json!({ "issuer": name, "jwks_uri": [keys] }).to_string(),
            "keys_unavailable",
        ),
        (
            json!({ "issuer": [name], "jwks_uri": keys }).to_string(),
            "keys_unavailable",
        ),
        (
            format!(r#"{{"issuer":"https://a.example",{}"#, &good[1..]),
            "keys_unavailable",
        ),
        (
            format!("{good}{}", " ".repeat(512 * 1024)),
            "keys_unavailable",
        ),
    ] {
        issuer.answer(DISCOVERY, Answer::ok(body.clone()));
        let verifier = verifier_of(&name).build().unwrap();
        assert_eq!(
            outcome(&verifier, &token_of(&name)).await,
            expected,
            "{:?}",
            body.get(..100)
        );
    }

    issuer.answer(DISCOVERY, Answer::new(404, good));
    assert_eq!(
        outcome(&verifier_of(&name).build().unwrap(), &token_of(&name)).await,
        "keys_unavailable"
    );
}

#[tokio::test]
async fn a_document_on_another_host_is_refused() {
    let (issuer, stranger) = (discoverable().await, Issuer::start().await);
    stranger.publish_discovery(&issuer.url(""), &issuer.url(KEYS));
    issuer.answer(DISCOVERY, Answer::redirect(&stranger.url(DISCOVERY)));
    let verifier = verifier_of(&issuer.url("")).build().unwrap();
    assert_eq!(
        outcome(&verifier, &token_of(&issuer.url(""))).await,
        "keys_unavailable"
    );
    assert_eq!((issuer.requests(), stranger.requests()), (1, 0));
}

#[tokio::test]
async fn keys_that_have_moved_are_found() {
    let (issuer, new) = (
        discoverable().await,
        SigningKey::other(Algorithm::EdDSA, "b"),
    );
    let name = issuer.url("");
    let verifier = verifier_of(&name).build().unwrap();
    assert_eq!(outcome(&verifier, &token_of(&name)).await, "accepted");

    issuer.answer(KEYS, Answer::new(410, "gone"));
    issuer.answer("/v2/keys", Answer::keys(&[&new]));
    issuer.publish_discovery(&name, &issuer.url("/v2/keys"));

    let token =
        new.token_with_claims(&json!({ "sub": "ada", "exp": seconds_from_now(3600), "iss": name }));
    assert_eq!(outcome(&verifier, &token).await, "accepted");
    assert_eq!(
        outcome(&verifier, &token_of(&name)).await,
        "token_key_unknown"
    );
    assert_eq!(issuer.requests(), 4);
}

/// The document and the keys together may take five seconds.
#[tokio::test]
async fn the_document_and_the_keys_share_one_time_limit() {
    let gate = Gate::closed();

    let opened = gate.clone();
    let keys = HostileIssuer::start(move |stream| {
        let gate = opened.clone();
        async move {
            gate.pass().await;
            drop(stream);
        }
    })
    .await;
    let (waiting, keys_url) = (gate.clone(), keys.url());
    let issuer = HostileIssuer::start_with_name(move |mut stream, name| {
        let (gate, keys_url) = (waiting.clone(), keys_url.clone());
        async move {
            gate.pass().await;
            let body = json!({ "issuer": name, "jwks_uri": keys_url }).to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let verifier = verifier_of(&issuer.name()).build().unwrap();
    let caller = spawn_verification(&verifier, token_of(&issuer.name()));
    issuer.wait_for_requests(1).await;
    advance_time(Duration::from_secs(3)).await;
    gate.open_once();
    keys.wait_for_requests(1).await;
    advance_time(Duration::from_secs(2)).await;
    assert_eq!(caller.await.unwrap(), "keys_unavailable");
}

/// Both issuers name their key `a`.
#[tokio::test]
async fn keys_of_the_same_name_are_never_mixed_up() {
    let (ours, theirs) = (key(), SigningKey::other(Algorithm::EdDSA, "a"));
    let (first, second) = (discoverable().await, Issuer::with_keys(&[&theirs]).await);
    second.publish_discovery(&second.url(""), &second.url(KEYS));
    let server = Server::start().await;

    for (namespace, issuer) in [("/first", &first), ("/second", &second)] {
        let builder: JwtAuthBuilder<authenticate> =
            authenticate::builder().oidc_issuer(issuer.url(""));
        let middleware = builder.algorithm("EdDSA").build().unwrap();
        server
            .io
            .ns(namespace, (async |_: SocketRef| ()).with(middleware));
    }

    let token = |key: &SigningKey, issuer: &Issuer| {
        key.token_with_claims(
            &json!({ "sub": "ada", "exp": seconds_from_now(3600), "iss": issuer.url("") }),
        )
    };
    for _ in 0..2 {
        for (namespace, key, issuer, refusal) in [
            ("/first", &ours, &first, None),
            ("/second", &theirs, &second, None),
            ("/first", &theirs, &first, Some("token_signature_invalid")),
            ("/first", &theirs, &second, Some("token_signature_invalid")),
            ("/first", &ours, &second, Some("token_issuer_invalid")),
            ("/second", &ours, &second, Some("token_signature_invalid")),
            ("/second", &ours, &first, Some("token_signature_invalid")),
            ("/second", &theirs, &first, Some("token_issuer_invalid")),
        ] {
            let client = server
                .client()
                .namespace(namespace)
                .token(&token(key, issuer));
            match refusal {
                Some(code) => assert_eq!(client.refusal().await, code, "{namespace} {key:?}"),
                None => drop(client.admitted().await),
            }
        }
    }

    // The document and the keys are requested twice: at first, and for a signature that no key
    // verifies.
    assert_eq!((first.requests(), second.requests()), (4, 4));
}

#[test]
fn an_issuer_must_be_an_https_or_loopback_url() {
    from_issuer::middleware().unwrap();

    for (issuer, problem) in [
        ("http://issuer.example", "must begin with https://"),
        (
            "http://127.0.0.1.issuer.example",
            "must begin with https://",
        ),
        ("issuer.example", "is not a URL"),
        ("", "is not a URL"),
        ("https://issuer.example?tenant=the-code", "query"),
        ("https://issuer.example/?", "query"),
        ("https://issuer.example/#the-code", "fragment"),
        ("https://issuer.example ", "white space"),
        ("\nhttps://issuer.example", "white space"),
    ] {
        let error = verifier_of(issuer).build().expect_err(issuer).to_string();
        assert!(
            error.contains("oidc_issuer") && error.contains(problem),
            "{issuer:?}: {error}"
        );
        assert!(!error.contains("the-code"), "{error}");
    }
}

#[tokio::test]
#[ignore = "`the_issuer_may_come_from_the_environment` runs it in a process of its own"]
async fn the_child_verifies() {
    let outcome = match from_environment::middleware() {
        Ok(middleware) => outcome(middleware.verifier(), &std::env::var("SJA_TOKEN").unwrap())
            .await
            .to_owned(),
        Err(error) => error.to_string(),
    };
    report(outcome);
}

async fn verify_with(issuer: Option<&str>, token: &str) -> String {
    let (issuer, token) = (issuer.map(str::to_owned), token.to_owned());
    // This thread serves the keys, so the child is awaited on another.
    let outcome = tokio::task::spawn_blocking(move || {
        outcome_of_child("oidc::the_child_verifies", |child| {
            child.env("SJA_TOKEN", token).env_remove("SJA_OIDC_ISSUER");
            child.envs(issuer.map(|issuer| ("SJA_OIDC_ISSUER", issuer)));
        })
    });
    outcome.await.unwrap()
}

#[tokio::test]
async fn the_issuer_may_come_from_the_environment() {
    let issuer = discoverable().await;

    let name = issuer.url("");
    assert_eq!(verify_with(Some(&name), &token_of(&name)).await, "accepted");
    assert_eq!(
        verify_with(Some(&name), &token_of("https://issuer.example")).await,
        "token_issuer_invalid"
    );

    for (issuer, problem) in [
        (None, "is not set"),
        (Some(""), "is empty"),
        (Some("issuer"), "is not a URL"),
        (Some("http://issuer.example"), "must begin with https://"),
        (Some("https://issuer.example\n"), "white space"),
    ] {
        let outcome = verify_with(issuer, "").await;
        assert!(
            outcome.contains("SJA_OIDC_ISSUER") && outcome.contains(problem),
            "{outcome}"
        );
    }
}
