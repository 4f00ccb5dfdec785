//! Every code once, over a real path, and what the operator reads about it.

mod server;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use socketioxide_jwt_auth::{ErrorCode, disconnect_user};
use socketioxide_jwt_auth_tests::{
    Log, OTHER_SECRET, Raw, Received, SECRET, Server, mint, refused_ack, renew, seconds_from_now,
    sign, token, token_valid_for,
};

use server::{Waiting, server};

/// A good token but for these claims; `null` leaves a claim out.
fn with_claims(claims: Value) -> String {
    let mut all = json!({ "sub": "ada", "exp": seconds_from_now(3600) });
    let object = all.as_object_mut().unwrap();
    object.extend(claims.as_object().unwrap().clone());
    object.retain(|_, value| !value.is_null());
    mint(&all, SECRET)
}

fn with_header(header: &str) -> String {
    let payload = with_claims(json!({}));
    sign(
        &URL_SAFE_NO_PAD.encode(header),
        payload.split('.').nth(1).unwrap(),
        SECRET,
    )
}

/// Connections that are refused with a code.
fn refused_connections() -> Vec<(&'static str, String, &'static str)> {
    let forged = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    );
    vec![
        ("/", String::new(), "token_missing"),
        ("/", "blabla".to_owned(), "token_malformed"),
        ("/", "a".repeat(501), "token_too_large"),
        ("/", forged, "token_signature_invalid"),
        (
            "/",
            with_header(r#"{"alg":"HS512"}"#),
            "token_algorithm_not_allowed",
        ),
        (
            "/kids",
            with_header(r#"{"alg":"HS256","kid":"2019"}"#),
            "token_key_unknown",
        ),
        ("/", with_claims(json!({ "exp": 1 })), "token_expired"),
        (
            "/",
            with_claims(json!({ "nbf": seconds_from_now(600) })),
            "token_not_yet_valid",
        ),
        (
            "/issuer",
            with_claims(json!({ "iss": "https://b.example.com" })),
            "token_issuer_invalid",
        ),
        (
            "/",
            with_claims(json!({ "aud": "shop" })),
            "token_audience_invalid",
        ),
        (
            "/",
            with_claims(json!({ "exp": null })),
            "token_claim_missing",
        ),
        (
            "/",
            with_claims(json!({ "sub": 5 })),
            "token_claims_invalid",
        ),
        ("/pages", token("ada"), "origin_not_allowed"),
        ("/", token("nobody"), "user_not_found"),
        ("/", token("denied"), "account suspended"),
        ("/", token("unverified"), "email_unverified"),
        ("/", token("hangs"), "lookup_timeout"),
        ("/", token("broken"), "internal_error"),
        ("/down", token("ada"), "keys_unavailable"),
        ("/slow", token("ada"), "keys_unavailable"),
        (
            "/revocations",
            with_claims(json!({ "jti": "7" })),
            "token_revoked",
        ),
        (
            "/revocations",
            with_claims(json!({ "jti": "full" })),
            "revocations_unavailable",
        ),
        (
            "/revocations",
            with_claims(json!({ "jti": "hangs" })),
            "revocations_unavailable",
        ),
        ("/order", token("ada"), "internal_error"),
    ]
}

/// A refusal of the log: its level, and what the line holds.
type Line = (&'static str, &'static [&'static str]);

/// The lines that the operator reads, in any order. Which claim, header or place of a token is
/// wrong is the matter of other tests.
const LINES: &[Line] = &[
    ("INFO", &["connection refused", "token_missing"]),
    ("INFO", &["connection refused", "token_malformed"]),
    ("INFO", &["connection refused", "token_too_large"]),
    ("INFO", &["connection refused", "token_signature_invalid"]),
    (
        "INFO",
        &["connection refused", "token_algorithm_not_allowed"],
    ),
    ("INFO", &["connection refused", "token_key_unknown"]),
    ("INFO", &["connection refused", "token_expired"]),
    ("INFO", &["connection refused", "token_not_yet_valid"]),
    ("INFO", &["connection refused", "token_issuer_invalid"]),
    ("INFO", &["connection refused", "token_audience_invalid"]),
    ("INFO", &["connection refused", "token_claim_missing"]),
    ("INFO", &["connection refused", "token_claims_invalid"]),
    ("INFO", &["connection refused", "origin_not_allowed"]),
    ("INFO", &["connection refused", "user_not_found"]),
    (
        "DEBUG",
        &[
            "connection refused",
            "user_not_found",
            "the user lookup returned None for a verified token",
        ],
    ),
    ("INFO", &["connection refused", "code=\"denied\""]),
    ("INFO", &["connection refused", "email_unverified"]),
    (
        "INFO",
        &[
            "connection refused",
            "lookup_timeout",
            "the user lookup took longer than 2s; `lookup_timeout` sets the limit",
        ],
    ),
    (
        "ERROR",
        &["connection refused", "internal_error", "the disk is full"],
    ),
    (
        "ERROR",
        &[
            "connection refused",
            "keys_unavailable",
            "no route to the key server",
        ],
    ),
    (
        "ERROR",
        &[
            "connection refused",
            "keys_unavailable",
            "the keys were not there within 100ms; `lookup_timeout` sets the limit",
        ],
    ),
    (
        "ERROR",
        &[
            "namespace=\"/order\"",
            "no session: this namespace has no jwt_auth middleware, or it runs later: socketioxide runs the last `.with` first",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "login_required",
            "a guest, and the handler takes `AuthUser<",
            "::User>`",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "login_required",
            "a guest, and the handler takes `AuthClaims<",
            "::Claims>`",
        ],
    ),
    (
        "INFO",
        &[
            "session ended",
            "login_required",
            "the guest has not logged in within 1ms, the `guest_timeout`",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "forbidden",
            "the policy `",
            "::Admin` does not allow the user",
        ],
    ),
    (
        "ERROR",
        &[
            "namespace=\"/unprotected\"",
            "no session: this namespace has no jwt_auth middleware",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "namespace=\"/unprotected\"",
            "internal_error",
            "no session: this namespace has no jwt_auth middleware",
        ],
    ),
    ("INFO", &["connection refused", "token_revoked"]),
    (
        "DEBUG",
        &[
            "connection refused",
            "token_revoked",
            "the token, its session or its user is in the store of revocations",
        ],
    ),
    (
        "ERROR",
        &[
            "connection refused",
            "revocations_unavailable",
            "the revocation store failed: no connection to the database",
        ],
    ),
    (
        "ERROR",
        &[
            "connection refused",
            "revocations_unavailable",
            "the revocation store did not answer within 100ms; `revocations_timeout` sets the limit",
        ],
    ),
    ("ERROR", &["event failed", "the disk is full"]),
    ("INFO", &["renewal refused", "subject_mismatch"]),
    (
        "DEBUG",
        &[
            "renewal refused",
            "subject_mismatch",
            "the `sub` of the new token is not that of the session",
        ],
    ),
    (
        "DEBUG",
        &[
            "renewal refused",
            "subject_mismatch",
            "the `user_key` of the new user is not that of the session",
        ],
    ),
    (
        "DEBUG",
        &[
            "renewal refused",
            "session_ended",
            "the user was logged out while the renewal ran",
        ],
    ),
    (
        "DEBUG",
        &[
            "connection refused",
            "session_ended",
            "the user was logged out while the connection was under way",
        ],
    ),
    (
        "INFO",
        &[
            "session ended",
            "token_expired",
            "`exp` plus leeway has passed",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "too_many_attempts",
            "20 attempts of this connection were refused; the count ends a minute after the last one",
        ],
    ),
    (
        "DEBUG",
        &[
            "connection refused",
            "too_many_attempts",
            "20 attempts of this connection were refused; the count ends a minute after the last one",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "too_many_attempts",
            "20 renewals of this connection within 10 seconds",
        ],
    ),
    (
        "DEBUG",
        &[
            "event refused",
            "too_many_attempts",
            "a newer renewal of this socket has replaced this one",
        ],
    ),
];

#[tokio::test]
async fn every_code_is_logged_with_its_reason_at_its_level() {
    let log = Log::capture();
    let (server, mut waiting) = server().await;

    for (namespace, token, message) in refused_connections() {
        let client = server.client().namespace(namespace).token(&token);
        let client = client.header("origin", "https://evil.example");
        assert_eq!(client.refusal().await, message, "{token}");
    }
    refuse_events(&server).await;
    end_sessions(&server, &mut waiting).await;
    refuse_renewals(&server, &mut waiting).await;
    exceed_limits(&server).await;

    let lines = log.lines_with("");
    for line in lines.iter().filter(|line| is_refusal(line)) {
        println!("{}", line.split_once(' ').unwrap().1.trim());
    }
    for (level, parts) in LINES {
        assert!(
            lines
                .iter()
                .any(|line| line.contains(level) && parts.iter().all(|part| line.contains(part))),
            "{level} {parts:?} in {}",
            log.text()
        );
    }
    for code in ErrorCode::ALL {
        let field = format!("code=\"{code}\"");
        assert!(lines.iter().any(|line| line.contains(&field)), "{code}");
    }
}

fn is_refusal(line: &str) -> bool {
    ["refused", "ended", "failed", "ERROR"]
        .iter()
        .any(|word| line.contains(word))
}

async fn refuse_events(server: &Server) {
    let mut guest = joined(server, "/guests", None).await;
    for (event, code) in [("post", "login_required"), ("claims", "login_required")] {
        guest.emit_with_ack("/guests", 1, &json!([event])).await;
        guest.expect("/guests", refused_ack(code)).await;
    }

    let mut grace = joined(server, "/", Some(&token("grace"))).await;
    for (event, code) in [("delete", "forbidden"), ("fail", "internal_error")] {
        grace.emit_with_ack("/", 1, &json!([event])).await;
        grace.expect("/", refused_ack(code)).await;
    }

    let mut client = joined(server, "/unprotected", None).await;
    client
        .emit_with_ack("/unprotected", 1, &json!(["post"]))
        .await;
    client
        .expect("/unprotected", refused_ack("internal_error"))
        .await;
}

async fn end_sessions(server: &Server, waiting: &mut Waiting) {
    let mut guest = joined(server, "/short", None).await;
    guest.expect_ended("/short", "login_required").await;

    let (token, _) = token_valid_for(0.5, "grace");
    let mut grace = joined(server, "/", Some(&token)).await;
    grace.expect_ended("/", "token_expired").await;

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &waits("ada")).await;
    waiting.arrived().await;
    disconnect_user(&server.io, "Ada").await.unwrap();
    waiting.gate.open_once();
    raw.expect("/", Received::refused("session_ended")).await;
}

async fn refuse_renewals(server: &Server, waiting: &mut Waiting) {
    let mut ada = joined(server, "/", Some(&token("ada"))).await;
    assert_eq!(
        renew(&mut ada, &token("grace")).await,
        refused_ack("subject_mismatch")
    );
    let renamed = with_claims(json!({ "other_user": "grace" }));
    assert_eq!(
        renew(&mut ada, &renamed).await,
        refused_ack("subject_mismatch")
    );

    for number in 1..=3 {
        let event = json!(["authenticate", { "token": waits("ada") }]);
        ada.emit_with_ack("/", number, &event).await;
    }
    ada.expect("/", refused_ack("too_many_attempts")).await;
    waiting.arrived().await;
    disconnect_user(&server.io, "Ada").await.unwrap();
    waiting.gate.open_once();
    ada.expect_ended("/", "session_ended").await;
}

async fn exceed_limits(server: &Server) {
    let mut refused = joined(server, "/", Some(&token("ada"))).await;
    for _ in 0..20 {
        assert_eq!(
            renew(&mut refused, "blabla").await,
            refused_ack("token_malformed")
        );
    }
    assert_eq!(
        renew(&mut refused, "blabla").await,
        refused_ack("too_many_attempts")
    );
    refused.connect_with_token("/guests", &token("ada")).await;
    refused
        .expect("/guests", Received::refused("too_many_attempts"))
        .await;

    let mut renewed = joined(server, "/", Some(&token("ada"))).await;
    for _ in 0..20 {
        renew(&mut renewed, &token("ada")).await.assert_renewal();
    }
    assert_eq!(
        renew(&mut renewed, &token("ada")).await,
        refused_ack("too_many_attempts")
    );
}

/// A token of a user whose lookup waits at the gate.
fn waits(subject: &str) -> String {
    with_claims(json!({ "sub": subject, "waits": true }))
}

async fn joined(server: &Server, namespace: &str, token: Option<&str>) -> Raw {
    let mut raw = server.raw().await;
    match token {
        Some(token) => raw.connect_with_token(namespace, token).await,
        None => raw.connect(namespace, "").await,
    }
    raw.expect(namespace, Received::Connected).await;
    raw
}
