//! HTTP clients that the application supplies.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::{
    Client, Proxy,
    header::{HeaderMap, HeaderValue},
    redirect,
};
use socketioxide_jwt_auth::Verifier;
use socketioxide_jwt_auth_tests::issuer::{
    Answer, HostileIssuer, Issuer, KEYS, SigningKey, advance_time, outcome, spawn_verification,
};

const API_KEY: &str = "the-api-key-of-the-operator";

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

fn client_with_api_key() -> Client {
    let headers = HeaderMap::from_iter([(
        "x-api-key".parse().unwrap(),
        HeaderValue::from_static(API_KEY),
    )]);
    Client::builder().default_headers(headers).build().unwrap()
}

#[tokio::test]
async fn the_client_of_the_application_is_used() {
    let issuer = Issuer::start().await;
    issuer.answer(
        KEYS,
        Answer::keys(&[&key()]).requiring_header("x-api-key", API_KEY),
    );

    let without = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&without, &key().token()).await, "keys_unavailable");
    let with = issuer
        .verifier()
        .http_client(client_with_api_key())
        .build()
        .unwrap();
    assert_eq!(outcome(&with, &key().token()).await, "accepted");
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn the_headers_of_the_client_are_not_shown() {
    let builder = Verifier::builder()
        .jwks_url("https://issuer.example/keys")
        .algorithm("EdDSA");
    let builder = builder.http_client(client_with_api_key());
    assert!(!format!("{builder:?}").contains(API_KEY), "{builder:?}");
    let verifier = builder.build().unwrap();
    assert!(!format!("{verifier:?}").contains(API_KEY), "{verifier:?}");
}

#[tokio::test]
async fn redirects_of_the_client_to_other_hosts_are_refused() {
    let (issuer, stranger) = (Issuer::start().await, Issuer::with_keys(&[&key()]).await);
    let everywhere = || {
        Client::builder()
            .redirect(redirect::Policy::limited(10))
            .build()
            .unwrap()
    };
    issuer.answer(KEYS, Answer::redirect(&stranger.url(KEYS)));
    let verifier = issuer.verifier().http_client(everywhere()).build().unwrap();
    assert_eq!(outcome(&verifier, &key().token()).await, "keys_unavailable");
    assert_eq!(stranger.requests(), 1, "the client follows redirects");

    issuer.answer(KEYS, Answer::redirect("/there"));
    issuer.answer("/there", Answer::keys(&[&key()]));
    let verifier = issuer.verifier().http_client(everywhere()).build().unwrap();
    assert_eq!(outcome(&verifier, &key().token()).await, "accepted");
}

/// The client has no limit of its own.
#[tokio::test]
async fn the_time_limit_applies_to_the_client() {
    let issuer = HostileIssuer::start(|stream| async {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let verifier = issuer
        .verifier()
        .http_client(Client::new())
        .build()
        .unwrap();
    let caller = spawn_verification(&verifier, key().token());

    issuer.wait_for_requests(1).await;
    advance_time(Duration::from_secs(5)).await;
    assert_eq!(caller.await.unwrap(), "keys_unavailable");
}

#[tokio::test]
async fn the_client_may_use_a_proxy() {
    let proxy = Issuer::with_keys(&[&key()]).await;
    let client = Client::builder()
        .proxy(Proxy::http(proxy.url("")).unwrap())
        .build()
        .unwrap();
    // No server listens there, and the proxy answers.
    let url = "http://127.0.0.1:9/keys";
    let verifier = Verifier::builder()
        .jwks_url(url)
        .algorithm("EdDSA")
        .http_client(client)
        .build()
        .unwrap();
    assert_eq!(outcome(&verifier, &key().token()).await, "accepted");
    assert_eq!(proxy.received_requests()[0].uri, url);
}
