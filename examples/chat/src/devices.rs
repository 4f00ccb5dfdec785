//! The devices of a user: each login of a browser is a session, which the user can see and end.

use std::{collections::HashSet, sync::Arc};

use axum::{Json, Router, extract::State as RouteState, routing::get};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State},
};
use socketioxide_jwt_auth::{
    AuthClaims, AuthError, AuthUser, ErrorCode, Reply, Revocation, RevocationError, SocketAuth,
    axum::HttpClaims, disconnect_others, disconnect_session,
};
use tokio::join;

use crate::{App, Outcome, Web, chat::authenticate, db::User, login::Claims};

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/devices", get(list))
}

pub(crate) fn on_connect(socket: &SocketRef) {
    socket.on("end_device", end_device);
    socket.on("end_other_devices", end_other_devices);
}

/// Returns the devices of the user whose access token comes with the request. Its claims are enough,
/// so no user is looked up: a token whose session or user was revoked is refused.
///
/// Which devices are connected is known for the sockets of this process.
async fn list(
    claims: HttpClaims<authenticate>,
    RouteState(app): RouteState<Arc<App>>,
    RouteState(io): RouteState<SocketIo>,
) -> Result<Json<Value>, AuthError> {
    let user = claims.sub.parse().map_err(AuthError::internal)?;
    let devices = app.db.devices(user).await.map_err(AuthError::internal)?;
    // Revocations in memory are lost at a restart, and the database knows better.
    if !devices.iter().any(|device| device.id == claims.sid) {
        return Err(ErrorCode::SessionEnded.into());
    }

    let connected: HashSet<_> = io
        .sockets()
        .iter()
        .filter_map(|socket| socket.auth_user::<User>()?.session.clone())
        .collect();
    let devices = devices.iter().map(|device| {
        let mut shown = json!(device);
        shown["is_connected"] = connected.contains(&device.id).into();
        shown["is_this"] = (device.id == claims.sid).into();
        shown
    });
    Ok(Json(devices.collect()))
}

async fn end_device(
    io: SocketIo,
    user: AuthUser<User>,
    State(app): State<Arc<App>>,
    Data(session): Data<String>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        if !app.db.end_session_of(user.id, &session).await? {
            return Err(AuthError::denied("This device is logged out already.").into());
        }
        end(&app, &io, &session).await
    }
    .await;

    reply.send(outcome);
}

async fn end_other_devices(
    socket: SocketRef,
    user: AuthUser<User>,
    AuthClaims(claims): AuthClaims<Claims>,
    State(app): State<Arc<App>>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        let ended = app.db.end_other_sessions(user.id, &claims.sid).await?;
        let revoke = async {
            for session in ended {
                app.revocations.revoke(Revocation::session(session)).await?;
            }
            Ok::<_, RevocationError>(())
        };

        let (disconnected, revoked) = join!(disconnect_others(&socket), revoke);
        revoked?;
        disconnected?;
        Ok(())
    }
    .await;

    reply.send(outcome);
}

/// Ends a session that the database no longer has: its sockets are disconnected, and its access
/// tokens are revoked, for HTTP routes.
pub(crate) async fn end(app: &App, io: &SocketIo, session: &str) -> Outcome {
    // Together, because a client that reads slowly holds up the first one.
    let (disconnected, revoked) = join!(
        disconnect_session(io, session),
        app.revocations.revoke(Revocation::session(session)),
    );
    revoked?;
    disconnected?;
    Ok(())
}

/// Names a browser by its `User-Agent`, for its user. It proves nothing.
pub(crate) fn browser_name(user_agent: &str) -> String {
    // Each of them also has the names of those below it.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        let mut names = names.iter();
        names
            .find(|(part, _)| user_agent.contains(part))
            .map(|(_, name)| *name)
    };

    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser_name;

    #[test]
    fn browsers_are_named_for_their_users() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                "Safari on macOS",
            ),
            ("curl/8.14.1", "Unknown browser"),
            ("", "Unknown browser"),
        ] {
            assert_eq!(browser_name(user_agent), name, "{user_agent}");
        }
    }
}
