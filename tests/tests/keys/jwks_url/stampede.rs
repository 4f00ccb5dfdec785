//! A thousand clients at once.

use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth_tests::{
    Raw, Received, Server, authenticate, greet,
    issuer::{Issuer, KEYS, SigningKey},
};

const CLIENTS: usize = 1000;

/// Connects each client with a token that names a different key.
async fn ask_all(clients: &mut [Raw], key: &SigningKey, wave: &str) {
    let spawn_verification = clients
        .iter_mut()
        .enumerate()
        .map(async |(number, client)| {
            let token = key.token_with_kid(Some(&format!("{wave} {number}")));
            client.connect_with_token("/", &token).await;
            client
                .expect("/", Received::refused("token_key_unknown"))
                .await;
        });
    join_all(spawn_verification).await;
}

#[tokio::test]
async fn a_thousand_clients_with_unknown_keys_cost_two_requests() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::with_keys(&[&key]).await;
    let server = Server::start().await;
    let middleware = authenticate::builder()
        .jwks_url(issuer.url(KEYS))
        .algorithm("EdDSA")
        .build()
        .unwrap();
    server.io.ns("/", greet.with(middleware));
    let mut clients = join_all((0..CLIENTS).map(|_| server.raw())).await;

    ask_all(&mut clients, &key, "before there is a set").await;
    let first = issuer.requests();
    ask_all(&mut clients, &key, "when there is a set").await;
    let second = issuer.requests();
    ask_all(&mut clients, &key, "soon after that").await;
    println!(
        "{CLIENTS} connections, each with an unknown kid: {first} request; {CLIENTS} times again: {second} requests in \
         all; and again: {} requests in all",
        issuer.requests()
    );
    assert_eq!((first, second, issuer.requests()), (1, 2, 2));

    let mut honest = server.raw().await;
    honest.connect_with_token("/", &key.token()).await;
    honest.expect("/", Received::Connected).await;
    assert_eq!(issuer.requests(), 2);
}
