//! Policies and their combinations, over a connection.

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    All, AnyOf, AuthClaims, AuthUser, Not, Policy, jwt_auth,
    testing::{TestClient, TestIssuer},
};
use socketioxide_jwt_auth_tests::{
    Admin, Recorder, Server, User, authenticate, recorder, refusal, within,
};

/// Allows every user but Grace.
struct NotGrace;

impl Policy<User> for NotGrace {
    fn allows(user: &User) -> bool {
        user.name != "Grace"
    }
}

struct DenyAll;

impl<T> Policy<T> for DenyAll {
    fn allows(_: &T) -> bool {
        false
    }
}

fn on<P: Policy<User> + Send + Sync + 'static>(socket: &SocketRef, event: &'static str) {
    socket.on(event, async |ack: AckSender, user: AuthUser<User, P>| {
        ack.send(user.name).unwrap_or_default()
    });
}

/// Registers an event for each policy.
async fn on_connect(socket: SocketRef) {
    on::<()>(&socket, "no policy");
    on::<Admin>(&socket, "admin");
    on::<All<(Admin, NotGrace)>>(&socket, "all");
    on::<All<(Admin, DenyAll)>>(&socket, "all with deny all");
    on::<AnyOf<(DenyAll, Admin)>>(&socket, "any of");
    on::<Not<Admin>>(&socket, "not");
    on::<All<(AnyOf<(Admin, Not<NotGrace>)>, Not<DenyAll>, ())>>(&socket, "nested");
    on::<All<((), (), (), (), (), (), (), Not<Admin>)>>(&socket, "eight");
    socket.emit("ready", &()).unwrap();
}

async fn server() -> (Server, TestIssuer) {
    let issuer = TestIssuer::new();
    let middleware = authenticate::builder().guest(true).test_issuer(&issuer);
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(middleware.build().unwrap()));
    (server, issuer)
}

/// Connects a user, or a guest without a token.
async fn ready(server: &Server, token: Option<String>) -> TestClient {
    let mut connecting = TestClient::connect(server.address());
    if let Some(token) = token {
        connecting = connecting.token(token);
    }
    let mut client = connecting.await.unwrap();
    client.next_event("ready").await.unwrap();
    client
}

fn refused(code: &str) -> Value {
    json!([{ "error": refusal(code) }])
}

#[tokio::test]
async fn combinations_allow_exactly_the_matching_users() {
    let (server, issuer) = server().await;
    let mut ada = ready(&server, Some(issuer.token("ada").sign())).await;
    let mut grace = ready(&server, Some(issuer.token("grace").sign())).await;

    let expected = [
        ("no policy", true, true),
        ("admin", true, false),
        ("all", true, false),
        ("all with deny all", false, false),
        ("any of", true, false),
        ("not", false, true),
        ("nested", true, true),
        ("eight", false, true),
    ];
    for (event, for_ada, for_grace) in expected {
        for (client, name, allowed) in
            [(&mut ada, "Ada", for_ada), (&mut grace, "Grace", for_grace)]
        {
            let expected = if allowed {
                json!([name])
            } else {
                refused("forbidden")
            };
            let answer = client.emit_with_ack(event, ()).await.unwrap();
            assert_eq!(answer, expected, "{event} for {name}");
        }
    }
}

#[tokio::test]
async fn every_policy_refuses_a_guest_with_login_required() {
    let (server, _issuer) = server().await;
    let mut guest = ready(&server, None).await;
    for event in ["no policy", "admin", "all", "any of", "not", "nested"] {
        let answer = guest.emit_with_ack(event, ()).await.unwrap();
        assert_eq!(answer, refused("login_required"), "{event}");
    }
}

#[tokio::test]
async fn forbidden_is_an_event_without_an_acknowledgement() {
    let (server, issuer) = server().await;
    let mut grace = ready(&server, Some(issuer.token("grace").sign())).await;
    grace.emit("all", 1).await.unwrap();

    let mut told = refusal("forbidden");
    told["event"] = json!("all");
    assert_eq!(
        grace.next_event("unauthorized").await.unwrap(),
        json!([told])
    );
    assert_eq!(
        grace.emit_with_ack("no policy", ()).await.unwrap(),
        json!(["Grace"])
    );
}

#[tokio::test]
async fn a_connect_handler_can_have_a_combination() {
    async fn staff_only(socket: SocketRef, _: AuthUser<User, All<(Admin, NotGrace)>>) {
        socket.emit("ready", &()).unwrap();
    }
    let issuer = TestIssuer::new();
    let middleware = authenticate::builder().test_issuer(&issuer).build();
    let server = Server::start().await;
    server.io.ns("/", staff_only.with(middleware.unwrap()));
    ready(&server, Some(issuer.token("ada").sign())).await;

    let connecting = TestClient::connect(server.address());
    let mut grace = connecting
        .token(issuer.token("grace").sign())
        .await
        .unwrap();
    assert_eq!(
        grace.next_event("unauthorized").await.unwrap(),
        json!([refusal("forbidden")])
    );
    grace.disconnected().await.unwrap();
    assert!(grace.next_event("ready").await.is_err());
}

/// Claims that say whether the user is an administrator.
#[derive(Deserialize)]
struct Role {
    admin: bool,
}

#[jwt_auth(keys_at_runtime, authenticate_event = "authenticate")]
async fn by_role(claims: Role) -> Option<User> {
    Some(User {
        name: "Ada",
        admin: claims.admin,
    })
}

#[tokio::test]
async fn a_renewed_token_brings_its_own_user_and_claims() {
    async fn on_connect(socket: SocketRef) {
        on::<Admin>(&socket, "admin");
        socket.on(
            "claims",
            async |ack: AckSender, AuthClaims(role): AuthClaims<Role>| {
                ack.send(&role.admin).unwrap_or_default();
            },
        );
        socket.emit("ready", &()).unwrap();
    }

    let issuer = TestIssuer::new();
    let middleware = by_role::builder().test_issuer(&issuer).build();
    let server = Server::start().await;
    server.io.ns("/", on_connect.with(middleware.unwrap()));
    let token = |admin: bool| issuer.token("ada").claim("admin", admin).sign();

    let mut client = ready(&server, Some(token(false))).await;
    for admin in [false, true, false] {
        let renewed = client.emit_with_ack("authenticate", token(admin)).await;
        assert!(renewed.unwrap()[0]["expires_at"].is_number());

        let expected = if admin {
            json!(["Ada"])
        } else {
            refused("forbidden")
        };
        assert_eq!(client.emit_with_ack("admin", ()).await.unwrap(), expected);
        assert_eq!(
            client.emit_with_ack("claims", ()).await.unwrap(),
            json!([admin])
        );
    }
}

#[tokio::test]
async fn a_disconnect_handler_is_called_only_if_its_policy_allows_and_every_socket_is_removed() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |user: AuthUser<User, Admin>, State(recorder): State<Recorder>| {
                recorder.record(user.name)
            },
        );
        socket.emit("ready", &()).unwrap();
    }

    let (recorder, mut records) = recorder();
    let issuer = TestIssuer::new();
    let middleware = authenticate::builder().test_issuer(&issuer).build();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server.io.ns("/", on_connect.with(middleware.unwrap()));

    for subject in ["grace", "ada"] {
        let client = ready(&server, Some(issuer.token(subject).sign())).await;
        client.disconnect().await.unwrap();
    }

    assert_eq!(records.next().await, "Ada");

    let removed = async {
        while server.sockets_in("/") > 0 {
            tokio::task::yield_now().await;
        }
    };
    within("the end of the sockets", removed).await;

    assert_eq!(records.unread(), [""; 0]);
}
