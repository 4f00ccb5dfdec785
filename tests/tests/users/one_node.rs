//! The room of a user and a forced logout, on one node.

mod logout;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, SocketAuth, disconnect_user, jwt_auth, user_room,
};
use socketioxide_jwt_auth_tests::{
    Claims, ODD_KEYS, Raw, Received, Recorder, Records, SECRET, Server, denied_ack, emit_with_ack,
    flood, join, ready, recorder, refused_ack, renew, token,
};

#[derive(Debug)]
struct Member {
    key: String,
}

/// User keys that differ from the subjects of the tokens. An empty one refuses the user.
#[derive(Clone, Default)]
struct Directory(Arc<Mutex<HashMap<String, String>>>);

impl Directory {
    fn rename(&self, subject: &str, key: &str) {
        self.0
            .lock()
            .unwrap()
            .insert(subject.to_owned(), key.to_owned());
    }
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate", user_key = |member: &Member| &member.key)]
async fn admit(claims: Claims, State(directory): State<Directory>) -> Result<Member, AuthError> {
    match directory.0.lock().unwrap().get(&claims.sub) {
        Some(key) if key.is_empty() => Err(AuthError::denied("banned")),
        Some(key) => Ok(Member { key: key.clone() }),
        None => Ok(Member { key: claims.sub }),
    }
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "whoami",
        async |ack: AckSender, member: AuthUser<Member>| ack.send(&member.key).unwrap(),
    );
    socket.on("rooms", async |socket: SocketRef, ack: AckSender| {
        ack.send(&[socket.rooms()]).unwrap()
    });
    socket.on("flood", flood_and_record);
    socket.on(
        "as_user",
        async |_: AuthUser<Member>, State(recorder): State<Recorder>| recorder.record("as_user"),
    );
    socket.on("as_guest", async |State(recorder): State<Recorder>| {
        recorder.record("as_guest")
    });
    socket.on_disconnect(
        async |socket: SocketRef, member: AuthUser<Member>, State(recorder): State<Recorder>| {
            recorder.record(format!("{} left {:?}", member.key, socket.rooms()));
        },
    );
    socket.emit("ready", &()).unwrap();
}

/// Fills the channel of a client that does not read.
async fn flood_and_record(socket: SocketRef, State(recorder): State<Recorder>) {
    flood(&socket).await;
    recorder.record("flooded");
}

const NAMESPACES: [&str; 2] = ["/", "/other"];

async fn server() -> (Server, Directory, Records) {
    let (directory, (recorder, records)) = (Directory::default(), recorder());
    let builder = SocketIo::builder()
        .max_buffer_size(8)
        .with_state(directory.clone())
        .with_state(recorder);
    let server = Server::with(builder).await;

    for namespace in NAMESPACES {
        server
            .io
            .ns(namespace, on_connect.with(admit::middleware().unwrap()));
    }

    (server, directory, records)
}

/// Connects a user to all namespaces.
async fn everywhere(server: &Server, subject: &str) -> Raw {
    let mut raw = server.raw().await;
    for namespace in NAMESPACES {
        join(&mut raw, namespace, Some(&token(subject))).await;
    }
    raw
}

/// Expects the same packets in each namespace, in any order of the namespaces.
async fn expect_everywhere(raw: &mut Raw, received: &[Received]) {
    let mut arrived: HashMap<String, Vec<Received>> = HashMap::new();
    for _ in 0..NAMESPACES.len() * received.len() {
        let (namespace, received) = raw.next().await;
        arrived.entry(namespace).or_default().push(received);
    }
    assert_eq!(
        arrived,
        NAMESPACES
            .map(|namespace| (namespace.to_owned(), received.to_vec()))
            .into()
    );
}

async fn expect_in(raw: &mut Raw, key: &str) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        Received::ack(json!(key))
    );
}

async fn send_to(server: &Server, key: &str, text: &str) {
    for namespace in NAMESPACES {
        server
            .io
            .of(namespace)
            .unwrap()
            .to(user_room(key))
            .emit("mail", text)
            .await
            .unwrap();
    }
}

fn mail(text: &str) -> Received {
    Received::event("mail", json!(text))
}

#[tokio::test]
async fn a_message_reaches_all_sockets_of_a_user_and_no_others() {
    let (server, ..) = server().await;
    let mut adas = [
        everywhere(&server, "ada").await,
        everywhere(&server, "ada").await,
    ];
    let mut grace = everywhere(&server, "grace").await;

    send_to(&server, "ada", "for ada").await;
    send_to(&server, "grace", "for grace").await;
    for ada in &mut adas {
        expect_everywhere(ada, &[mail("for ada")]).await;
    }

    expect_everywhere(&mut grace, &[mail("for grace")]).await;
}

#[tokio::test]
async fn a_renewed_session_stays_in_its_room() {
    let (server, ..) = server().await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    renew(&mut ada, &token("ada")).await.assert_renewal();
    assert_eq!(
        server
            .io
            .of("/")
            .unwrap()
            .to(user_room("ada"))
            .sockets()
            .len(),
        1
    );

    send_to(&server, "ada", "once").await;
    ada.expect("/", mail("once")).await;
    expect_in(&mut ada, "ada").await;
}

/// One `sub` may name different users of different tenants.
#[tokio::test]
async fn a_renewal_does_not_change_the_user_key() {
    let (server, directory, _) = server().await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    directory.rename("ada", "countess");
    assert_eq!(
        renew(&mut ada, &token("ada")).await,
        refused_ack("subject_mismatch")
    );
    send_to(&server, "countess", "for the new key").await;
    send_to(&server, "ada", "for the old key").await;
    ada.expect("/", mail("for the old key")).await;
    expect_in(&mut ada, "ada").await;

    // A new connection does.
    ada.leave("/").await;
    join(&mut ada, "/", Some(&token("ada"))).await;
    expect_in(&mut ada, "countess").await;
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_room_as_it_is() {
    let (server, directory, _) = server().await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    directory.rename("ada", "");
    assert_eq!(renew(&mut ada, &token("ada")).await, denied_ack("banned"));
    assert_eq!(
        renew(&mut ada, &token("grace")).await,
        refused_ack("subject_mismatch")
    );
    send_to(&server, "grace", "for grace").await;
    send_to(&server, "ada", "for ada").await;
    ada.expect("/", mail("for ada")).await;
}

#[tokio::test]
async fn a_guest_is_in_no_room_and_joins_one_when_it_logs_in() {
    let (server, ..) = server().await;

    let mut guest = ready(&server, "/", None).await;
    assert_eq!(
        emit_with_ack(&mut guest, "rooms", &json!(null)).await,
        Received::ack(json!([]))
    );

    for key in ["", "guest", "null", "ada"] {
        send_to(&server, key, "not for guests").await;
        disconnect_user(&server.io, key).await.unwrap();
    }

    renew(&mut guest, &token("ada")).await.assert_renewal();
    send_to(&server, "ada", "for ada").await;
    guest.expect("/", mail("for ada")).await;
    disconnect_user(&server.io, "ada").await.unwrap();
    guest.expect_ended("/", "session_ended").await;
}

#[tokio::test]
async fn on_login_is_called_once_the_user_can_be_reached() {
    async fn on_connect(socket: SocketRef) {
        socket.on_login(async |io: SocketIo, member: AuthUser<Member>| {
            let namespace = io.of("/login").unwrap();
            namespace
                .to(user_room(&member.key))
                .emit("welcome", &member.key)
                .await
                .unwrap();
        });
        socket.emit("ready", &()).unwrap();
    }

    let (server, ..) = server().await;
    server
        .io
        .ns("/login", on_connect.with(admit::middleware().unwrap()));

    let mut guest = ready(&server, "/login", None).await;
    guest
        .emit(
            "/login",
            &json!(["authenticate", { "token": token("ada") }]),
        )
        .await;
    guest
        .expect("/login", Received::event("welcome", json!("ada")))
        .await;
}

#[tokio::test]
async fn a_key_with_special_characters_reaches_only_its_user() {
    let (server, ..) = server().await;

    let mut users = Vec::new();
    for key in ODD_KEYS {
        users.push((key, ready(&server, "/", Some(&token(key))).await));
    }

    for key in ODD_KEYS {
        send_to(&server, key, key).await;
    }

    for (key, user) in &mut users {
        user.expect("/", mail(key)).await;
    }

    while let Some((key, mut user)) = users.pop() {
        disconnect_user(&server.io, key).await.unwrap();
        user.expect_ended("/", "session_ended").await;
        for (key, user) in &mut users {
            expect_in(user, key).await;
        }
    }
}

/// Guest users of the lookup have no user room, so a logout does not reach them.
#[tokio::test]
async fn a_guest_user_of_the_lookup_joins_no_user_room() {
    #[jwt_auth(secret = SECRET, guest = true, user_key = |member: &Member| &member.key)]
    async fn admit_all(claims: Option<Claims>) -> Option<Member> {
        Some(Member {
            key: claims.map_or("visitor".to_owned(), |claims| claims.sub),
        })
    }

    let (recorder, _records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server
        .io
        .ns("/", on_connect.with(admit_all::middleware().unwrap()));

    let mut visitor = ready(&server, "/", None).await;
    expect_in(&mut visitor, "visitor").await;
    assert_eq!(server.io.sockets()[0].rooms(), [""; 0]);
    disconnect_user(&server.io, "visitor").await.unwrap();
    expect_in(&mut visitor, "visitor").await;
}
