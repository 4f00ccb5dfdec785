//! Requests with tokens that were revoked.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use socketioxide_jwt_auth::{
    JwtAuthBuilder, Revocation, RevocationError, RevocationQuery, RevocationStatus,
    RevocationStore, Revocations, testing::TestIssuer,
};
use socketioxide_jwt_auth_tests::{Claims, User, recorder};

use super::{OPTIONAL, REQUIRED, Routes, account, answer, builder, code};

async fn start(middleware: JwtAuthBuilder<account>) -> Routes {
    Routes::start(middleware, recorder().0).await
}

#[tokio::test]
async fn a_revoked_token_is_refused() {
    let issuer = TestIssuer::new();
    let token = issuer
        .token("ada")
        .claims(json!({ "jti": "7", "sid": "s" }))
        .sign();

    for revocation in [
        Revocation::token("7"),
        Revocation::session("s"),
        Revocation::user("ada"),
    ] {
        let revocations = Revocations::in_memory();
        let routes = start(builder(&issuer).revocations(revocations.clone())).await;
        for path in [REQUIRED, OPTIONAL].concat() {
            assert_eq!(code(routes.get(path).bearer_auth(&token)).await, "good");
        }
        revocations.revoke(revocation).await.unwrap();
        for path in [REQUIRED, OPTIONAL].concat() {
            let answer = answer(routes.get(path).bearer_auth(&token)).await;
            assert_eq!((answer.status, &*answer.code()), (401, "token_revoked"));
        }
        let grace = issuer
            .token("grace")
            .claims(json!({ "jti": "8", "sid": "t" }))
            .sign();
        assert_eq!(code(routes.get("/user").bearer_auth(grace)).await, "good");
    }
}

#[tokio::test]
async fn the_keys_of_user_and_session_are_those_of_the_middleware() {
    let issuer = TestIssuer::new();
    let token = issuer.token("ada").claim("sid", "s").sign();

    for (revocation, user, claims) in [
        (Revocation::user("the user Ada"), "token_revoked", "good"),
        (Revocation::user("ada"), "good", "token_revoked"),
        (
            Revocation::session("the login of ada"),
            "token_revoked",
            "token_revoked",
        ),
        (Revocation::session("s"), "good", "good"),
    ] {
        let revocations = Revocations::in_memory();
        revocations.revoke(revocation.clone()).await.unwrap();
        let middleware = builder(&issuer)
            .user_key(|user: &User| format!("the user {}", user.name))
            .session_key(|claims: &Claims| Some(format!("the login of {}", claims.sub)))
            .revocations(revocations);
        let routes = start(middleware).await;
        for (path, expected) in [("/user", user), ("/claims", claims)] {
            let request = routes.get(path).bearer_auth(&token);
            assert_eq!(code(request).await, expected, "{revocation:?} {path}");
        }
    }
}

/// From the second question on, everything is revoked.
const REVOKED_AFTER_ONE: u8 = 4;

/// A store that counts, and that answers as the number says.
#[derive(Clone)]
struct Counting(Arc<AtomicUsize>, u8);

impl RevocationStore for Counting {
    async fn check(&self, _: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        let asked_before = self.0.fetch_add(1, Ordering::SeqCst);
        match self.1 {
            0 => Ok(RevocationStatus::NotRevoked),
            1 => Err(RevocationError::new("the password is wrong")),
            2 => panic!("on purpose"),
            REVOKED_AFTER_ONE if asked_before == 0 => Ok(RevocationStatus::NotRevoked),
            REVOKED_AFTER_ONE => Ok(RevocationStatus::Revoked),
            _ => pending().await,
        }
    }
}

#[tokio::test]
async fn the_store_is_asked_once_for_each_request() {
    let issuer = TestIssuer::new();
    let store = Counting(Arc::default(), 0);
    let routes = start(builder(&issuer).revocations(store.clone())).await;
    let token = issuer.token("ada").sign();

    for number in 1..3 {
        assert_eq!(
            code(routes.get("/several").bearer_auth(&token)).await,
            "good"
        );
        assert_eq!(store.0.load(Ordering::SeqCst), number);
    }

    code(
        routes
            .get("/user")
            .bearer_auth(issuer.token("ada").forged().sign()),
    )
    .await;
    code(
        routes
            .get("/user")
            .bearer_auth(issuer.token("nobody").sign()),
    )
    .await;
    assert_eq!(
        store.0.load(Ordering::SeqCst),
        2,
        "only for tokens that pass"
    );
}

#[tokio::test]
async fn a_token_that_is_revoked_while_the_lookup_runs_is_refused() {
    let issuer = TestIssuer::new();
    let store = Counting(Arc::default(), REVOKED_AFTER_ONE);
    let routes = start(builder(&issuer).revocations(store.clone())).await;
    let token = issuer.token("ada").sign();

    let claims_first = routes.get("/claims-first").bearer_auth(&token);
    assert_eq!(code(claims_first).await, "token_revoked");
    assert_eq!(store.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_store_is_asked_before_the_lookup_too_if_the_claims_come_before_the_user() {
    let issuer = TestIssuer::new();
    let store = Counting(Arc::default(), 0);
    // The key of Ada is the subject of her token.
    let middleware = builder(&issuer).user_key(|user: &User| user.name.to_lowercase());
    let (recorder, mut lookups) = recorder();
    let routes = Routes::start(middleware.revocations(store.clone()), recorder).await;
    let token = issuer.token("ada").sign();

    for number in 1..3 {
        let answer = answer(routes.get("/claims-first").bearer_auth(&token)).await;
        assert_eq!(answer.body, r#"["ada","ada","Ada",true]"#);
        assert_eq!(store.0.load(Ordering::SeqCst), 2 * number);
        assert_eq!(lookups.next().await, format!("ada {token}"));
        assert_eq!(lookups.unread(), Vec::<String>::new());
    }
}

/// `HttpClaims` asks with the subject, which is not the key of the user here.
#[tokio::test]
async fn the_key_of_the_user_is_asked_for_after_the_claims_passed() {
    let issuer = TestIssuer::new();
    let revocations = Revocations::in_memory();
    let middleware = builder(&issuer).user_key(|user: &User| user.name.to_owned());
    let routes = start(middleware.revocations(revocations.clone())).await;
    let token = issuer.token("ada").sign();
    let request = || routes.get("/claims-first").bearer_auth(&token);
    assert_eq!(code(request()).await, "good");

    revocations.revoke(Revocation::user("Ada")).await.unwrap();
    let claims = routes.get("/claims").bearer_auth(&token);
    assert_eq!(code(claims).await, "good");
    assert_eq!(code(request()).await, "token_revoked");
}

#[tokio::test]
async fn a_store_that_does_not_answer_refuses() {
    let issuer = TestIssuer::new();
    for behaviour in 1..4 {
        let middleware = builder(&issuer)
            .revocations(Counting(Arc::default(), behaviour))
            .revocations_timeout(Duration::from_millis(50));
        let routes = start(middleware).await;
        for path in [REQUIRED, OPTIONAL].concat() {
            let answer = answer(routes.get(path).bearer_auth(issuer.token("ada").sign())).await;
            assert_eq!(
                (answer.status, &*answer.code()),
                (503, "revocations_unavailable")
            );
            assert!(!answer.body.contains("password"));
        }
    }
}
