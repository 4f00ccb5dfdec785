//! Requests without a token.

use axum::{Router, routing::get};
use socketioxide_jwt_auth::{AuthError, JwtAuth, axum::HttpUser, jwt_auth, testing::TestIssuer};
use socketioxide_jwt_auth_tests::{Claims, recorder};

use super::{Answer, OPTIONAL, REQUIRED, Routes, answer, builder, code};

fn refusal(code: &str) -> Answer {
    let body = format!(r#"{{"code":"{code}","message":"Log in first.","action":"login"}}"#);
    Answer {
        status: 401,
        challenge: Some("Bearer".to_owned()),
        body,
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_refused_unless_the_user_is_optional() {
    let issuer = TestIssuer::new();
    for (guest, refused) in [(false, "token_missing"), (true, "login_required")] {
        let (recorder, mut records) = recorder();
        let routes = Routes::start(builder(&issuer).guest(guest), recorder).await;
        for path in REQUIRED {
            assert_eq!(answer(routes.get(path)).await, refusal(refused));
            let request = routes.get(path).header("authorization", "Bearer null");
            assert_eq!(answer(request).await, refusal(refused));
        }
        for path in OPTIONAL {
            let answer = answer(routes.get(path)).await;
            assert_eq!((answer.status, &*answer.body), (200, "guest"));
        }
        assert_eq!(code(routes.get("/admin")).await, refused);
        assert!(records.unread().is_empty(), "the lookup is not for guests");
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_where_the_user_is_optional() {
    let issuer = TestIssuer::new();
    let routes = Routes::start(builder(&issuer).guest(true), recorder().0).await;

    for path in OPTIONAL {
        let bearer = |token: String| routes.get(path).bearer_auth(token);
        for (token, refused) in [
            (issuer.token("ada").expired().sign(), "token_expired"),
            (
                issuer.token("ada").forged().sign(),
                "token_signature_invalid",
            ),
            ("x".to_owned(), "token_malformed"),
        ] {
            let answer = answer(bearer(token)).await;
            assert_eq!((answer.status, answer.code()), (401, refused.to_owned()));
        }
    }

    let nobody = routes
        .get("/maybe-user")
        .bearer_auth(issuer.token("nobody").sign());
    assert_eq!(code(nobody).await, "user_not_found");
}

/// A lookup that has a user for guests.
#[jwt_auth(keys_at_runtime)]
async fn with_guests(claims: Option<Claims>) -> Result<Option<String>, AuthError> {
    Ok(Some(
        claims.map_or("guest user".to_owned(), |claims| claims.sub),
    ))
}

#[jwt_auth(keys_at_runtime)]
async fn without_guests(claims: Option<Claims>) -> Result<Option<String>, AuthError> {
    let claims = claims.ok_or_else(|| AuthError::denied("no guests"))?;
    Ok(Some(claims.sub))
}

#[tokio::test]
async fn a_lookup_for_guests_is_asked_if_guests_are_admitted() {
    async fn required(user: HttpUser<with_guests>) -> String {
        user.to_string()
    }
    async fn optional(user: Option<HttpUser<with_guests>>) -> String {
        user.map_or("none".to_owned(), |user| user.to_string())
    }

    let issuer = TestIssuer::new();
    for (guest, expected) in [
        (false, [None, Some("none")]),
        (true, [Some("guest user"); 2]),
    ] {
        let auth: JwtAuth<with_guests> = with_guests::builder()
            .test_issuer(&issuer)
            .guest(guest)
            .build()
            .unwrap();
        let router = Router::new()
            .route("/required", get(required))
            .route("/optional", get(optional));
        let routes = Routes::serve(router.with_state(auth)).await;
        for (path, expected) in ["/required", "/optional"].into_iter().zip(expected) {
            let answer = answer(routes.get(path)).await;
            match expected {
                Some(name) => assert_eq!((answer.status, &*answer.body), (200, name)),
                None => assert_eq!(answer, refusal("token_missing")),
            }
        }
    }
}

#[tokio::test]
async fn a_guest_that_the_lookup_refuses_is_refused() {
    async fn optional(_: Option<HttpUser<without_guests>>) {}

    let issuer = TestIssuer::new();
    let auth = without_guests::builder()
        .test_issuer(&issuer)
        .guest(true)
        .build()
        .unwrap();
    let routes = Routes::serve(Router::new().route("/", get(optional)).with_state(auth)).await;
    let answer = answer(routes.get("/")).await;
    assert_eq!((answer.status, &*answer.code()), (403, "denied"));
    assert!(answer.body.contains("no guests"));
}
