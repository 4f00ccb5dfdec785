//! What is revoked, which sockets it concerns, and how often the store is asked.

use std::time::{Duration, UNIX_EPOCH};

use socketioxide_jwt_auth::{Verifier, refresh_user};
use socketioxide_jwt_auth_tests::{Log, refused_ack, renew, renewed_until};

use super::*;

#[tokio::test]
async fn each_scope_ends_its_open_sockets_and_refuses_their_tokens() {
    let revocations = [
        Revocation::token("7"),
        Revocation::session("s"),
        Revocation::user("ada"),
    ];
    let others = [
        json!({ "jti": "8" }),
        json!({ "sid": "t" }),
        json!({ "sub": "grace" }),
    ];
    for (revocation, other) in revocations.into_iter().zip(others) {
        let (test, store) = Test::in_memory().await;
        let (mut first, mut second) = (test.ready(json!({})).await, test.ready(json!({})).await);
        let mut kept = test.ready(other.clone()).await;
        revoke(&store, revocation.clone()).await;
        expect_revoked(&mut first).await;
        expect_revoked(&mut second).await;

        assert_eq!(
            test.outcome(json!({})).await,
            "token_revoked",
            "{revocation:?}"
        );
        assert_eq!(test.outcome(other.clone()).await, "good", "{revocation:?}");
        let name = other["sub"].as_str().unwrap_or("ada");
        expect_open(&mut kept, name).await;
    }
}

#[tokio::test]
async fn a_user_is_revoked_up_to_a_time_and_without_iat() {
    let (test, store) = Test::in_memory().await;
    let noon = seconds_from_now(-60);
    let claims = |iat: i64| json!({ "iat": iat });
    let mut covered = test.ready(claims(noon)).await;
    let mut later = test.ready(claims(noon + 1)).await;
    let mut undated = test.ready(json!({ "iat": null })).await;
    let time = UNIX_EPOCH + Duration::from_secs(noon.try_into().unwrap());
    revoke(&store, Revocation::user("ada").issued_before(time)).await;

    expect_revoked(&mut covered).await;
    expect_revoked(&mut undated).await;
    expect_open(&mut later, "ada").await;
    assert_eq!(test.outcome(claims(noon)).await, "token_revoked");
    assert_eq!(test.outcome(claims(noon + 1)).await, "good");
    assert_eq!(test.outcome(json!({ "iat": null })).await, "token_revoked");
    assert_eq!(
        test.outcome(json!({ "iat": null, "sub": "grace" })).await,
        "good"
    );
}

#[tokio::test]
async fn the_keys_of_the_application_count_before_sub_and_sid() {
    let (test, store) = (Test::start().await, Revocations::in_memory());
    let builder = log_in::builder()
        .user_key(|member: &Member| format!("key of {}", member.name))
        .session_key(|claims: &Claims| claims.device.clone())
        .revocations(store.clone());
    test.serve("/", builder);
    let mut phone = test.ready(json!({ "device": "phone" })).await;
    // Without a key of the application the `sid` claim counts.
    let mut unnamed = test.ready(json!({})).await;
    let mut grace = test.ready(json!({ "sub": "grace", "sid": "t" })).await;

    revoke(&store, Revocation::user("ada")).await;
    revoke(&store, Revocation::session("s")).await;
    expect_revoked(&mut unnamed).await;
    expect_open(&mut phone, "ada").await;
    revoke(&store, Revocation::session("phone")).await;
    expect_revoked(&mut phone).await;
    expect_open(&mut grace, "grace").await;
    revoke(&store, Revocation::user("key of grace")).await;
    expect_revoked(&mut grace).await;
}

#[tokio::test]
async fn a_token_without_any_key_is_let_in() {
    let (test, store) = Test::in_memory().await;
    let claims = json!({ "jti": null, "sid": null });
    let mut client = test.ready(claims).await;
    revoke(&store, Revocation::token("")).await;
    revoke(&store, Revocation::session("s")).await;
    expect_open(&mut client, "ada").await;
}

#[tokio::test]
async fn a_guest_is_not_asked_about_and_every_authentication_once() {
    let (test, store) = Test::scripted().await;
    let mut client = ready(&test.server, "/", None).await;

    assert_eq!(store.asked(), 0);
    renewed_until(&renew(&mut client, &good(json!({}))).await);
    assert_eq!(store.asked(), 1, "a login");
    renewed_until(&renew(&mut client, &good(json!({ "jti": "8" }))).await);
    assert_eq!(store.asked(), 2, "a renewal");
    assert_eq!(refresh_user(&test.server.io, "ada").await, 1);
    assert_eq!(store.asked(), 3, "a re-check");
    let _other = test.ready(json!({})).await;
    assert_eq!(store.asked(), 4, "a connection");
    assert_eq!(test.outcome(json!({ "exp": 1 })).await, "token_expired");
    assert_eq!(store.asked(), 4, "a token that is refused before");
}

#[tokio::test]
async fn two_namespaces_with_two_stores_do_not_mix() {
    let test = Test::start().await;
    let (first, second) = (Revocations::in_memory(), Revocations::in_memory());
    test.serve("/", log_in::builder().revocations(first.clone()));
    test.serve("/second", log_in::builder().revocations(second.clone()));
    test.serve("/without", log_in::builder());
    let mut client = test.ready(json!({})).await;
    for namespace in ["/second", "/without"] {
        client.connect_with_token(namespace, &good(json!({}))).await;
        client.expect(namespace, Received::Connected).await;
        let (_, ready) = client.next().await;
        assert_eq!(ready, Received::event("ready", json!(null)));
    }

    revoke(&second, Revocation::token("7")).await;
    client.expect_ended("/second", "token_revoked").await;
    expect_open(&mut client, "ada").await;
    revoke(&first, Revocation::user("ada")).await;
    expect_revoked(&mut client).await;
    client
        .emit_with_ack("/without", 1, &json!(["whoami"]))
        .await;
    client.expect("/without", Received::ack(json!("ada"))).await;
}

#[tokio::test]
async fn the_verifier_of_the_middleware_asks_the_same_store() {
    let store = Revocations::in_memory();
    let middleware = log_in::builder()
        .revocations(store.clone())
        .build()
        .unwrap();
    let verifier: Verifier = middleware.verifier().clone();
    let token = good(json!({}));
    verifier.verify::<Value>(&token).await.unwrap();
    revoke(&store, Revocation::token("7")).await;
    let error = verifier.verify::<Value>(&token).await.unwrap_err();
    assert_eq!(error.code(), "token_revoked");
}

#[tokio::test]
async fn a_renewal_counts_by_its_own_token() {
    let (test, store) = Test::in_memory().await;
    let mut client = test.ready(json!({})).await;
    let renewal = good(json!({ "jti": "8", "sid": "t" }));
    renewed_until(&renew(&mut client, &renewal).await);
    revoke(&store, Revocation::token("7")).await;
    revoke(&store, Revocation::session("s")).await;
    expect_open(&mut client, "ada").await;
    revoke(&store, Revocation::token("8")).await;
    expect_revoked(&mut client).await;
}

#[tokio::test]
async fn a_renewal_with_a_revoked_token_leaves_the_session_as_it_is() {
    let (mut test, store) = Test::in_memory().await;
    revoke(&store, Revocation::token("8")).await;
    let mut client = test.ready(json!({})).await;
    client.emit_with_ack("/", 1, &json!(["watch"])).await;
    client.expect("/", Received::ack(json!("watching"))).await;

    // Also one that would not replace the session, because it is older.
    for iat in [0, -60] {
        let revoked = good(json!({ "jti": "8", "iat": seconds_from_now(iat) }));
        assert_eq!(
            renew(&mut client, &revoked).await,
            refused_ack("token_revoked")
        );
    }
    expect_open(&mut client, "ada").await;
    assert!(
        test.records.unread().is_empty(),
        "the session has not ended"
    );
    renewed_until(&renew(&mut client, &good(json!({ "jti": "9" }))).await);
    revoke(&store, Revocation::token("9")).await;
    expect_revoked(&mut client).await;
    assert_eq!(test.records.next().await, "ada ended");
}

#[tokio::test]
async fn a_guest_with_a_revoked_token_stays_a_guest() {
    let (test, store) = Test::in_memory().await;
    revoke(&store, Revocation::token("7")).await;
    let mut client = ready(&test.server, "/", None).await;
    assert_eq!(
        renew(&mut client, &good(json!({}))).await,
        refused_ack("token_revoked")
    );
    let answer = emit_with_ack(&mut client, "whoami", &Value::Null).await;
    assert_eq!(answer, refused_ack("login_required"));
    renewed_until(&renew(&mut client, &good(json!({ "jti": "8" }))).await);
    expect_open(&mut client, "ada").await;
}

#[tokio::test]
async fn refusals_and_ends_are_logged_with_their_reason() {
    let log = Log::capture();
    let (test, store) = Test::in_memory().await;
    let mut client = test.ready(json!({})).await;
    revoke(&store, Revocation::token("7")).await;
    expect_revoked(&mut client).await;
    assert_eq!(test.outcome(json!({})).await, "token_revoked");

    let reason = "the token, its session or its user is in the store of revocations";
    let ended = log.lines_with("session ended");
    assert_eq!(ended.len(), 1, "{ended:?}");
    for part in ["INFO", "code=\"token_revoked\"", reason] {
        assert!(ended[0].contains(part), "{ended:?}");
    }
    let refused = log.lines_with("connection refused");
    assert!(refused[0].contains("INFO") && refused[0].contains("code=\"token_revoked\""));
    assert!(refused[1].contains("DEBUG") && refused[1].contains(reason));
}
