//! A chat with a web page, a database, guests, logins and moderators.

mod chat;
mod db;
mod devices;
mod login;
mod moderation;

use std::{
    env,
    error::Error,
    fs::{self, OpenOptions},
    io::Write,
    net::{IpAddr, SocketAddr},
    num::NonZero,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::FromRef,
    http::{HeaderValue, header},
    middleware::map_response,
    response::{Redirect, Response},
    routing::get,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jsonwebtoken::EncodingKey;
use socketioxide::{SocketIo, handler::ConnectHandler};
use socketioxide_jwt_auth::{CompactHandshakeLayer, JwtAuth, Revocations};
use tokio::{net::TcpListener, runtime::Runtime};
use tower_http::services::ServeDir;

use chat::authenticate;
use db::{Db, Role};
use login::{hash_password, random_hex};

/// The folder of this example.
const HOME: &str = env!("CARGO_MANIFEST_DIR");

/// The client library, the same file as in the npm package. The page contains its hash.
const CLIENT: &str = "https://cdn.socket.io/4.8.3/socket.io.min.js";

/// Allows the page only what it needs: for example, scripts from this server and from the CDN of
/// socket.io.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' https://cdn.socket.io; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// The state that requests and sockets share.
struct App {
    db: Db,
    /// The tokens that are refused before they expire. With several servers it would be
    /// `RedisRevocations`.
    revocations: Revocations,
    key: EncodingKey,
    token_seconds: u64,
    https: bool,
    /// The hash that is checked for an unknown name, so that it takes as long as a known one.
    dummy_hash: String,
    logins: DefaultKeyedRateLimiter<IpAddr>,
    posts: DefaultKeyedRateLimiter<i64>,
}

/// The state of the HTTP routes.
#[derive(Clone)]
struct Web {
    app: Arc<App>,
    /// Checks access tokens, as it does for sockets.
    auth: JwtAuth<authenticate>,
    io: SocketIo,
}

impl FromRef<Web> for Arc<App> {
    fn from_ref(web: &Web) -> Self {
        Self::clone(&web.app)
    }
}

impl FromRef<Web> for JwtAuth<authenticate> {
    fn from_ref(web: &Web) -> Self {
        web.auth.clone()
    }
}

impl FromRef<Web> for SocketIo {
    fn from_ref(web: &Web) -> Self {
        web.io.clone()
    }
}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(setting("RUST_LOG", "warn"))
        .with_writer(std::io::stderr)
        .init();
    let folder = setting("CHAT_DATA", &format!("{HOME}/data"));
    fs::create_dir_all(&folder)?;
    // Runs before threads start: changing the environment is safe only while no other thread reads
    // it.
    find_secret(&Path::new(&folder).join(".env"))?;
    Runtime::new()?.block_on(serve(Path::new(&folder)))
}

async fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(setting("CHAT_ADDR", "127.0.0.1:3000")).await?;
    let url = setting("CHAT_URL", &format!("http://{}", listener.local_addr()?));

    let db = Db::open(&folder.join("chat.db")).await?;
    if !db.has_users().await? {
        make_users(&db).await?;
    }

    let token_seconds = setting("TOKEN_SECONDS", "120").parse()?;
    let revocations = Revocations::in_memory().max_token_life(Duration::from_secs(token_seconds));
    let auth = authenticate::builder()
        .revocations(revocations.clone())
        .build()?;

    let app = Arc::new(App {
        db,
        revocations,
        key: EncodingKey::from_secret(env::var("JWT_SECRET")?.as_bytes()),
        token_seconds,
        https: url.starts_with("https:"),
        dummy_hash: hash_password(&random_hex())?,
        logins: RateLimiter::keyed(Quota::per_minute(const { NonZero::new(10).unwrap() })),
        posts: RateLimiter::keyed(Quota::per_second(const { NonZero::new(5).unwrap() })),
    });

    let (layer, io) = SocketIo::builder()
        .with_state(Arc::clone(&app))
        .ws_max_message_size(64 * 1024)
        .ws_read_buffer_size(1024)
        .build_layer();
    io.ns("/", chat::on_connect.with(auth.clone()));

    let routes = login::routes()
        .merge(devices::routes())
        .with_state(Web { app, auth, io })
        .merge(pages())
        .layer(layer)
        // With the smaller buffer it saves 11 KB of memory per open page.
        .layer(CompactHandshakeLayer::new())
        .layer(map_response(secure));
    println!("The chat is open: {url}");
    Ok(axum::serve(
        listener,
        routes.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await?)
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Loads `.env` if `JWT_SECRET` is not set. Creates the file for development if it does not exist.
fn find_secret(file: &Path) -> Result<(), Box<dyn Error>> {
    if env::var_os("JWT_SECRET").is_some() {
        return Ok(());
    }

    if !file.exists() {
        let mut options = OpenOptions::new();
        // Other users of the machine must not read it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.write(true).create_new(true).open(file)?;
        writeln!(file, "JWT_SECRET={}", random_hex())?;
    }

    eprintln!(
        "Warning: JWT_SECRET is not set. Using the one in {}, which is for development.",
        file.display()
    );
    Ok(dotenvy::from_path(file)?)
}

async fn make_users(db: &Db) -> Result<(), Box<dyn Error>> {
    println!("Three users were made. Their passwords are shown this once:\n");

    for (name, role) in [
        ("Maya", Role::Member),
        ("Jonas", Role::Moderator),
        ("Priya", Role::Admin),
    ] {
        let password = &random_hex()[..16];
        db.add_user(name, role, &hash_password(password)?).await?;
        println!("  {name:<8}{password}   {role:?}");
    }

    println!();
    Ok(())
}

/// Serves the page, the client that keeps it authenticated, and the client library, which comes
/// from `node_modules` if it is installed, else from its CDN.
fn pages() -> Router {
    let modules = setting("NODE_MODULES", &format!("{HOME}/node_modules"));
    let client = ServeDir::new(format!("{modules}/socket.io-client/dist"));

    Router::new()
        .nest_service(
            "/client",
            client.fallback(get(async || Redirect::temporary(CLIENT))),
        )
        .nest_service(
            "/auth-client",
            ServeDir::new(format!("{HOME}/../../client/src")),
        )
        .fallback_service(ServeDir::new(format!("{HOME}/static")))
}

async fn secure(mut response: Response) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    response
        .headers_mut()
        .extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
