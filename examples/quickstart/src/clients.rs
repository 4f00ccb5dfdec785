//! Clients that try the server and print what it tells them.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{EncodingKey, Header, encode};
use rust_socketio::{
    Payload,
    asynchronous::{Client, ClientBuilder},
};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(5);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Connects as a user, as a guest and with a forged token.
pub(crate) async fn try_everything(server: SocketAddr, secret: String) {
    let url = format!("http://{server}");
    let token = mint(&secret);
    let attempts = [
        ("Ada, with her token", json!({ "token": token })),
        ("a guest, without a token", json!({})),
        ("a forger, with a token signed by somebody else", json!({ "token": mint(&random_secret()) })),
    ];
    for (who, auth) in attempts {
        println!("{who}:");
        if let Err(error) = try_one(&url, auth).await {
            println!("  failed: {error}");
        }
    }
    println!("\nThe server goes on at {url} (Ctrl+C ends it). Ada's token, good for an hour:\n{token}");
}

/// Prints the first thing that the client hears; one that was let in posts, and prints the answer.
async fn try_one(url: &str, auth: Value) -> Result<(), Failure> {
    let (heard, mut hearing) = unbounded_channel();
    let client = connect(url, auth, heard.clone()).await?;
    if print_next(&mut hearing).await? == "welcome" {
        client.emit_with_ack("post", "hello", PATIENCE, tell(heard, "post is answered")).await?;
        print_next(&mut hearing).await?;
    }
    // A client that was refused is not connected to anything.
    client.disconnect().await.ok();
    Ok(())
}

type Heard = UnboundedSender<(&'static str, Payload)>;

async fn connect(url: &str, auth: Value, heard: Heard) -> Result<Client, Failure> {
    let client = ClientBuilder::new(url)
        .auth(auth)
        .reconnect(false)
        .on("welcome", tell(heard.clone(), "welcome"))
        .on("error", tell(heard, "refused"));
    Ok(client.connect().await?)
}

/// A callback that passes on what the client heard.
fn tell(
    heard: Heard,
    name: &'static str,
) -> impl FnMut(Payload, Client) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync {
    move |payload, _| {
        heard.send((name, payload)).ok();
        Box::pin(async {})
    }
}

async fn print_next(hearing: &mut UnboundedReceiver<(&'static str, Payload)>) -> Result<&'static str, Failure> {
    let (name, payload) = timeout(PATIENCE, hearing.recv()).await?.ok_or("the connection ended")?;
    match payload {
        Payload::Text(values) => println!("  {name}: {}", Value::Array(values)),
        other => println!("  {name}: {other:?}"),
    }
    Ok(name)
}

/// What the issuer of the tokens does. Here it lives in the same program.
fn mint(secret: &str) -> String {
    let expires = SystemTime::now() + Duration::from_secs(3600);
    let expires = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = json!({ "sub": "1", "exp": expires });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).expect("HS256 takes any secret")
}

/// As many bits as HS256 asks for.
pub(crate) fn random_secret() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}
