//! Connections without a token where guests are allowed. A bad token never makes a guest.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use socketioxide::{
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthClaims, AuthError, AuthUser, MaybeAuthUser, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, OTHER_SECRET, Raw, Received, SECRET, Server, User, authenticate, find_user, greet,
    mint, refused_ack, seconds_from_now, token,
};

#[jwt_auth(secret = SECRET, guest = true)]
async fn with_guests(claims: Claims) -> Result<Option<User>, AuthError> {
    match claims.sub.as_str() {
        "suspended" => Err(AuthError::denied("account suspended")),
        subject => Ok(find_user(subject)),
    }
}

/// A lookup that returns a user for guests.
#[jwt_auth(secret = SECRET, guest = true)]
async fn with_own_guests(claims: Option<Claims>) -> Option<User> {
    claims.map_or(
        Some(User {
            name: "visitor",
            admin: false,
        }),
        |claims| find_user(&claims.sub),
    )
}

#[jwt_auth(secret = SECRET, guest = true)]
fn turns_guests_away(claims: Option<Claims>) -> Result<User, AuthError> {
    let claims = claims.ok_or_else(|| AuthError::denied("members only"))?;
    find_user(&claims.sub).ok_or_else(|| AuthError::denied("unknown user"))
}

#[jwt_auth(secret = SECRET, guest = true)]
async fn knows_no_guest(claims: Option<Claims>) -> Option<User> {
    find_user(&claims?.sub)
}

/// A lookup with every kind of token source.
#[jwt_auth(
    secret = SECRET,
    guest = true,
    token = [auth("token"), bearer, header("x-auth-token"), query("auth_token"), cookie("session")],
    allowed_origins = ["https://app.example.com"],
)]
async fn from_everywhere(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn server() -> Server {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(with_guests::middleware().unwrap()));
    server
}

fn welcome(name: Option<&str>) -> Received {
    Received::event(
        "welcome",
        json!({ "name": name, "logged_in": name.is_some() }),
    )
}

#[tokio::test]
async fn a_connection_without_a_token_is_a_guest() {
    let server = server().await;
    let mut client = server.client().admitted().await;
    client.expect(welcome(None)).await;
}

#[tokio::test]
async fn an_empty_token_counts_as_absent() {
    let server = server().await;
    let mut client = server
        .client()
        .token("")
        .query("auth_token=")
        .header("x-auth-token", "")
        .admitted()
        .await;
    client.expect(welcome(None)).await;
}

#[tokio::test]
async fn a_user_is_not_a_guest_where_guests_are_allowed() {
    let server = server().await;
    let mut client = server.client().token(&token("grace")).admitted().await;
    client.expect(welcome(Some("Grace"))).await;
}

#[tokio::test]
async fn a_bad_token_is_refused_where_guests_are_allowed() {
    let server = server().await;
    let claims = json!({ "sub": "ada", "exp": seconds_from_now(3600) });

    assert_eq!(
        server.client().token("blabla").refusal().await,
        "token_malformed"
    );
    assert_eq!(
        server
            .client()
            .token(&mint(&claims, OTHER_SECRET))
            .refusal()
            .await,
        "token_signature_invalid"
    );

    let expired = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(-3600) }),
        SECRET,
    );
    assert_eq!(
        server.client().token(&expired).refusal().await,
        "token_expired"
    );
    assert_eq!(
        server.client().auth(json!({ "token": 5 })).refusal().await,
        "token_malformed"
    );
}

/// Returns what a client with this auth payload, query string and header receives first.
async fn first_received(
    payload: &str,
    query: &str,
    header: Option<(&'static str, &str)>,
) -> Received {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(from_everywhere::middleware().unwrap()));

    let origin = ("origin", "https://app.example.com".to_owned());
    let header = header.map(|(name, value)| (name, value.to_owned()));
    let headers: Vec<_> = header.into_iter().chain([origin]).collect();
    let mut raw = Raw::open_with(server.address(), query, &headers).await;
    raw.connect("/", payload).await;
    match raw.next().await.1 {
        Received::Connected => raw.next().await.1,
        other => other,
    }
}

#[tokio::test]
async fn an_auth_payload_of_another_shape_makes_no_guest() {
    let ada = token("ada");

    for payload in [
        format!("\"{ada}\""),
        format!("\"Bearer {ada}\""),
        format!("[\"{ada}\"]"),
        format!("[{{\"token\":\"{ada}\"}}]"),
        format!("{{\"token\":[\"{ada}\"]}}"),
        format!("{{\"token\":{{\"token\":\"{ada}\"}}}}"),
        format!("{{\"token\":\"\\\"{ada}\\\"\"}}"),
        format!("{{\"token\":\"Bearer\\t{ada}\"}}"),
        ada,
        "\"blabla\"".to_owned(),
        "true".to_owned(),
        "\"null\"".to_owned(),
        "{\"token\":false}".to_owned(),
        "{\"token\":[null]}".to_owned(),
        "{\"token\":\"None\"}".to_owned(),
        "{\"token\":null,\"token\":null}".to_owned(),
        "-5".to_owned(),
        "{".to_owned(),
    ] {
        assert_eq!(
            first_received(&payload, "", None).await,
            Received::refused("token_malformed"),
            "{payload}"
        );
    }

    for payload in [
        "",
        "null",
        "\"\"",
        "{}",
        "{\"token\":\"\"}",
        "{\"token\":null}",
        "{\"token\":\"null\"}",
        "{\"token\":\"Bearer undefined\"}",
    ] {
        assert_eq!(
            first_received(payload, "", None).await,
            welcome(None),
            "{payload}"
        );
    }
}

#[tokio::test]
async fn a_token_in_authorization_makes_no_guest_in_any_spelling() {
    let ada = token("ada");

    for value in [
        ada.clone(),
        format!("Bearer\t{ada}"),
        format!("Bearer \t {ada}"),
        format!("Bearer{ada}"),
        format!("Bearer={ada}"),
        format!("Bearer \"{ada}\""),
        format!("Bearer {ada}, Basic eDp5"),
        format!("Basic eDp5, Bearer {ada}"),
        format!("Basic {ada}"),
        format!("Basic {}", STANDARD.encode(format!("user:{ada}"))),
        format!("JWT {ada}"),
        "Bearer\tblabla".to_owned(),
    ] {
        let received = first_received("", "", Some(("authorization", &value))).await;
        assert_eq!(received, Received::refused("token_malformed"), "{value}");
    }

    for value in [
        "Basic dXNlcjpwdw==",
        "Bearer",
        "Bearer null",
        "Bearer undefined",
        "Digest realm=\"www.example.com\"",
    ] {
        assert_eq!(
            first_received("", "", Some(("authorization", value))).await,
            welcome(None),
            "{value}"
        );
    }

    let value = format!("bearer   {ada}");
    assert_eq!(
        first_received("", "", Some(("authorization", &value))).await,
        welcome(Some("Ada"))
    );
}

#[tokio::test]
async fn a_token_in_a_header_a_cookie_or_the_query_makes_no_guest_in_any_spelling() {
    let ada = token("ada");
    for value in [
        format!("Bearer\t{ada}"),
        format!("\"{ada}"),
        format!("JWT {ada}"),
        format!("%65{}", &ada[1..]),
    ] {
        let header = first_received("", "", Some(("x-auth-token", &value))).await;
        assert_eq!(header, Received::refused("token_malformed"), "{value}");
        let cookie = first_received(
            "",
            "",
            Some(("cookie", &format!("theme=dark; session={value}"))),
        )
        .await;
        assert_eq!(cookie, Received::refused("token_malformed"), "{value}");
    }
    let quoted = first_received("", "", Some(("x-auth-token", &format!("\"{ada}\"")))).await;
    assert_eq!(quoted, Received::refused("token_malformed"));
    let grace = token("grace");
    let twice = first_received(
        "",
        "",
        Some(("cookie", &format!("session={ada}; session={grace}"))),
    )
    .await;
    assert_eq!(twice, Received::refused("token_malformed"));

    for query in [
        format!("&auth_token=+{ada}"),
        format!("&auth_token=%22{ada}%22"),
        format!("&auth_token=Bearer%09{ada}"),
        format!("&auth_token=&auth_token={ada}"),
        format!("&auth_token={ada}&%61uth_token={ada}"),
    ] {
        assert_eq!(
            first_received("", &query, None).await,
            Received::refused("token_malformed"),
            "{query}"
        );
    }
    assert_eq!(
        first_received("", &format!("&%61uth%5Ftoken={ada}"), None).await,
        welcome(Some("Ada"))
    );
    assert_eq!(
        first_received("", "", Some(("cookie", &format!("session=Bearer {ada}")))).await,
        welcome(Some("Ada"))
    );
}

/// A guest carries no authority that a page could abuse.
#[tokio::test]
async fn a_guest_without_an_origin_is_admitted_and_one_of_another_origin_is_not() {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(from_everywhere::middleware().unwrap()));
    let mut native = server.client().admitted().await;
    native.expect(welcome(None)).await;
    let mut logged_out = server
        .client()
        .header("cookie", "session=")
        .admitted()
        .await;
    logged_out.expect(welcome(None)).await;

    for origin in ["https://evil.example.com", "null"] {
        let refusal = server.client().header("origin", origin).refusal().await;
        assert_eq!(refusal, "origin_not_allowed", "{origin}");
    }
}

#[tokio::test]
async fn a_token_outside_of_the_sources_is_ignored() {
    let ada = token("ada");
    let told_elsewhere = first_received(
        &format!("{{\"Token\":\"{ada}\"}}"),
        &format!("&AUTH_TOKEN={ada}"),
        None,
    )
    .await;
    assert_eq!(told_elsewhere, welcome(None));
    assert_eq!(
        first_received("", "", Some(("cookie", &format!("Session={ada}")))).await,
        welcome(None)
    );
    assert_eq!(
        first_received("", "", Some(("x-token", &ada))).await,
        welcome(None)
    );
}

#[tokio::test]
async fn an_unknown_user_is_refused_where_guests_are_allowed() {
    let server = server().await;
    assert_eq!(
        server.client().token(&token("nobody")).refusal().await,
        "user_not_found"
    );
}

#[tokio::test]
async fn a_denied_user_is_refused_where_guests_are_allowed() {
    let server = server().await;
    assert_eq!(
        server.client().token(&token("suspended")).refusal().await,
        "account suspended"
    );
}

#[tokio::test]
async fn the_builder_can_turn_guests_off() {
    let server = Server::start().await;
    server.io.ns(
        "/",
        greet.with(with_guests::builder().guest(false).build().unwrap()),
    );
    assert_eq!(server.client().refusal().await, "token_missing");
}

#[tokio::test]
async fn an_optional_claims_parameter_alone_does_not_allow_guests() {
    let server = Server::start().await;
    server.io.ns(
        "/",
        greet.with(with_own_guests::builder().guest(false).build().unwrap()),
    );
    assert_eq!(server.client().refusal().await, "token_missing");
}

#[tokio::test]
async fn the_lookup_can_return_a_guest_user() {
    async fn on_connect(socket: SocketRef, user: AuthUser<User>) {
        socket.emit("hello", user.name).unwrap();
        socket.on(
            "claims",
            async |AuthClaims(claims): AuthClaims<Claims>, ack: AckSender| {
                ack.send(&claims.sub).unwrap();
            },
        );
    }
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(with_own_guests::middleware().unwrap()));

    let mut guest = server.client().admitted().await;
    guest
        .expect(Received::event("hello", json!("visitor")))
        .await;
    guest.emit_with_ack("claims", json!(null)).await;
    guest.expect(refused_ack("login_required")).await;

    let mut user = server.client().token(&token("ada")).admitted().await;
    user.expect(Received::event("hello", json!("Ada"))).await;
    assert_eq!(
        server.client().token(&token("nobody")).refusal().await,
        "user_not_found"
    );
}

#[tokio::test]
async fn the_lookup_can_refuse_a_guest_with_its_own_message() {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(turns_guests_away::middleware().unwrap()));
    assert_eq!(server.client().refusal().await, "members only");
    assert_eq!(
        server.client().token(&token("nobody")).refusal().await,
        "unknown user"
    );
    let mut user = server.client().token(&token("ada")).admitted().await;
    user.expect(welcome(Some("Ada"))).await;
}

#[tokio::test]
async fn a_guest_for_which_the_lookup_returns_none_stays_a_guest() {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(knows_no_guest::middleware().unwrap()));
    let mut client = server.client().admitted().await;
    client.expect(welcome(None)).await;
}

#[tokio::test]
async fn logged_in_is_true_for_a_user_only() {
    async fn on_connect(socket: SocketRef, maybe: MaybeAuthUser<User>) {
        socket.emit("logged_in", &maybe.logged_in()).unwrap();
    }

    let server = Server::start().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );
    let mut guest = server.client().admitted().await;
    guest
        .expect(Received::event("logged_in", json!(false)))
        .await;
    let mut user = server.client().token(&token("ada")).admitted().await;
    user.expect(Received::event("logged_in", json!(true))).await;
}
