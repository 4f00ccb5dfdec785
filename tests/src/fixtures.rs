//! Claims, users and lookups of most tests.

use serde::Deserialize;
use serde_json::json;
use socketioxide::extract::SocketRef;
use socketioxide_jwt_auth::{AuthUser, MaybeAuthUser, Policy, jwt_auth};

use crate::{Recorder, SECRET};

/// The claims of most tests.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// The name of a user.
    pub sub: String,
}

/// The user of most tests. It is not `Clone`: the crate must never need that.
#[derive(Debug, PartialEq, Eq)]
pub struct User {
    /// Who it is.
    pub name: &'static str,
    /// Whether it may do what [`Admin`] guards.
    pub admin: bool,
}

/// A policy.
#[derive(Debug)]
pub struct Admin;

impl Policy<User> for Admin {
    fn allows(user: &User) -> bool {
        user.admin
    }
}

/// Claims of another shape.
#[derive(Debug, Deserialize)]
pub struct OtherClaims {
    /// A number.
    pub id: u64,
}

/// A user of another type.
#[derive(Debug)]
pub struct OtherUser {
    /// A number.
    pub id: u64,
}

/// User keys with characters that are special in Redis patterns, URLs, paths or terminals.
pub const ODD_KEYS: [&str; 20] = [
    "*",
    "?",
    "[a-z]",
    "h[^e]llo",
    "a:b",
    "a#b",
    "a",
    "a ",
    " a",
    " ",
    "a%3Ab",
    "a+b",
    "a b",
    "é",
    "e\u{301}",
    "\0",
    "\\*",
    "\r\nPUBLISH x y",
    "#/../\\",
    "\u{202e}\n",
];

/// Finds one of two users: `ada`, who is an administrator, and `grace`.
pub fn find_user(subject: &str) -> Option<User> {
    match subject {
        "ada" => Some(User {
            name: "Ada",
            admin: true,
        }),
        "grace" => Some(User {
            name: "Grace",
            admin: false,
        }),
        _ => None,
    }
}

/// The lookup of tests that need no other one.
#[jwt_auth(secret = SECRET)]
pub async fn authenticate(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// A connect handler that emits `welcome` with `{"name", "logged_in"}`.
///
/// # Panics
///
/// If the client is gone.
#[expect(clippy::needless_pass_by_value, reason = "it is a handler")]
pub async fn greet(socket: SocketRef, user: MaybeAuthUser<User>) {
    let name = user.as_ref().map(|user: &AuthUser<User>| user.name);
    socket
        .emit(
            "welcome",
            &json!({ "name": name, "logged_in": user.logged_in() }),
        )
        .expect("the client is there");
}

/// Records when it is dropped.
#[derive(Debug)]
pub struct Tracked {
    recorder: Recorder,
    name: &'static str,
}

impl Tracked {
    /// Creates a value that records `NAME dropped`.
    pub fn new(recorder: &Recorder, name: &'static str) -> Self {
        Self {
            recorder: recorder.clone(),
            name,
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.recorder.record(format!("{} dropped", self.name));
    }
}
