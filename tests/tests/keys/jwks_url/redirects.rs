//! Issuers that redirect.

use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth_tests::issuer::{Answer, Issuer, KEYS, SigningKey, outcome};

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

#[tokio::test]
async fn redirects_on_the_same_host_are_followed() {
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, Answer::redirect("/v2/keys"));
    issuer.answer("/v2/keys", Answer::redirect(&issuer.url("/v3/keys")));
    issuer.answer("/v3/keys", Answer::redirect("keys/all"));
    issuer.answer("/v3/keys/all", Answer::keys(&[&key()]));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key().token()).await,
        "accepted"
    );
    assert_eq!(issuer.requests(), 4);

    issuer.answer("/v3/keys/all", Answer::redirect("/v4/keys"));
    issuer.answer("/v4/keys", Answer::keys(&[&key()]));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key().token()).await,
        "keys_unavailable",
        "one too many"
    );
    assert_eq!(issuer.requests(), 8);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, Answer::redirect(KEYS));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key().token()).await,
        "keys_unavailable"
    );
    assert_eq!(issuer.requests(), 4);
}

#[tokio::test]
async fn redirects_to_another_host_are_not_followed() {
    let (issuer, stranger) = (Issuer::start().await, Issuer::with_keys(&[&key()]).await);

    let port = issuer.address().port();
    for target in [
        stranger.url(KEYS),
        format!("//{}{KEYS}", stranger.address()),
        // These name the same server by other host names and another scheme.
        format!("http://localhost:{port}/there"),
        format!("http://127.0.0.2:{port}/there"),
        format!("https://127.0.0.1:{port}/there"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "data:application/json,{\"keys\":[]}".to_owned(),
        "http://".to_owned(),
        String::new(),
    ] {
        let before = issuer.requests();
        issuer.answer(KEYS, Answer::redirect(&target));
        issuer.answer("/there", Answer::keys(&[&key()]));
        let verifier = issuer.verifier().build().unwrap();
        assert_eq!(
            outcome(&verifier, &key().token()).await,
            "keys_unavailable",
            "{target:?}"
        );
        // An empty target is the same URL.
        let expected = if target.is_empty() { 4 } else { 1 };
        assert_eq!(issuer.requests() - before, expected, "{target:?}");
    }

    assert_eq!(stranger.requests(), 0);
}

#[tokio::test]
async fn a_redirect_through_another_host_is_refused() {
    let (issuer, stranger) = (Issuer::start().await, Issuer::start().await);
    issuer.answer(KEYS, Answer::redirect(&stranger.url("/back")));
    stranger.answer("/back", Answer::redirect(&issuer.url("/there")));
    issuer.answer("/there", Answer::keys(&[&key()]));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key().token()).await,
        "keys_unavailable"
    );
    assert_eq!((issuer.requests(), stranger.requests()), (1, 0));
}
