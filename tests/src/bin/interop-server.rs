//! The server that the JavaScript clients of `tests/interop` talk to.
//!
//! Protocol 4 connects every client to `/` first, so what `/` demands cannot be chosen by the client's namespace.
//! Therefore several Socket.IO servers listen on one port, each under its own path and with its own `/`; the named
//! namespaces are the same on all of them.

use std::{collections::HashMap, error::Error, io, sync::Arc};

use axum::{Router, body::Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};
use socketioxide_jwt_auth::{AuthClaims, AuthError, AuthUser, ConfigError, JwtAuth, MaybeAuthUser, Policy, jwt_auth};
use tokio::{io::AsyncReadExt, net::TcpListener};

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

#[derive(Clone, Serialize)]
struct User {
    name: &'static str,
    admin: bool,
}

struct Admins;

impl Policy<User> for Admins {
    fn allows(user: &User) -> bool {
        user.admin
    }
}

#[derive(Clone)]
struct Directory(Arc<HashMap<&'static str, User>>);

impl Directory {
    fn new() -> Self {
        let ada = User { name: "Ada", admin: true };
        let grace = User { name: "Grace", admin: false };
        Self(Arc::new(HashMap::from([("1", ada), ("2", grace)])))
    }

    fn find(&self, claims: &Claims) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
        match claims.sub.as_str() {
            "suspended" => Err(AuthError::denied("user does not exist").into()),
            "broken" => Err("the table of users is gone".into()),
            "panics" => panic!("the lookup panics"),
            id => Ok(self.0.get(id).cloned()),
        }
    }
}

#[jwt_auth(secret_env = "INTEROP_SECRET")]
async fn users(
    claims: Claims,
    State(directory): State<Directory>,
) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    directory.find(&claims)
}

#[jwt_auth(secret_env = "INTEROP_SECRET", guest = true)]
fn guests(claims: Claims, State(directory): State<Directory>) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    directory.find(&claims)
}

/// Claims and user of a namespace that has nothing in common with the others.
#[derive(Deserialize)]
struct AccountClaims {
    account: u64,
}

struct Account {
    number: u64,
}

// A client of protocol 4 says the same on every namespace of a connection, so a second token needs a second name.
#[jwt_auth(secret_env = "INTEROP_OTHER_SECRET", token = [auth("token"), query("account_token")])]
async fn accounts(claims: AccountClaims) -> Option<Account> {
    (claims.account < 1000).then_some(Account { number: claims.account })
}

fn describe(user: &MaybeAuthUser<User>) -> Value {
    json!({ "logged_in": user.logged_in(), "name": user.0.as_ref().map(|user| user.name) })
}

async fn open_to_all(socket: SocketRef) {
    socket.on("echo", echo);
    socket.emit("session", &()).ok();
}

async fn on_connect(socket: SocketRef, user: MaybeAuthUser<User>) {
    add_events(&socket);
    socket.emit("session", &describe(&user)).ok();
}

async fn on_member(socket: SocketRef, user: AuthUser<User>) {
    add_events(&socket);
    socket.emit("session", &describe(&MaybeAuthUser(Some(user)))).ok();
}

async fn on_admin(socket: SocketRef, user: AuthUser<User, Admins>) {
    add_events(&socket);
    socket.emit("session", user.name).ok();
}

async fn on_account(socket: SocketRef, account: AuthUser<Account>) {
    socket.on("account number", account_number);
    socket.on("whoami", whoami);
    socket.emit("session", &account.number).ok();
}

/// Before `session` is emitted: socketioxide drops an event that arrives when nobody has asked for it yet, and clients
/// wait for `session` therefore.
fn add_events(socket: &SocketRef) {
    socket.on("whoami", whoami);
    socket.on("subject", subject);
    socket.on("post", post);
    socket.on("upload", upload);
    socket.on("download", download);
    socket.on("close shop", close_shop);
    socket.on("account number", account_number);
    socket.on_disconnect(on_disconnect);
}

async fn on_disconnect(socket: SocketRef, user: AuthUser<User>) {
    socket.broadcast().emit("left", user.name).await.ok();
}

async fn echo(ack: AckSender, Data(value): Data<Value>) {
    ack.send(&value).ok();
}

async fn whoami(ack: AckSender, user: MaybeAuthUser<User>) {
    ack.send(&describe(&user)).ok();
}

async fn subject(ack: AckSender, claims: AuthClaims<Claims>) {
    ack.send(&claims.sub).ok();
}

async fn account_number(ack: AckSender, account: AuthUser<Account>) {
    ack.send(&account.number).ok();
}

async fn close_shop(ack: AckSender, user: AuthUser<User, Admins>) {
    ack.send(user.name).ok();
}

async fn post(socket: SocketRef, ack: AckSender, user: AuthUser<User>, Data(text): Data<String>) {
    socket.emit("posted", &json!({ "by": user.name, "text": text })).ok();
    ack.send(&text).ok();
}

async fn upload(ack: AckSender, user: AuthUser<User>, Data(bytes): Data<Bytes>) {
    ack.send(&json!({ "by": user.name, "bytes": bytes.to_vec() })).ok();
}

async fn download(ack: AckSender, _: AuthUser<User>) {
    ack.send(&Bytes::from_static(&[0, 1, 127, 128, 255])).ok();
}

/// The middlewares, built once and shared by every server and namespace.
struct Auth {
    users: JwtAuth<users>,
    guests: JwtAuth<guests>,
    accounts: JwtAuth<accounts>,
}

impl Auth {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { users: users::middleware()?, guests: guests::middleware()?, accounts: accounts::middleware()? })
    }
}

fn server(path: &'static str, auth: &Auth) -> Result<(SocketIoLayer, SocketIo), Box<dyn Error>> {
    let (layer, io) = SocketIo::builder().req_path(path).with_state(Directory::new()).build_layer();
    io.ns("/users", on_connect.with(auth.users.clone()));
    io.ns("/guests", on_connect.with(auth.guests.clone()));
    io.ns("/members", on_member.with(auth.guests.clone()));
    io.ns("/admins", on_admin.with(auth.guests.clone()));
    io.ns("/accounts", on_account.with(auth.accounts.clone()));
    io.dyn_ns("/tenants/{name}", on_connect.with(auth.users.clone()))?;
    Ok((layer, io))
}

fn app(auth: &Auth) -> Result<Router, Box<dyn Error>> {
    let (open_layer, open) = server("/open", auth)?;
    open.ns("/", open_to_all);
    let (users_layer, users) = server("/users", auth)?;
    users.ns("/", on_connect.with(auth.users.clone()));
    let (guests_layer, guests) = server("/guests", auth)?;
    guests.ns("/", on_connect.with(auth.guests.clone()));
    let (members_layer, members) = server("/members", auth)?;
    members.ns("/", on_member.with(auth.guests.clone()));
    Ok(Router::new().layer(open_layer).layer(users_layer).layer(guests_layer).layer(members_layer))
}

/// Whoever started the server holds its stdin: when they end, however they end, so does the server.
async fn stdin_closed() {
    let mut stdin = tokio::io::stdin();
    let mut ignored = [0; 64];
    while matches!(stdin.read(&mut ignored).await, Ok(1..)) {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Every event of the crate itself, so that the tests can look for what must not be in the log. socketioxide's own
    // events show auth payloads.
    tracing_subscriber::fmt()
        .with_env_filter("socketioxide_jwt_auth=trace")
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();

    let port: u16 = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let app = app(&Auth::from_env()?)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        () = stdin_closed() => {}
    }
    Ok(())
}
