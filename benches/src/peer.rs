//! The servers that are compared, each with what its clients must send.

use std::{
    env,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{Kind, Result, Role, Tuning, Variant, tokens::SECRET};

/// A server that is compared with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// socketioxide without authentication.
    Plain,
    /// socketioxide with a middleware that the application wrote for itself.
    HandWritten,
    /// This crate with its defaults.
    Authenticated,
    /// This crate with its defaults, and the settings for memory of the guide to tuning.
    Tuned,
    /// This crate with everything that concerns a session's life.
    Complete,
    /// Socket.IO with Node.js, without authentication.
    NodePlain,
    /// Node.js with `socketio-jwt-auth`.
    NodeJwtAuth,
    /// Node.js with `@thream/socketio-jwt`.
    NodeThream,
}

impl Peer {
    /// All of them; the first one of each group has no authentication.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::HandWritten,
        Self::Authenticated,
        Self::Tuned,
        Self::Complete,
        Self::NodePlain,
        Self::NodeJwtAuth,
        Self::NodeThream,
    ];

    /// What charts call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain | Self::NodePlain => "no authentication",
            Self::HandWritten => "hand-written middleware",
            Self::Authenticated => "this crate, defaults",
            Self::Tuned => "this crate, tuned memory",
            Self::Complete => "this crate, complete",
            Self::NodeJwtAuth => "socketio-jwt-auth 0.2.1",
            Self::NodeThream => "@thream/socketio-jwt 3.1.4",
        }
    }

    /// The server that it belongs to.
    pub fn group(self) -> &'static str {
        if self.node_middleware().is_some() {
            "socket.io 4, Node.js"
        } else {
            "socketioxide"
        }
    }

    /// Its part in a comparison.
    pub fn role(self) -> Role {
        match self {
            Self::Plain | Self::NodePlain => Role::Baseline,
            Self::Authenticated | Self::Tuned | Self::Complete => Role::Ours,
            Self::HandWritten | Self::NodeJwtAuth | Self::NodeThream => Role::Other,
        }
    }

    /// Whether it refuses forged tokens.
    pub fn authenticates(self) -> bool {
        self.role() != Role::Baseline
    }

    /// The auth payload in which it looks for a token.
    pub fn payload(self, token: &str) -> Value {
        match self {
            Self::NodeJwtAuth => json!({ "auth_token": token }),
            Self::NodeThream => json!({ "token": format!("Bearer {token}") }),
            _ => json!({ "token": token }),
        }
    }

    /// Whether the packages that it needs are there, which `npm ci` in `benches/peers` installs.
    pub fn is_installed(self) -> bool {
        self.node_middleware().is_none() || directory().join("node_modules").exists()
    }

    /// What starts it, for [`RemoteServer::spawn`](crate::RemoteServer::spawn).
    ///
    /// # Errors
    ///
    /// The operating system does not say where this program is.
    pub fn command(self) -> Result<Command> {
        let Some(middleware) = self.node_middleware() else {
            let mut command = Command::new(env::current_exe()?);
            command.arg(self.variant().argument());
            return Ok(command);
        };

        let mut command = Command::new("node");
        command
            .arg("--expose-gc")
            .arg(directory().join("server.js"))
            .arg(middleware)
            .env("NODE_ENV", "production")
            .env("JWT_SECRET", SECRET);
        Ok(command)
    }

    /// The argument of `peers/server.js`.
    fn node_middleware(self) -> Option<&'static str> {
        match self {
            Self::NodePlain => Some("none"),
            Self::NodeJwtAuth => Some("socketio-jwt-auth"),
            Self::NodeThream => Some("@thream/socketio-jwt"),
            _ => None,
        }
    }

    fn variant(self) -> Variant {
        match self {
            Self::HandWritten => Kind::HandWritten.into(),
            Self::Authenticated => Kind::Authenticated.into(),
            Self::Tuned => Variant {
                kind: Kind::Authenticated,
                tuning: Tuning::LayerAndBuffer,
            },
            Self::Complete => Kind::Complete.into(),
            _ => Kind::Plain.into(),
        }
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}
