//! Shows a user on two nodes that gets messages, is logged out, and whose tokens are revoked.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{
    EncodingKey, Header,
    crypto::{CryptoProvider, aws_lc},
    encode,
};
use serde_json::{Value, json};

use crate::{
    Failure,
    clients::{Client, print_who_am_i},
    processes::{start_node, start_redis},
};

pub(crate) async fn run() -> Result<(), Failure> {
    // jsonwebtoken chooses a backend only if one is compiled in; the tests of the workspace compile
    // both.
    CryptoProvider::install_default(&aws_lc::DEFAULT_PROVIDER).ok();
    // Every node must have the same keys.
    let secret = format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    );
    let (_redis, redis) = start_redis().await?;
    let (_first, first) = start_node(&redis, &secret).await?;
    let (_second, second) = start_node(&redis, &secret).await?;
    eprintln!("Redis at {redis}, node 1 at {first}, node 2 at {second}");

    println!("Ada connects to node 1, Grace to both, and a guest to node 2:");
    let grace_token = || mint(&secret, &json!({ "sub": "grace" }));
    let ada = mint(&secret, &json!({ "sub": "ada", "admin": true }));
    let mut ada = Client::connect("Ada on node 1", &first, Some(ada)).await?;
    let mut graces = vec![
        Client::connect("Grace on node 1", &first, Some(grace_token())).await?,
        Client::connect("Grace on node 2", &second, Some(grace_token())).await?,
    ];
    let mut guest = Client::connect("the guest on node 2", &second, None).await?;

    println!("Ada writes to Grace:");
    write_to_grace(&mut ada, &mut graces, "hello").await?;

    println!("The guest logs in as Grace, without connecting again, and Ada writes once more:");
    guest
        .ask("authenticate", json!({ "token": grace_token() }))
        .await?;
    graces.push(guest);
    write_to_grace(&mut ada, &mut graces, "hello again").await?;

    println!("Grace may not log users out, but Ada may:");
    graces[1].ask("log_out", json!("ada")).await?;
    ada.ask("log_out", json!("grace")).await?;
    for grace in &mut graces {
        grace.print_next("unauthorized").await?;
        grace.print_end().await?;
    }

    println!("Grace's token is still valid, on sockets and over HTTP:");
    let token = grace_token();
    let mut grace = Client::connect("Grace on node 2", &second, Some(token.clone())).await?;
    print_who_am_i("Grace on node 2", &second, &token).await?;

    println!("Ada revokes Grace's tokens on node 1, which reaches node 2:");
    ada.ask("revoke", json!("grace")).await?;
    grace.print_next("unauthorized").await?;
    grace.print_end().await?;
    Client::print_refusal("Grace on node 2", &second, &token).await?;
    print_who_am_i("Grace on node 2", &second, &token).await?;

    println!("Ada is still there:");
    ada.emit("message", json!({ "to": "ada", "text": "note to myself" }))
        .await?;
    ada.print_next("message").await?;
    ada.leave().await
}

async fn write_to_grace(
    ada: &mut Client,
    graces: &mut [Client],
    text: &str,
) -> Result<(), Failure> {
    ada.emit("message", json!({ "to": "grace", "text": text }))
        .await?;
    for grace in graces {
        grace.print_next("message").await?;
    }
    Ok(())
}

/// Makes a token, as the issuer does. In this example the issuer is part of the program.
fn mint(secret: &str, user: &Value) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let mut claims = user.clone();
    // A revocation of a user concerns the tokens that were issued before it.
    claims["iat"] = json!(now.as_secs());
    claims["exp"] = json!((now + Duration::from_secs(3600)).as_secs());

    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .expect("HS256 takes any secret")
}
