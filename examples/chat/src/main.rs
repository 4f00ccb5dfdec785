//! A chat with a web page, a database, guests, logins and moderators.

mod chat;
mod db;
mod login;

use std::{env, error::Error, fs, net::SocketAddr, num::NonZero, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderName, HeaderValue},
    middleware::map_response,
    response::{Redirect, Response},
    routing::{MethodRouter, get, get_service},
};
use governor::{Quota, RateLimiter};
use jsonwebtoken::EncodingKey;
use socketioxide::{SocketIo, handler::ConnectHandler};
use tower_http::services::{ServeDir, ServeFile};

use chat::Chat;
use db::{Db, Role};
use login::{Login, hash_password, random_hex};

/// The folder of this example.
const HOME: &str = env!("CARGO_MANIFEST_DIR");
const CLIENT: &str = "https://cdn.socket.io/4.8.3/socket.io.min.js";

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned())).init();
    let folder = env::var("CHAT_DATA").unwrap_or_else(|_| format!("{HOME}/data"));
    fs::create_dir_all(&folder)?;
    // Before the runtime starts its threads: an environment changes safely only while nobody else reads it.
    find_secret(&Path::new(&folder).join(".env"))?;
    tokio::runtime::Runtime::new()?.block_on(serve(Path::new(&folder)))
}

async fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    let db = Db::open(&folder.join("chat.db")).await?;
    if !db.has_users().await? {
        make_users(&db).await?;
    }
    let listener =
        tokio::net::TcpListener::bind(env::var("CHAT_ADDR").as_deref().unwrap_or("127.0.0.1:3000")).await?;
    let url = env::var("CHAT_URL").or_else(|_| Ok::<_, Box<dyn Error>>(format!("http://{}", listener.local_addr()?)))?;
    let token_life = Duration::from_secs(env::var("TOKEN_SECONDS").map_or(Ok(120), |seconds| seconds.parse())?);

    let posts = Arc::new(RateLimiter::keyed(Quota::per_second(NonZero::<u32>::MIN).allow_burst(burst(5))));
    let chat = Chat { db: db.clone(), posts };
    let (layer, io) = SocketIo::builder().with_state(chat).ws_max_message_size(64 * 1024).build_layer();
    let authenticate = chat::authenticate::builder().expiry_warning(token_life / 4).build()?;
    io.ns("/", chat::on_connect.with(authenticate));

    let login = Login {
        db,
        io,
        key: EncodingKey::from_secret(env::var("JWT_SECRET")?.as_bytes()),
        token_life,
        https: url.starts_with("https:"),
        attempts: Arc::new(RateLimiter::keyed(Quota::with_period(Duration::from_secs(6)).unwrap().allow_burst(burst(10)))),
        nobodys_hash: hash_password(&random_hex::<16>()).map_err(|error| error.to_string())?.into(),
    };
    println!("The chat is open: {url}");
    Ok(())
}
