//! A server whose namespaces refuse for every reason.

use serde::Deserialize;
use socketioxide::{
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthClaims, AuthError, AuthUser, KeyRequest, KeySet, KeySource, Reply, RevocationError,
    RevocationQuery, RevocationStatus, RevocationStore, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Admin, Claims, Gate, Recorder, Records, SECRET, Server, User, find_user,
};
use std::sync::Arc;

/// A key with a name.
const JWKS: &str = r#"{"keys":[{"kty":"oct","kid":"2020","alg":"HS256","k":"YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyBvciBtb3Jl"}]}"#;

#[derive(Deserialize)]
struct MemberClaims {
    sub: String,
    /// Whether the lookup waits at the gate.
    #[serde(default)]
    waits: bool,
    /// The user that the lookup returns instead of `sub`.
    other_user: Option<String>,
}

#[jwt_auth(
    secret = SECRET,
    authenticate_event = "authenticate",
    user_key = |user: &User| &user.name,
    lookup_timeout = "2s",
    leeway = "0s",
    max_token_bytes = 500,
)]
async fn members(
    claims: MemberClaims,
    State(gate): State<Gate>,
    State(recorder): State<Recorder>,
) -> Result<Option<User>, AuthError> {
    if claims.waits {
        recorder.record("waits");
        gate.pass().await;
    }

    let subject = claims.other_user.unwrap_or(claims.sub);
    match subject.as_str() {
        "hangs" => std::future::pending().await,
        "broken" => Err(AuthError::internal("the disk is full")),
        "denied" => Err(AuthError::denied("account suspended")),
        "unverified" => Err(AuthError::custom("email_unverified", "Confirm it.").into()),
        subject => Ok(find_user(subject)),
    }
}

/// Admits guests, for a short time.
#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    guest_timeout = "1ms"
)]
async fn short_guests(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, guest = true)]
async fn guests(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, allowed_origins = ["https://example.com"])]
async fn pages(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// A source of keys that fails.
struct Down;

impl KeySource for Down {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        Err(AuthError::keys_unavailable("no route to the key server"))
    }
}

/// A source of keys that does not answer.
struct Silent;

impl KeySource for Silent {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        std::future::pending().await
    }
}

#[jwt_auth(jwks = JWKS, algorithms = ["HS256"])]
async fn named_keys(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(keys = Down, algorithms = ["HS256"])]
async fn without_keys(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(keys = Silent, algorithms = ["HS256"], lookup_timeout = "100ms")]
async fn with_slow_keys(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// A store with one revocation, which fails or hangs for some tokens.
struct Store;

impl RevocationStore for Store {
    async fn check(&self, query: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        match query.token_id {
            Some("full") => Err(RevocationError::new("no connection to the database")),
            Some("hangs") => std::future::pending().await,
            id => Ok((id == Some("7")).into()),
        }
    }
}

#[jwt_auth(secret = SECRET, revocations = Store, revocations_timeout = "100ms")]
async fn with_revocations(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn on_connect(socket: SocketRef) {
    socket.on("post", async |_: AuthUser<User>| ());
    socket.on("claims", async |_: AuthClaims<Claims>| ());
    socket.on("delete", async |_: AuthUser<User, Admin>| ());
    socket.on("fail", async |reply: Reply| {
        reply.send::<(), _>(Err("the disk is full"));
    });
}

/// A server, and what its lookups wait for.
pub(super) async fn server() -> (Server, Waiting) {
    let (server, records, gate) = Server::with_gate().await;
    let io = &server.io;

    io.ns("/", on_connect.with(members::middleware().unwrap()));
    io.ns("/guests", on_connect.with(guests::middleware().unwrap()));
    io.ns(
        "/short",
        on_connect.with(short_guests::middleware().unwrap()),
    );
    io.ns("/pages", on_connect.with(pages::middleware().unwrap()));
    io.ns(
        "/down",
        on_connect.with(without_keys::middleware().unwrap()),
    );
    io.ns(
        "/slow",
        on_connect.with(with_slow_keys::middleware().unwrap()),
    );
    io.ns(
        "/revocations",
        on_connect.with(with_revocations::middleware().unwrap()),
    );
    // The last one runs first: the check runs before there is a session.
    io.ns(
        "/order",
        on_connect.with(guests::middleware().unwrap()).with(check),
    );
    io.ns("/unprotected", on_connect);

    let issuer = guests::builder().issuer("https://a.example.com");
    io.ns("/issuer", on_connect.with(issuer.build().unwrap()));
    io.ns("/kids", on_connect.with(named_keys::middleware().unwrap()));
    (server, Waiting { gate, records })
}

/// The lookups that wait at the gate.
pub(super) struct Waiting {
    pub(super) gate: Gate,
    records: Records,
}

impl Waiting {
    /// Waits until a lookup has arrived.
    pub(super) async fn arrived(&mut self) {
        assert_eq!(self.records.next().await, "waits");
    }
}

/// A middleware that belongs after the one of `#[jwt_auth]`.
async fn check(_: AuthUser<User>) -> Result<(), AuthError> {
    Ok(())
}
