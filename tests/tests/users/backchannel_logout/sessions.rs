//! The sessions that a logout token ends.

use serde_json::{Value, json};
use socketioxide::{SocketIo, extract::State};
use socketioxide_jwt_auth::{SocketAuth, jwt_auth, refresh_user};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, Raw, Received, SECRET, User, audit, emit_with_ack, find_user, flood, join, mint,
    refused_ack, seconds_from_now,
};

use super::{
    CLIENT, Endpoint, ISSUER, claims_with, expect_alive, expect_ended, log_in, login, logout_token,
};

/// A logout token for a subject, a session or both.
fn logout_of(subject: Option<&str>, session: Option<&str>) -> String {
    logout_token(&claims_with(json!({ "sub": subject, "sid": session })))
}

/// Ada with two sessions and with an unknown one, and Grace, who claims a session of the same name.
struct Clients {
    first: Raw,
    second: Raw,
    unknown: Raw,
    grace: Raw,
}

impl Clients {
    async fn connect(endpoint: &Endpoint) -> Self {
        Self {
            first: endpoint.connect("/", &login("ada", Some("first"))).await,
            second: endpoint.connect("/", &login("ada", Some("second"))).await,
            unknown: endpoint.connect("/", &login("ada", None)).await,
            grace: endpoint.connect("/", &login("grace", Some("third"))).await,
        }
    }

    async fn expect(mut self, ended: [bool; 4]) {
        let clients = [
            (&mut self.first, "Ada"),
            (&mut self.second, "Ada"),
            (&mut self.unknown, "Ada"),
            (&mut self.grace, "Grace"),
        ];
        for ((raw, name), ended) in clients.into_iter().zip(ended) {
            if ended {
                expect_ended(raw, "/").await;
            } else {
                expect_alive(raw, "/", name).await;
            }
        }
    }
}

#[tokio::test]
async fn a_subject_ends_all_of_its_sessions() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let clients = Clients::connect(&endpoint).await;
    assert_eq!(endpoint.send(&logout_of(Some("ada"), None)).await, 200);
    clients.expect([true, true, true, false]).await;
}

#[tokio::test]
async fn a_session_ends_alone() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let clients = Clients::connect(&endpoint).await;
    assert_eq!(endpoint.send(&logout_of(None, Some("first"))).await, 200);
    clients.expect([true, false, false, false]).await;
}

/// It may be the session that ends.
#[tokio::test]
async fn a_session_of_a_subject_ends_with_those_of_the_subject_that_are_unknown() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let clients = Clients::connect(&endpoint).await;
    assert_eq!(
        endpoint.send(&logout_of(Some("ada"), Some("first"))).await,
        200
    );
    clients.expect([true, false, true, false]).await;
}

#[tokio::test]
async fn unknown_subjects_and_sessions_and_those_of_other_issuers_end_nothing() {
    let endpoint =
        Endpoint::start(log_in::builder().issuer([ISSUER, "https://other.example"])).await;
    let clients = Clients::connect(&endpoint).await;

    for (subject, session) in [
        (Some("Ada"), None),
        (None, Some("ada")),
        (None, Some("FIRST")),
    ] {
        assert_eq!(endpoint.send(&logout_of(subject, session)).await, 200);
    }

    let other = json!({ "iss": "https://other.example", "sub": "ada", "sid": null });
    assert_eq!(endpoint.send(&logout_token(&claims_with(other))).await, 200);
    clients.expect([false; 4]).await;
}

#[tokio::test]
async fn sockets_end_in_every_namespace() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let token = mint(&login("ada", Some("first")), SECRET);
    let mut raw = endpoint.connect("/", &login("ada", Some("first"))).await;

    join(&mut raw, "/other", Some(&token)).await;
    assert_eq!(endpoint.send(&logout_of(Some("ada"), None)).await, 200);
    let mut received = Vec::new();
    for _ in 0..4 {
        received.push(raw.next().await);
    }

    for namespace in ["/", "/other"] {
        assert!(received.contains(&(namespace.to_owned(), Received::Disconnected)));
    }
    assert!(endpoint.io.sockets().is_empty());
}

/// Without `user_key` and `session_key`, the claims of the token count.
#[tokio::test]
async fn a_session_id_that_is_not_a_string_is_unknown() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let mut claims = login("ada", None);
    claims["sid"] = json!(1);
    let mut raw = endpoint.connect("/", &claims).await;
    assert_eq!(endpoint.send(&logout_of(Some("ada"), Some("1"))).await, 200);
    expect_ended(&mut raw, "/").await;
}

#[tokio::test]
async fn a_logout_token_does_not_log_in() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let mut raw = Raw::open_with(endpoint.address, "", &[]).await;
    let claims = claims_with(json!({ "exp": seconds_from_now(3600) }));
    let without_typ = mint(&claims, SECRET);
    for token in [logout_token(&claims), without_typ] {
        raw.connect_with_token("/", &token).await;
        raw.expect("/", Received::refused("token_claims_invalid"))
            .await;
    }

    let mut same_claims = claims;
    same_claims.as_object_mut().unwrap().remove("events");
    raw.connect_with_token("/", &mint(&same_claims, SECRET))
        .await;
    raw.expect("/", Received::Connected).await;
}

async fn renew(raw: &mut Raw, claims: &Value) {
    let answer = emit_with_ack(
        raw,
        "authenticate",
        &json!({ "token": mint(claims, SECRET) }),
    )
    .await;
    answer.assert_renewal();
}

#[tokio::test]
async fn a_renewal_moves_the_socket_to_the_session_of_the_new_token() {
    let endpoint = Endpoint::start(log_in::builder().authenticate_event("authenticate")).await;
    let mut raw = endpoint.connect("/", &login("ada", Some("first"))).await;
    renew(&mut raw, &login("ada", Some("second"))).await;
    assert_eq!(endpoint.send(&logout_of(None, Some("first"))).await, 200);
    expect_alive(&mut raw, "/", "Ada").await;
    assert_eq!(endpoint.send(&logout_of(None, Some("second"))).await, 200);
    expect_ended(&mut raw, "/").await;
}

/// The keys of the user are compared at a re-check, and not what its token says.
#[tokio::test]
async fn a_socket_stays_in_the_rooms_of_its_issuer_when_its_user_is_looked_up_again() {
    let builder = log_in::builder().user_key(|user: &User| user.name);
    let endpoint = Endpoint::start(builder).await;
    let mut raw = endpoint.connect("/", &login("ada", Some("first"))).await;
    assert_eq!(refresh_user(&endpoint.io, "Ada").await, 1);
    expect_alive(&mut raw, "/", "Ada").await;
    assert_eq!(endpoint.send(&logout_of(None, Some("first"))).await, 200);
    expect_ended(&mut raw, "/").await;
}

#[tokio::test]
async fn a_guest_that_logged_in_ends_too_and_other_guests_do_not() {
    let builder = log_in::builder()
        .guest(true)
        .authenticate_event("authenticate");
    let endpoint = Endpoint::start(builder).await;
    let mut guests = Vec::new();

    for _ in 0..2 {
        let mut raw = Raw::open_with(endpoint.address, "", &[]).await;
        join(&mut raw, "/", None).await;
        guests.push(raw);
    }

    renew(&mut guests[0], &login("ada", None)).await;
    assert_eq!(endpoint.send(&logout_of(Some("ada"), None)).await, 200);
    expect_ended(&mut guests[0], "/").await;

    guests[1].emit_with_ack("/", 1, &json!(["whoami"])).await;
    guests[1].expect("/", refused_ack("login_required")).await;
}

#[tokio::test]
async fn the_hook_is_told_of_each_socket_that_ends() {
    let (hook, mut events) = audit();
    let endpoint = Endpoint::start(log_in::builder().on_event(hook)).await;
    let mut ada = endpoint.connect("/", &login("ada", Some("first"))).await;
    assert_eq!(events.line().await, "Accepted / - -");
    let _grace = endpoint.connect("/other", &login("grace", None)).await;
    assert_eq!(events.line().await, "Accepted /other - -");

    assert_eq!(endpoint.send(&logout_of(None, Some("first"))).await, 200);
    expect_ended(&mut ada, "/").await;
    assert_eq!(events.line().await, "Ended / - session_ended");
    // A token that is refused, or that concerns no session, ends nothing.
    assert_eq!(endpoint.send("a.b.c").await, 400);
    assert_eq!(endpoint.send(&logout_of(None, Some("first"))).await, 200);
    assert_eq!(events.unread(), Vec::<String>::new());
}

#[jwt_auth(secret = SECRET, issuer = ISSUER, audience = CLIENT)]
async fn log_in_slowly(claims: Claims, State(gate): State<Gate>) -> Option<User> {
    gate.pass().await;
    find_user(&claims.sub)
}

#[tokio::test]
async fn a_connection_under_way_is_refused() {
    let gate = Gate::closed();
    let server = SocketIo::builder().with_state(gate.clone());
    let endpoint = Endpoint::start_with(server, log_in_slowly::builder()).await;
    let mut ada = Raw::open_with(endpoint.address, "", &[]).await;
    ada.connect_with_token("/", &mint(&login("ada", Some("first")), SECRET))
        .await;
    let mut grace = Raw::open_with(endpoint.address, "", &[]).await;
    grace
        .connect_with_token("/", &mint(&login("grace", None), SECRET))
        .await;
    // Its own connection is answered after those that came before.
    let mut late = Raw::open_with(endpoint.address, "", &[]).await;
    late.connect("/", "").await;
    late.expect("/", Received::refused("token_missing")).await;

    assert_eq!(endpoint.send(&logout_of(None, Some("first"))).await, 200);
    gate.open_once();
    gate.open_once();
    ada.expect("/", Received::refused("session_ended")).await;
    grace.expect("/", Received::Connected).await;
}

/// On one node the session has ended, and only the client does not know it yet.
#[tokio::test]
async fn a_client_that_does_not_read_does_not_fail_the_logout() {
    let server = SocketIo::builder().max_buffer_size(4);
    let endpoint = Endpoint::start_with(server, log_in::builder()).await;
    let mut raw = Raw::open_with_small_buffer(endpoint.address).await;
    join(&mut raw, "/", Some(&mint(&login("ada", None), SECRET))).await;
    let socket = endpoint.io.sockets().pop().unwrap();
    flood(&socket).await;
    let token = logout_of(Some("ada"), None);
    assert_eq!(endpoint.send(&token).await, 200);
    assert!(socket.auth_user::<User>().is_none());
    assert_eq!(endpoint.send(&token).await, 400, "it counts as used");
}
