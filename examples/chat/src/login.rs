//! Passwords, access tokens and refresh tokens, over HTTP.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use governor::DefaultKeyedRateLimiter;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use socketioxide::SocketIo;
use socketioxide_jwt_auth::{AuthError, disconnect_user};

use crate::db::{Db, User};

/// What an access token says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    sub: String,
    /// The login that it belongs to: when that is revoked, the token is worth nothing.
    pub(crate) sid: String,
    iat: u64,
    exp: u64,
}

#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) db: Db,
    pub(crate) io: SocketIo,
    pub(crate) key: EncodingKey,
    pub(crate) token_life: Duration,
    pub(crate) https: bool,
    pub(crate) attempts: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    /// Checked for unknown names, so that they take as long as known ones.
    pub(crate) nobodys_hash: Arc<str>,
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

const COOKIE: &str = "refresh";

pub(crate) fn routes(login: Login) -> Router {
    Router::new()
        .route("/login", post(log_in))
        .route("/token", post(renew))
        .route("/logout", post(log_out))
        .layer(DefaultBodyLimit::max(4096))
        .with_state(login)
}

async fn log_in(
    State(login): State<Login>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    cookies: CookieJar,
    Json(Credentials { name, password }): Json<Credentials>,
) -> Result<impl IntoResponse, Refusal> {
    login.attempts.check_key(&client.ip()).map_err(|_| {
        Refusal(StatusCode::TOO_MANY_REQUESTS, AuthError::denied("Too many attempts. Wait a moment, then try again."))
    })?;
    let user = login.db.user_by_name(&name).await?;
    let hash = user.as_ref().map_or(&*login.nobodys_hash, User::password_hash).to_owned();
    let fits = tokio::task::spawn_blocking(move || check_password(&hash, &password)).await.unwrap_or(false);
    let Some(user) = user.filter(|_| fits) else {
        return Err(Refusal(StatusCode::UNAUTHORIZED, AuthError::denied("Wrong name or password.")));
    };
    let user = user.check_blocked()?;
    let (id, secret) = (random_hex::<16>(), random_hex::<32>());
    login.db.add_session(&id, user.id, &digest(&secret)).await?;
    login.answer(cookies, &user, &id, &secret)
}

/// Exchanges the refresh token for the next one, and an access token. Nobody being logged in is no error.
async fn renew(State(login): State<Login>, cookies: CookieJar) -> Result<Response, Refusal> {
    let Some((id, secret)) = refresh_token(&cookies) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let next = random_hex::<32>();
    if login.db.rotate_session(&id, &digest(&secret), &digest(&next)).await?
        && let Some(user) = login.db.user_of_session(&id).await?
    {
        return Ok(login.answer(cookies, &user.check_blocked()?, &id, &next)?.into_response());
    }
    Ok((StatusCode::NO_CONTENT, cookies.remove(login.cookie(String::new()))).into_response())
}

async fn log_out(State(login): State<Login>, cookies: CookieJar) -> Result<impl IntoResponse, Refusal> {
    if let Some((id, secret)) = refresh_token(&cookies)
        && let Some(user) = login.db.end_session(&id, &digest(&secret)).await?
        && let Err(error) = disconnect_user(&login.io, user).await
    {
        tracing::warn!(user, %error, "logged out, but still connected");
    }
    Ok((StatusCode::NO_CONTENT, cookies.remove(login.cookie(String::new()))))
}

impl Login {
    fn answer(
        &self,
        cookies: CookieJar,
        user: &User,
        id: &str,
        secret: &str,
    ) -> Result<(CookieJar, Json<Value>), Refusal> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let exp = now + self.token_life.as_secs();
        let claims = Claims { sub: user.id.to_string(), sid: id.to_owned(), iat: now, exp };
        let token = encode(&Header::default(), &claims, &self.key).map_err(AuthError::internal)?;
        let cookies = cookies.add(self.cookie(format!("{id}.{secret}")));
        Ok((cookies, Json(json!({ "token": token, "expires_in": self.token_life.as_secs(), "user": user }))))
    }

    fn cookie(&self, value: String) -> Cookie<'static> {
        let cookie = Cookie::build((COOKIE, value)).path("/").http_only(true).same_site(SameSite::Strict);
        cookie.secure(self.https).permanent().build()
    }
}

fn refresh_token(cookies: &CookieJar) -> Option<(String, String)> {
    let (id, secret) = cookies.get(COOKIE)?.value().split_once('.')?;
    Some((id.to_owned(), secret.to_owned()))
}

pub(crate) fn hash_password(password: &str) -> password_hash::Result<String> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

fn check_password(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

pub(crate) fn random_hex<const BYTES: usize>() -> String {
    hex::encode(rand::random::<[u8; BYTES]>())
}

/// Enough for a random secret; a password needs argon2.
fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// A status, and the same words that a socket would get.
struct Refusal(StatusCode, AuthError);

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let own = std::error::Error::source(&error).is_none();
        Self(if own { StatusCode::FORBIDDEN } else { StatusCode::INTERNAL_SERVER_ERROR }, error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        AuthError::internal(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.0.is_server_error() {
            tracing::error!(error = ?self.1, "request failed");
        }
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
