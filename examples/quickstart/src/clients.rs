//! Clients that try the server and print its answers.

use std::{
    env,
    error::Error,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{
    EncodingKey, Header,
    crypto::{CryptoProvider, aws_lc},
    encode,
};
use serde_json::{Value, json};
use socketioxide_jwt_auth_test_client::{Refusal, TestClient};

/// Returns a secret for this run, and where the server listens: `cargo run -p quickstart -- 127.0.0.1:4000`.
pub(crate) fn settings() -> (String, String) {
    (
        random_secret(),
        env::args()
            .nth(1)
            .unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
    )
}

/// Connects as a user, as a guest and with a forged token.
pub(crate) async fn try_everything(server: SocketAddr, secret: String) {
    // jsonwebtoken chooses a backend only if one is compiled in; the tests of the workspace compile
    // both.
    CryptoProvider::install_default(&aws_lc::DEFAULT_PROVIDER).ok();

    let token = mint(&secret);
    let attempts = [
        ("Ada, with her token", json!({ "token": token })),
        ("a guest, without a token", json!({})),
        (
            "a forger, with a token signed with another secret",
            json!({ "token": mint(&random_secret()) }),
        ),
    ];

    for (who, auth) in attempts {
        println!("{who}:");
        if let Err(error) = try_one(server, auth).await {
            println!("  failed: {error}{}", causes(&*error));
        }
    }
    println!(
        "\nThe server goes on at http://{server} (Ctrl+C ends it). Ada's token, good for an hour:\n{token}"
    );
}

/// Prints the refusal, or the first event and the answer to a post.
async fn try_one(server: SocketAddr, auth: Value) -> Result<(), Box<dyn Error>> {
    let mut client = match TestClient::connect(server).auth(auth).await {
        Ok(client) => client,
        Err(refusal @ Refusal::ConnectError(_)) => {
            println!("  refused: {}", refusal.code());
            return Ok(());
        }
        Err(failure) => return Err(failure.into()),
    };

    print("welcome", &client.next_event("welcome").await?);
    print(
        "post is answered",
        &client.emit_with_ack("post", "hello").await?,
    );
    client.disconnect().await?;
    Ok(())
}

/// Prints the arguments: a string without its quotes, everything else as JSON.
fn print(name: &str, arguments: &Value) {
    let arguments = arguments.as_array().into_iter().flatten();
    let shown = arguments.map(|argument| {
        argument
            .as_str()
            .map_or_else(|| argument.to_string(), str::to_owned)
    });
    println!("  {name}: {}", shown.collect::<Vec<_>>().join(", "));
}

fn causes(error: &dyn Error) -> String {
    error
        .source()
        .map_or_else(String::new, |cause| format!(": {cause}{}", causes(cause)))
}

/// Makes a token, as the issuer does. In this example the issuer is part of the program.
fn mint(secret: &str) -> String {
    let expires = SystemTime::now() + Duration::from_secs(3600);
    let expires = expires
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let claims = json!({ "sub": "1", "exp": expires });

    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .expect("HS256 takes any secret")
}

/// Returns a random secret with the 256 bits that HS256 requires.
fn random_secret() -> String {
    format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    )
}
