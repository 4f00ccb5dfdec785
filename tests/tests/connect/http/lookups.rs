//! The lookup of a request: how often it runs, and where its parameters come from.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{FromRef, Request},
    http::{HeaderValue, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    extract::{HttpExtension, MaybeHttpExtension},
    handler::{ConnectHandler, FromConnectParts, Value},
    socket::Socket,
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, ErrorCode, JwtAuth, JwtAuthBuilder, KeyRequest, KeySet, KeySource,
    LookupContext, LookupOn, LookupRequest, LookupResult, UserLookup,
    axum::{FromHttpRequest, HttpClaims, HttpRouter, HttpUser},
    jwt_auth,
    testing::{TestClient, TestIssuer},
};
use socketioxide_jwt_auth_tests::{Claims, SECRET, Server, recorder, token};

use super::{App, REQUIRED, Routes, account, answer, builder, code, routes};

#[tokio::test]
async fn several_extractors_of_a_request_share_one_lookup() {
    let issuer = TestIssuer::new();
    let (recorder, mut records) = recorder();
    let routes = Routes::start(builder(&issuer), recorder).await;

    let grace = issuer.token("grace").sign();
    let request = || routes.get("/several").bearer_auth(&grace);
    assert_eq!(
        answer(request()).await.body,
        r#"["Grace","Grace","grace",false]"#
    );
    assert_eq!(records.unread(), [format!("grace {grace}")]);

    assert_eq!(answer(request()).await.status, 200);
    assert_eq!(records.unread().len(), 1, "each request is looked up");
    assert_eq!(
        answer(routes.get("/claims").bearer_auth(&grace)).await.body,
        "grace"
    );
    assert!(records.unread().is_empty(), "HttpClaims does not look up");
}

#[tokio::test]
async fn a_user_is_not_shared_by_another_token_of_the_request() {
    /// Puts the token of another user in the place of the one that was sent.
    async fn replace_token<E>(_: E, mut request: Request, next: Next) -> Response {
        let other = request.headers_mut().remove("x-other").unwrap();
        request.headers_mut().insert("authorization", other);
        next.run(request).await
    }

    let issuer = TestIssuer::new();
    let auth = builder(&issuer).build().unwrap();
    let (recorder, mut records) = recorder();
    let app = App { auth, recorder };
    let of_user = middleware::from_fn_with_state(app.clone(), replace_token::<HttpUser<account>>);
    let of_claims =
        middleware::from_fn_with_state(app.clone(), replace_token::<HttpClaims<account>>);
    let other = format!("Bearer {}", issuer.token("grace").sign());
    let other = HeaderValue::try_from(other).unwrap();

    for (router, lookups) in [(routes().layer(of_user), 2), (routes().layer(of_claims), 1)] {
        let routes = Routes::serve(router.with_state(app.clone())).await;
        let request = routes.get("/user").bearer_auth(issuer.token("ada").sign());
        assert_eq!(
            answer(request.header("x-other", &other)).await.body,
            "Grace"
        );
        assert_eq!(records.unread().len(), lookups);
    }
}

#[tokio::test]
async fn a_user_is_not_shared_by_another_middleware_of_the_request() {
    async fn admit<E>(_: E, request: Request, next: Next) -> Response {
        next.run(request).await
    }

    let (first, second) = (TestIssuer::new(), TestIssuer::new());
    let (recorder, _records) = recorder();
    let app = |issuer| App {
        auth: builder(issuer).build().unwrap(),
        recorder: recorder.clone(),
    };
    let of_user = middleware::from_fn_with_state(app(&first), admit::<HttpUser<account>>);
    let of_claims = middleware::from_fn_with_state(app(&first), admit::<HttpClaims<account>>);

    for router in [routes().layer(of_user), routes().layer(of_claims)] {
        let routes = Routes::serve(router.with_state(app(&second))).await;
        for path in REQUIRED {
            let request = routes.get(path).bearer_auth(first.token("ada").sign());
            assert_eq!(code(request).await, "token_signature_invalid");
        }
    }
}

/// An extractor of the application, for sockets and requests.
struct Language(String);

impl Language {
    fn of(parts: &Parts) -> Self {
        let language = parts.headers.get("accept-language");
        Self(
            language
                .map_or("none", |value| value.to_str().unwrap())
                .to_owned(),
        )
    }
}

impl<A: Adapter> FromConnectParts<A> for Language {
    type Error = AuthError;

    fn from_connect_parts(socket: &Arc<Socket<A>>, _: &Option<Value>) -> Result<Self, AuthError> {
        Ok(Self::of(socket.req_parts()))
    }
}

impl<R: HttpRouter> FromHttpRequest<R> for Language {
    fn from_http_request(parts: &Parts, _: &R::State) -> Result<Self, AuthError> {
        Ok(Self::of(parts))
    }
}

#[jwt_auth(secret = SECRET)]
async fn with_extractors(
    claims: Claims,
    io: SocketIo,
    number: HttpExtension<u8>,
    text: MaybeHttpExtension<String>,
    language: Language,
) -> Option<String> {
    let namespaces = io.of("/").is_some();
    Some(format!(
        "{} {namespaces} {} {} {}",
        claims.sub,
        *number,
        text.is_some(),
        language.0
    ))
}

#[tokio::test]
async fn a_lookup_takes_its_extractors_from_the_request() {
    #[derive(Clone)]
    struct Both(JwtAuth<with_extractors>, SocketIo);

    impl FromRef<Both> for JwtAuth<with_extractors> {
        fn from_ref(both: &Both) -> Self {
            both.0.clone()
        }
    }
    impl FromRef<Both> for SocketIo {
        fn from_ref(both: &Both) -> Self {
            both.1.clone()
        }
    }
    async fn show(user: HttpUser<with_extractors>) -> String {
        user.to_string()
    }

    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async || {});
    let state = Both(with_extractors::middleware().unwrap(), io);
    let router = Router::new().route("/", get(show)).with_state(state);
    let with = Routes::serve(router.clone().layer(Extension(7_u8)).layer(layer)).await;
    let request = with
        .get("/")
        .bearer_auth(token("ada"))
        .header("accept-language", "eo");
    assert_eq!(answer(request).await.body, "ada true 7 false eo");

    let without = Routes::serve(router).await;
    assert_eq!(
        code(without.get("/").bearer_auth(token("ada"))).await,
        "internal_error"
    );
}

/// A lookup by hand that serves both.
struct Shout;

impl UserLookup for Shout {
    type Claims = Claims;
    type User = String;
}

impl<C: LookupContext> LookupOn<C> for Shout {
    async fn look_up(
        &self,
        claims: Option<Claims>,
        request: LookupRequest<'_, C>,
    ) -> LookupResult<String> {
        let path = request.parts().uri.path();
        Ok(claims.map(|claims| format!("{} {path}", claims.sub.to_uppercase())))
    }
}

#[tokio::test]
async fn one_lookup_by_hand_serves_sockets_and_requests() {
    async fn http(user: HttpUser<Shout>) -> String {
        user.to_string()
    }
    async fn socket(socket: socketioxide::extract::SocketRef, user: AuthUser<String>) {
        socket.emit("user", &*user).unwrap();
    }

    let auth = JwtAuthBuilder::new(Shout).secret(SECRET).build().unwrap();
    let state = auth.clone();
    let server = Server::with_router(SocketIo::builder(), |router| {
        router.route("/shout", get(http).with_state(state))
    })
    .await;
    server.io.ns("/", socket.with(auth));

    let mut client = TestClient::connect(server.address())
        .token(token("ada"))
        .await
        .unwrap();
    let emitted = client.next_event("user").await.unwrap();
    assert_eq!(emitted, serde_json::json!(["ADA /socket.io/"]));
    let url = format!("http://{}/shout", server.address());
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url);
    assert_eq!(
        answer(request.bearer_auth(token("ada"))).await.body,
        "ADA /shout"
    );
}

#[tokio::test]
async fn a_key_source_sees_the_request_and_no_namespace() {
    struct ByHost;

    impl KeySource for ByHost {
        async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
            assert_eq!(request.namespace(), None);
            match request.parts().unwrap().headers.get("x-tenant") {
                Some(_) => Ok(Arc::new(KeySet::from_secret(SECRET).unwrap())),
                None => Err(ErrorCode::TokenKeyUnknown.into()),
            }
        }
    }

    let (recorder, _records) = recorder();
    let routes = Routes::start(
        account::builder().keys(ByHost).algorithms(["HS256"]),
        recorder,
    )
    .await;
    let get = || routes.get("/user").bearer_auth(token("ada"));
    assert_eq!(code(get().header("x-tenant", "a")).await, "good");
    assert_eq!(code(get()).await, "token_key_unknown");
}
