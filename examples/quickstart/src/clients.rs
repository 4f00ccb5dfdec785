//! Clients that try the server and print its answers.

use std::{env, error::Error, net::SocketAddr};

use serde_json::{Value, json};
use socketioxide_jwt_auth::testing::{Refusal, TestClient, TestIssuer};

/// Returns an issuer for this run, and where the server listens: `cargo run -p quickstart -- 127.0.0.1:4000`.
pub(crate) fn settings() -> (TestIssuer, String) {
    let address = env::args().nth(1);
    (
        TestIssuer::new(),
        address.unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
    )
}

/// Connects as a user, as a guest and with a forged token.
pub(crate) async fn try_everything(server: SocketAddr, issuer: TestIssuer) {
    let token = issuer.token("1").sign();
    let attempts = [
        ("Ada, with her token", json!({ "token": token })),
        ("a guest, without a token", json!({})),
        (
            "a forger, with a token signed with another secret",
            json!({ "token": issuer.token("1").forged().sign() }),
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
