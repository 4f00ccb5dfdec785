//! A lookup without the attribute, and the annotated function, which stays a function.

use std::collections::HashMap;

use serde_json::json;
use socketioxide::{
    SocketIo,
    adapter::{Adapter, LocalAdapter},
    extract::{HttpExtension, SocketRef, State},
    handler::{ConnectHandler, ConnectMiddleware},
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, ConfigError, ErrorCode, JwtAuth, JwtAuthBuilder, LookupOn, LookupRequest,
    LookupResult, RawToken, UserLookup, jwt_auth,
    testing::{TestClient, TestIssuer},
};
use socketioxide_jwt_auth_tests::{
    Claims, Recorder, SECRET, Server, Tracked, User, authenticate, find_user, recorder,
};

/// A lookup that carries its own data.
struct Directory {
    names: HashMap<&'static str, &'static str>,
}

impl UserLookup for Directory {
    type Claims = Claims;
    type User = &'static str;
    const CALLED_FOR_GUESTS: bool = true;
}

impl<A: Adapter> LookupOn<A> for Directory {
    async fn look_up(
        &self,
        claims: Option<Claims>,
        request: LookupRequest<'_, A>,
    ) -> LookupResult<&'static str> {
        let State(recorder) = request.extract::<State<Recorder>>()?;
        recorder.record(format!(
            "{} {:?}",
            request.socket().ns(),
            request.token().map(RawToken::as_str)
        ));

        match claims {
            Some(claims) if claims.sub == "missing" => {
                request.extract::<HttpExtension<u8>>().map(|_| None)
            }
            Some(claims) => Ok(self.names.get(claims.sub.as_str()).copied()),
            None => Err(AuthError::denied("no guests")),
        }
    }
}

fn directory(issuer: &TestIssuer) -> JwtAuth<Directory> {
    let names = HashMap::from([("ada", "Ada"), ("grace", "Grace")]);
    JwtAuthBuilder::new(Directory { names })
        .test_issuer(issuer)
        .guest(true)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_manual_lookup_receives_claims_socket_and_token() {
    async fn hello(socket: SocketRef, user: AuthUser<&'static str>) {
        socket.emit("hello", *user).unwrap();
    }
    let issuer = TestIssuer::new();
    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server.io.ns("/", hello.with(directory(&issuer)));
    let connect = || TestClient::connect(server.address());

    let ada = issuer.token("ada").sign();
    let mut client = connect().token(&ada).await.unwrap();
    assert_eq!(client.next_event("hello").await.unwrap(), json!(["Ada"]));
    assert_eq!(records.next().await, format!("/ Some({ada:?})"));

    let refusal = connect().await.unwrap_err();
    assert_eq!(refusal.message(), "no guests");
    assert_eq!(records.next().await, "/ None");

    for (subject, code) in [
        ("nobody", ErrorCode::UserNotFound),
        ("missing", ErrorCode::InternalError),
    ] {
        let token = issuer.token(subject).sign();
        let refusal = connect().token(token).await.unwrap_err();
        assert_eq!(refusal.code(), code);
    }
}

/// Two parameters, of which one is generic over the adapter and one is not.
#[jwt_auth(secret = SECRET)]
async fn with_state(claims: Claims, State(recorder): State<Recorder>) -> Option<Tracked> {
    (claims.sub == "ada").then(|| Tracked::new(&recorder, "user"))
}

#[jwt_auth(secret = SECRET)]
async fn with_socket(claims: Claims, _socket: SocketRef) -> Option<User> {
    find_user(&claims.sub)
}

/// Shows at compile time that generated lookups work with every adapter.
#[expect(dead_code, reason = "it is checked by the compiler only")]
fn works_with_any_adapter<A: Adapter>() {
    fn is_lookup<A: Adapter, L: LookupOn<A>>() {}
    fn is_middleware<A: Adapter, T, M: ConnectMiddleware<A, T>>(_: fn() -> Result<M, ConfigError>) {
    }
    is_lookup::<A, with_state>();
    is_lookup::<A, authenticate>();
    is_lookup::<A, Directory>();
    is_middleware::<A, _, _>(with_state::middleware);
    is_lookup::<LocalAdapter, with_socket>();
}

#[tokio::test]
async fn an_annotated_function_is_still_a_function() {
    let claims = |sub: &str| Claims {
        sub: sub.to_owned(),
    };
    assert_eq!(
        authenticate(claims("ada")).await,
        Some(User {
            name: "Ada",
            admin: true
        })
    );
    assert_eq!(authenticate(claims("nobody")).await, None);

    let (recorder, mut records) = recorder();
    assert!(
        with_state(claims("grace"), State(recorder.clone()))
            .await
            .is_none()
    );
    assert!(with_state(claims("ada"), State(recorder)).await.is_some());
    assert_eq!(records.next().await, "user dropped");
}

#[tokio::test]
async fn the_attribute_works_inside_a_function() {
    #[jwt_auth(keys_at_runtime)]
    fn local(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }

    let issuer = TestIssuer::new();
    let middleware = local::builder().test_issuer(&issuer).build();
    let server = Server::start().await;

    server.io.ns(
        "/",
        (async |_: AuthUser<User>| ()).with(middleware.unwrap()),
    );
    let connecting = TestClient::connect(server.address());
    assert!(connecting.token(issuer.token("ada").sign()).await.is_ok());
}

#[tokio::test]
async fn a_user_may_be_a_tuple() {
    #[jwt_auth(keys_at_runtime)]
    fn tuple(claims: Claims) -> Option<(String, [u8; 2])> {
        Some((claims.sub, [1, 2]))
    }

    async fn on_connect(socket: SocketRef, user: AuthUser<(String, [u8; 2])>) {
        socket.emit("user", &json!([user.0, user.1])).unwrap();
    }

    let issuer = TestIssuer::new();
    let middleware = tuple::builder().test_issuer(&issuer).build();
    let server = Server::start().await;

    server.io.ns("/", on_connect.with(middleware.unwrap()));
    let connecting = TestClient::connect(server.address());
    let mut client = connecting.token(issuer.token("ada").sign()).await.unwrap();
    assert_eq!(
        client.next_event("user").await.unwrap(),
        json!([["ada", [1, 2]]])
    );
}
