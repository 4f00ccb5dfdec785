//! The forms of a user lookup, and the outcome of what it returns.

use std::{error::Error, fmt, io, time::Duration};

use serde::Deserialize;
use serde_json::json;
use socketioxide::{
    SocketIo,
    adapter::LocalAdapter,
    extract::{HttpExtension, SocketRef, State},
    handler::ConnectHandler,
    socket::Socket,
};
use socketioxide_jwt_auth::{AuthError, AuthUser, JwtAuth, LookupOn, RawToken, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Log, Received, Recorder, Records, SECRET, Server, Tracked, User, find_user, mint,
    recorder, seconds_from_now, token,
};
use tokio::time::Instant;

/// The error of the database, which no client may receive.
const CAUSE: &str = "connection to postgres://root:hunter2@db refused";

#[derive(Debug)]
struct DatabaseError;

impl fmt::Display for DatabaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(CAUSE)
    }
}

impl Error for DatabaseError {}

/// An alias of `Result`, as database crates have one.
mod database {
    pub(super) type Result<T> = std::result::Result<T, super::DatabaseError>;
}

fn query(subject: &str) -> database::Result<Option<User>> {
    if subject == "broken" {
        Err(DatabaseError)
    } else {
        Ok(find_user(subject))
    }
}

async fn hello(socket: SocketRef, user: AuthUser<User>) {
    socket.emit("hello", user.name).unwrap();
}

async fn serve<L: LookupOn<LocalAdapter, User = User>>(
    middleware: JwtAuth<L>,
) -> (Server, Records) {
    let (recorder, records) = recorder();
    let layer = axum::Extension(Tenant("acme"));
    let server = Server::with_router(SocketIo::builder().with_state(recorder), |router| {
        router.layer(layer)
    })
    .await;
    server.io.ns("/", hello.with(middleware));
    (server, records)
}

#[derive(Clone)]
struct Tenant(&'static str);

async fn expect_ada<L: LookupOn<LocalAdapter, User = User>>(middleware: JwtAuth<L>) {
    let (server, _records) = serve(middleware).await;
    let mut client = server.client().token(&token("ada")).admitted().await;
    client.expect(Received::event("hello", json!("Ada"))).await;
}

async fn refusal_of<L: LookupOn<LocalAdapter, User = User>>(
    middleware: JwtAuth<L>,
    subject: &str,
) -> String {
    let (server, _records) = serve(middleware).await;
    server.client().token(&token(subject)).refusal().await
}

mod forms {
    use super::*;

    #[jwt_auth(secret = SECRET)]
    async fn option(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }

    #[jwt_auth(secret = SECRET)]
    fn sync_option(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }

    #[jwt_auth(secret = SECRET)]
    async fn result(claims: Claims) -> Result<User, DatabaseError> {
        query(&claims.sub)?.ok_or(DatabaseError)
    }

    #[jwt_auth(secret = SECRET)]
    async fn result_of_option(claims: Claims) -> Result<Option<User>, DatabaseError> {
        query(&claims.sub)
    }

    #[jwt_auth(secret = SECRET)]
    async fn alias(claims: Claims) -> database::Result<Option<User>> {
        query(&claims.sub)
    }

    #[jwt_auth(secret = SECRET)]
    async fn boxed(claims: Claims) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
        match claims.sub.as_str() {
            "suspended" => Err(AuthError::denied("account suspended").into()),
            subject => Ok(query(subject)?),
        }
    }

    #[jwt_auth(secret = SECRET)]
    fn text(claims: Claims) -> Result<User, String> {
        find_user(&claims.sub).ok_or_else(|| CAUSE.to_owned())
    }

    #[jwt_auth(secret = SECRET)]
    fn of_io(claims: Claims) -> io::Result<User> {
        find_user(&claims.sub).ok_or_else(|| io::Error::other(CAUSE))
    }

    #[jwt_auth(secret = SECRET)]
    async fn own_error(claims: Claims) -> Result<User, AuthError> {
        query(&claims.sub)
            .map_err(AuthError::internal)?
            .ok_or_else(|| AuthError::denied("user does not exist"))
    }

    #[tokio::test]
    async fn an_option_returns_the_user_or_user_not_found() {
        expect_ada(option::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(option::middleware().unwrap(), "nobody").await,
            "user_not_found"
        );
    }

    #[tokio::test]
    async fn a_lookup_may_be_a_sync_function() {
        expect_ada(sync_option::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(sync_option::middleware().unwrap(), "nobody").await,
            "user_not_found"
        );
    }

    #[tokio::test]
    async fn a_result_returns_the_user_or_internal_error() {
        expect_ada(result::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(result::middleware().unwrap(), "nobody").await,
            "internal_error"
        );
        expect_ada(text::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(text::middleware().unwrap(), "nobody").await,
            "internal_error"
        );
        expect_ada(of_io::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(of_io::middleware().unwrap(), "nobody").await,
            "internal_error"
        );
    }

    #[tokio::test]
    async fn a_result_of_option_returns_the_user_user_not_found_or_internal_error() {
        expect_ada(result_of_option::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(result_of_option::middleware().unwrap(), "nobody").await,
            "user_not_found"
        );
        assert_eq!(
            refusal_of(result_of_option::middleware().unwrap(), "broken").await,
            "internal_error"
        );
    }

    #[tokio::test]
    async fn an_alias_of_result_works_like_result() {
        expect_ada(alias::middleware().unwrap()).await;
        assert_eq!(
            refusal_of(alias::middleware().unwrap(), "nobody").await,
            "user_not_found"
        );
        assert_eq!(
            refusal_of(alias::middleware().unwrap(), "broken").await,
            "internal_error"
        );
    }

    #[tokio::test]
    async fn denied_sends_the_message_of_the_application() {
        assert_eq!(
            refusal_of(own_error::middleware().unwrap(), "nobody").await,
            "user does not exist"
        );
        assert_eq!(
            refusal_of(own_error::middleware().unwrap(), "broken").await,
            "internal_error"
        );
    }

    #[tokio::test]
    async fn an_auth_error_in_a_box_is_sent_as_it_is() {
        assert_eq!(
            refusal_of(boxed::middleware().unwrap(), "suspended").await,
            "account suspended"
        );
        assert_eq!(
            refusal_of(boxed::middleware().unwrap(), "broken").await,
            "internal_error"
        );
    }

    #[tokio::test]
    async fn the_cause_of_an_error_is_in_the_log_and_nowhere_else() {
        let log = Log::capture();
        assert_eq!(
            refusal_of(result_of_option::middleware().unwrap(), "broken").await,
            "internal_error"
        );
        let lines = log.lines_with(CAUSE);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].contains("ERROR") && lines[0].contains("internal_error"),
            "{lines:?}"
        );
    }
}

mod parameters {
    use super::*;

    #[jwt_auth(secret = SECRET)]
    async fn all(
        claims: Claims,
        State(recorder): State<Recorder>,
        token: RawToken,
        HttpExtension(tenant): HttpExtension<Tenant>,
        socket: SocketRef,
    ) -> Option<User> {
        recorder.record(format!(
            "{:?} {} {} {}",
            token,
            token.as_str(),
            tenant.0,
            socket.ns()
        ));
        find_user(&claims.sub)
    }

    #[jwt_auth(secret = SECRET)]
    async fn socket_first(claims: Claims, socket: SocketRef) -> Option<User> {
        let socket: &Socket = &socket;
        assert!(!socket.connected());
        find_user(&claims.sub)
    }

    #[derive(Clone)]
    struct Missing;

    #[jwt_auth(secret = SECRET)]
    async fn unlucky(claims: Claims, HttpExtension(_): HttpExtension<Missing>) -> Option<User> {
        find_user(&claims.sub)
    }

    #[jwt_auth(secret = SECRET, guest = true)]
    async fn token_of_guest(
        claims: Option<Claims>,
        State(recorder): State<Recorder>,
        token: Option<RawToken>,
    ) -> Option<User> {
        recorder.record(token.map_or_else(|| "none".to_owned(), RawToken::into_string));
        find_user(&claims?.sub)
    }

    #[derive(Deserialize)]
    struct Whole(serde_json::Map<String, serde_json::Value>);

    #[jwt_auth(secret = SECRET)]
    async fn whole(claims: Whole, State(recorder): State<Recorder>) -> Option<User> {
        recorder.record(serde_json::to_string(&claims.0).unwrap());
        find_user(claims.0["sub"].as_str()?)
    }

    #[tokio::test]
    async fn every_extractor_receives_its_value() {
        let (server, mut records) = serve(all::middleware().unwrap()).await;
        let token = token("ada");
        server
            .client()
            .token(&format!("Bearer {token}"))
            .admitted()
            .await;
        assert_eq!(
            records.next().await,
            format!("RawToken(redacted) {token} acme /")
        );
    }

    #[tokio::test]
    async fn the_socket_is_available_before_it_is_connected() {
        expect_ada(socket_first::middleware().unwrap()).await;
    }

    #[tokio::test]
    async fn a_failed_extractor_is_internal_error_and_is_logged() {
        let log = Log::capture();

        assert_eq!(
            refusal_of(unlucky::middleware().unwrap(), "ada").await,
            "internal_error"
        );
        assert!(
            log.lines_with("Missing")
                .iter()
                .any(|line| line.contains("ERROR")),
            "{}",
            log.text()
        );
    }

    #[tokio::test]
    async fn claims_may_be_any_object() {
        let (server, mut records) = serve(whole::middleware().unwrap()).await;
        let claims = json!({ "sub": "ada", "exp": seconds_from_now(60), "iss": "us", "roles": ["a", "b"], "n": null });
        server
            .client()
            .token(&mint(&claims, SECRET))
            .admitted()
            .await;
        let seen: serde_json::Value = serde_json::from_str(&records.next().await).unwrap();
        assert_eq!(seen, claims);
    }

    #[tokio::test]
    async fn a_guest_has_no_raw_token() {
        let (server, mut records) = serve(token_of_guest::middleware().unwrap()).await;
        server.client().admitted().await;
        assert_eq!(records.next().await, "none");
        let token = token("ada");
        server.client().token(&token).admitted().await;
        assert_eq!(records.next().await, token);
    }
}

mod trouble {
    use super::*;

    #[jwt_auth(secret = SECRET)]
    async fn panics(claims: Claims) -> Option<User> {
        tokio::task::yield_now().await;
        assert_ne!(claims.sub, "panic", "a bug of the application");
        find_user(&claims.sub)
    }

    #[jwt_auth(secret = SECRET)]
    fn panics_at_once(claims: Claims) -> Option<User> {
        assert_ne!(claims.sub, "panic", "a bug of the application");
        find_user(&claims.sub)
    }

    #[jwt_auth(secret = SECRET, lookup_timeout = "50ms")]
    async fn hangs(claims: Claims, State(recorder): State<Recorder>) -> Option<User> {
        let _until_dropped = Tracked::new(&recorder, "lookup");
        if claims.sub == "hang" {
            std::future::pending::<()>().await;
        }
        find_user(&claims.sub)
    }

    #[tokio::test]
    async fn a_panic_refuses_at_once_and_the_server_keeps_running() {
        let log = Log::capture();
        let (server, _records) = serve(panics::middleware().unwrap()).await;
        for _ in 0..2 {
            assert_eq!(
                server.client().token(&token("panic")).refusal().await,
                "internal_error"
            );
        }
        let mut client = server.client().token(&token("ada")).admitted().await;
        client.expect(Received::event("hello", json!("Ada"))).await;
        assert_eq!(log.lines_with("panicked").len(), 2, "{}", log.text());
    }

    #[tokio::test]
    async fn a_panic_outside_of_a_future_refuses_too() {
        assert_eq!(
            refusal_of(panics_at_once::middleware().unwrap(), "panic").await,
            "internal_error"
        );
        expect_ada(panics_at_once::middleware().unwrap()).await;
    }

    #[tokio::test]
    async fn a_slow_lookup_is_refused_after_the_timeout() {
        let (server, mut records) = serve(hangs::middleware().unwrap()).await;
        let start = Instant::now();

        assert_eq!(
            server.client().token(&token("hang")).refusal().await,
            "lookup_timeout"
        );
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!(
            records.next().await,
            "lookup dropped",
            "the lookup is cancelled"
        );

        let mut client = server.client().token(&token("ada")).admitted().await;
        client.expect(Received::event("hello", json!("Ada"))).await;
    }

    #[tokio::test]
    async fn a_hanging_lookup_does_not_delay_other_clients() {
        let slow = hangs::builder()
            .lookup_timeout(Duration::from_secs(3600))
            .build()
            .unwrap();
        let (server, _records) = serve(slow).await;
        let _hanging = server.client_with_token(&token("hang")).await;
        let mut client = server.client().token(&token("ada")).admitted().await;
        client.expect(Received::event("hello", json!("Ada"))).await;
    }
}
