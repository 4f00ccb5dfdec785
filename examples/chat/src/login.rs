//! Passwords, access tokens and refresh tokens, over HTTP.

use std::{net::SocketAddr, sync::Arc};

use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, header::USER_AGENT},
    routing::post,
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use jsonwebtoken::{Header, encode, get_current_timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use socketioxide::SocketIo;
use socketioxide_jwt_auth::{Action, AuthError, ErrorCode};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{App, Web, devices};

/// An error becomes the response: its code and its message as JSON. The cause of an internal one
/// goes to the log only.
type Result<T> = std::result::Result<T, AuthError>;

/// The claims of an access token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    /// The id of the session. When the session ends, the token is refused.
    pub(crate) sid: String,
    iat: u64,
    exp: u64,
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

const COOKIE: &str = "refresh_token";

/// Limits how many passwords are hashed at once, because each takes 19 MiB of memory.
static HASHING: Semaphore = Semaphore::const_new(4);

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/login", post(log_in))
        .route("/token", post(renew))
        .route("/logout", post(log_out))
        .layer(DefaultBodyLimit::max(4096))
}

async fn log_in(
    State(app): State<Arc<App>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    cookies: CookieJar,
    Json(Credentials { name, password }): Json<Credentials>,
) -> Result<(CookieJar, Json<Value>)> {
    if app.logins.check_key(&client.ip()).is_err() {
        return Err(ErrorCode::TooManyAttempts.into());
    }
    // Forgets the addresses whose attempts no longer count.
    app.logins.retain_recent();

    let known = app
        .db
        .credentials(&name)
        .await
        .map_err(AuthError::internal)?;
    let (user, hash) = known.map_or_else(
        || (None, app.dummy_hash.clone()),
        |(id, hash)| (Some(id), hash),
    );
    let matches = password_matches(hash, password).await?;
    let Some(user) = user.filter(|_| matches) else {
        let refusal = AuthError::custom("wrong_password", "Wrong name or password.");
        return Err(refusal.action(Action::Login));
    };

    if let Some(reason) = app.db.suspension(user).await.map_err(AuthError::internal)? {
        let refusal = format!("Your account is suspended: {reason}");
        return Err(AuthError::denied(refusal));
    }

    // The session that this browser had ends with its cookie. Its other windows follow when they renew
    // their token: if their sockets ended now, they would ask for one with the old cookie.
    if let Some(cookie) = cookies.get(COOKIE) {
        let session = session_id(cookie.value());
        app.db
            .end_session(&session)
            .await
            .map_err(AuthError::internal)?;
    }
    let refresh_token = random_hex();
    let user_agent = headers.get(USER_AGENT).and_then(|name| name.to_str().ok());
    let browser = devices::browser_name(user_agent.unwrap_or_default());
    app.db
        .begin_session(&session_id(&refresh_token), user, &browser)
        .await
        .map_err(AuthError::internal)?;
    let token = access_token(&app, &refresh_token).await?;
    Ok((cookies.add(cookie(&app, refresh_token)), token))
}

/// Returns a fresh access token, or `null` if the client is not logged in.
async fn renew(State(app): State<Arc<App>>, cookies: CookieJar) -> Result<Json<Value>> {
    match cookies.get(COOKIE) {
        Some(cookie) => access_token(&app, cookie.value()).await,
        None => Ok(Json(Value::Null)),
    }
}

async fn log_out(
    State(app): State<Arc<App>>,
    State(io): State<SocketIo>,
    cookies: CookieJar,
) -> Result<CookieJar> {
    if let Some(cookie) = cookies.get(COOKIE) {
        let session = session_id(cookie.value());
        if app
            .db
            .end_session(&session)
            .await
            .map_err(AuthError::internal)?
        {
            devices::end(&app, &io, &session).await?;
        }
    }

    Ok(cookies.remove(cookie(&app, String::new())))
}

async fn access_token(app: &App, refresh_token: &str) -> Result<Json<Value>> {
    let sid = session_id(refresh_token);
    let Some(user) = app
        .db
        .user_of_session(&sid)
        .await
        .map_err(AuthError::internal)?
    else {
        return Ok(Json(Value::Null));
    };

    let iat = get_current_timestamp();
    let claims = Claims {
        sub: user.id.to_string(),
        sid,
        iat,
        exp: iat + app.token_seconds,
    };
    let token = encode(&Header::default(), &claims, &app.key).map_err(AuthError::internal)?;

    Ok(Json(
        json!({ "token": token, "expires_in": app.token_seconds, "user": user }),
    ))
}

/// Returns the hash of a refresh token. A fast hash is enough, because the token is random; a
/// password needs argon2.
fn session_id(refresh_token: &str) -> String {
    hex::encode(Sha256::digest(refresh_token))
}

fn cookie(app: &App, refresh_token: String) -> Cookie<'static> {
    let cookie = Cookie::build((COOKIE, refresh_token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict);
    cookie.secure(app.https).permanent().build()
}

pub(crate) fn hash_password(password: &str) -> password_hash::Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
}

async fn password_matches(hash: String, password: String) -> Result<bool> {
    let permit = HASHING.acquire().await.map_err(AuthError::internal)?;
    let matches = spawn_blocking(move || {
        let _permit = permit;
        PasswordHash::new(&hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
    });
    matches.await.map_err(AuthError::internal)
}

pub(crate) fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}
