//! A logout token works once.

use futures_util::future::join_all;
use serde_json::json;

use super::{Endpoint, ask, claims, claims_with, log_in, logout_token, refused};

#[tokio::test]
async fn a_second_use_is_refused() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let token = logout_token(&claims());
    assert_eq!(endpoint.send(&token).await, 200);
    assert_eq!(ask(endpoint.request(&token)).await, refused());

    // The id counts, not the text.
    let mut same_id = claims_with(json!({ "sub": "grace" }));
    let first = claims();
    same_id["jti"] = first["jti"].clone();
    assert_eq!(endpoint.send(&logout_token(&first)).await, 200);
    assert_eq!(endpoint.send(&logout_token(&same_id)).await, 400);
}

#[tokio::test]
async fn one_of_many_uses_at_once_succeeds() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    for _ in 0..5 {
        let token = logout_token(&claims());
        let uses = (0..40).map(|_| endpoint.send(&token));
        let mut statuses = join_all(uses).await;
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200);
        assert!(
            statuses[1..].iter().all(|status| *status == 400),
            "{statuses:?}"
        );
    }
}

/// Otherwise a party that knows the id could keep the logout from happening.
#[tokio::test]
async fn a_token_that_is_refused_does_not_use_its_id_up() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let good = claims();
    let mut bad = good.clone();
    bad["aud"] = json!("other");
    assert_eq!(endpoint.send(&logout_token(&bad)).await, 400);
    let token = logout_token(&good);
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(endpoint.send(&format!("{message}.AAAA")).await, 400);
    assert_eq!(endpoint.send(&token).await, 200);
}
