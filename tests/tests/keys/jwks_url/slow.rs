//! Issuers that answer slowly or never.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth_tests::issuer::{
    HostileIssuer, SigningKey, advance_time, outcome, spawn_verification,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use super::hostile::good_answer;

/// The time limit of a request.
const LIMIT: Duration = Duration::from_secs(5);

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

/// Returns the outcome of a verification whose request times out.
async fn outcome_after_the_limit(issuer: &HostileIssuer) -> &'static str {
    let verifier = issuer.verifier().build().unwrap();
    let caller = spawn_verification(&verifier, key().token());
    issuer.wait_for_requests(1).await;
    advance_time(LIMIT).await;
    caller.await.unwrap()
}

async fn hold(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

#[tokio::test]
async fn headers_that_never_come_are_not_waited_for() {
    let issuer = HostileIssuer::start(hold).await;
    assert_eq!(outcome_after_the_limit(&issuer).await, "keys_unavailable");
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let issuer = HostileIssuer::start(|mut stream| async move {
        let answer = good_answer(&key());
        stream.write_all(&answer[..answer.len() - 1]).await.unwrap();
        hold(stream).await;
    })
    .await;
    assert_eq!(outcome_after_the_limit(&issuer).await, "keys_unavailable");
}

/// In real time: each byte comes within the limit, but all of them together do not.
#[tokio::test]
async fn a_body_that_comes_byte_by_byte_has_one_limit_as_a_whole() {
    let issuer = HostileIssuer::start(|mut stream| async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        for byte in good_answer(&key()) {
            ticks.tick().await;
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    let verifier = issuer.verifier().build().unwrap();

    let begin = Instant::now();
    assert_eq!(outcome(&verifier, &key().token()).await, "keys_unavailable");
    let waited = begin.elapsed();
    assert!(
        LIMIT - Duration::from_millis(50) <= waited && waited < LIMIT + Duration::from_secs(1),
        "{waited:?}"
    );
}

/// The kernel accepts the connection, and the server never reads from it.
#[tokio::test]
async fn a_server_that_does_not_read_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let verifier = socketioxide_jwt_auth::Verifier::builder()
        .jwks_url(url)
        .algorithm("EdDSA")
        .build()
        .unwrap();
    let caller = spawn_verification(&verifier, key().token());
    let connection = listener.accept().await.unwrap();

    advance_time(LIMIT).await;
    assert_eq!(caller.await.unwrap(), "keys_unavailable");
    drop(connection);
}
