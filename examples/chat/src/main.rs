//! A chat with a web page, a database, guests, logins and moderators.

mod chat;
mod db;
mod login;

use std::{env, error::Error, fs, hash::Hash, net::SocketAddr, num::NonZero, path::Path, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue},
    middleware::map_response_with_state,
    response::{Redirect, Response},
    routing::{MethodRouter, get, get_service},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jsonwebtoken::EncodingKey;
use socketioxide::{SocketIo, handler::ConnectHandler};
use tokio::net::TcpListener;
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
    let listener = TcpListener::bind(env::var("CHAT_ADDR").as_deref().unwrap_or("127.0.0.1:3000")).await?;
    let url = env::var("CHAT_URL").unwrap_or(format!("http://{}", listener.local_addr()?));
    let token_life = Duration::from_secs(env::var("TOKEN_SECONDS").map_or(Ok(120), |seconds| seconds.parse())?);

    let chat = Chat { db: db.clone(), posts: limit(const { NonZero::new(5).unwrap() }, Duration::from_secs(1)) };
    let (layer, io) = SocketIo::builder().with_state(chat).ws_max_message_size(64 * 1024).build_layer();
    let authenticate = chat::authenticate::builder().expiry_warning(token_life / 4).build()?;
    io.ns("/", chat::on_connect.with(authenticate));

    let login = Login {
        db,
        io,
        key: EncodingKey::from_secret(env::var("JWT_SECRET")?.as_bytes()),
        token_life,
        https: url.starts_with("https:"),
        attempts: limit(const { NonZero::new(10).unwrap() }, Duration::from_secs(6)),
        nobodys_hash: hash_password(&random_hex::<16>())?.into(),
    };
    let (client, scripts) = client_script();
    let app = login::routes(login)
        .route("/socket.io-client.js", client)
        .fallback_service(ServeDir::new(format!("{HOME}/static")))
        .layer(layer)
        .layer(map_response_with_state(scripts, secure));
    println!("The chat is open: {url}");
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

/// Reads `.env`, and makes one for development if there is no secret.
fn find_secret(file: &Path) -> Result<(), Box<dyn Error>> {
    if env::var_os("JWT_SECRET").is_some() {
        return Ok(());
    }
    if !file.exists() {
        fs::write(file, format!("JWT_SECRET={}\n", random_hex::<32>()))?;
    }
    eprintln!("Warning: JWT_SECRET is not set. Using the one in {}, which is for development.", file.display());
    Ok(dotenvy::from_path(file).map(drop)?)
}

async fn make_users(db: &Db) -> Result<(), Box<dyn Error>> {
    println!("Three users were made. Their passwords are shown this once:\n");
    for (name, role) in [("Maya", Role::Member), ("Jonas", Role::Moderator), ("Priya", Role::Admin)] {
        let password = random_hex::<8>();
        db.add_user(name, role, &hash_password(&password)?).await?;
        println!("  {name:<8}{password}   {role:?}");
    }
    println!();
    Ok(())
}

/// So many at once, then one in each period.
fn limit<K: Hash + Eq + Clone + Send + Sync + 'static>(
    burst: NonZero<u32>,
    period: Duration,
) -> Arc<DefaultKeyedRateLimiter<K>> {
    let quota = Quota::with_period(period).expect("a period that is not zero").allow_burst(burst);
    let limiter = Arc::new(RateLimiter::keyed(quota));
    let quiet = Arc::clone(&limiter);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_mins(1)).await;
            quiet.retain_recent();
        }
    });
    limiter
}

/// The client library: from `node_modules` if it is there, else from its CDN. And where it comes from in the end.
fn client_script() -> (MethodRouter, &'static str) {
    let folders = [format!("{HOME}/node_modules"), format!("{HOME}/../../tests/browser/node_modules")];
    let mut files = folders.iter().map(|folder| Path::new(folder).join("socket.io-client/dist/socket.io.min.js"));
    match files.find(|file| file.is_file()) {
        Some(file) => (get_service(ServeFile::new(file)), "'self'"),
        None => (get(async || Redirect::temporary(CLIENT)), "'self' https://cdn.socket.io"),
    }
}

async fn secure(State(scripts): State<&'static str>, mut response: Response) -> Response {
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    let headers = [
        ("content-security-policy", policy.as_str()),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-cache"),
    ];
    for (name, value) in headers {
        response.headers_mut().extend(HeaderValue::from_str(value).map(|value| (HeaderName::from_static(name), value)));
    }
    response
}
