//! Hangs up the connections of clients that do not read.

mod connection;
mod layer;
mod listener;

use std::{pin::pin, time::Duration};

use axum::extract::ConnectInfo;
use http::{Version, request::Parts};
use socketioxide::{
    adapter::Adapter,
    socket::{Sid, Socket},
};
use tokio::time::timeout;

use crate::log::namespace;

pub use connection::HangUp;
pub use layer::{HangUpLayer, HangUpService};
pub use listener::{HangUpListener, HangUpStream};

/// How long a client whose session has ended may leave its channel full. It is less than the time
/// limit of `disconnect_user`, which then still sees the client disconnected.
const GRACE: Duration = Duration::from_secs(3);

/// Waits until a client is told and disconnected. If that takes longer than [`GRACE`], hangs the
/// client up, and waits on.
pub(crate) async fn if_deaf(ending: impl Future<Output = ()>, hang_up: impl FnOnce()) {
    let mut ending = pin!(ending);
    if timeout(GRACE, ending.as_mut()).await.is_ok() {
        return;
    }
    hang_up();
    ending.await;
}

/// Hangs up the WebSocket of a socket, if its listener can do that.
pub(crate) fn socket<A: Adapter>(socket: &Socket<A>) {
    for connection in of_socket(socket.req_parts(), socket.id) {
        connection.hang_up();
        tracing::info!(
            namespace = &*namespace(socket),
            socket = %socket.id,
            "connection of a client that does not read hung up"
        );
    }
}

/// Returns the connections that carry a socket: that of its WebSocket. `parts` is the request of
/// its handshake.
///
/// Never returns a connection with requests of polling: a proxy may use it for several clients.
fn of_socket(parts: &Parts, sid: Sid) -> Vec<HangUp> {
    let request = WebSocketRequest::parse(parts.version, parts.uri.query());

    let connections = if request == Some(WebSocketRequest::New) {
        let connection = parts.extensions.get::<ConnectInfo<HangUp>>();
        connection.map(|ConnectInfo(connection)| vec![connection.clone()])
    } else {
        let upgraded = parts.extensions.get::<layer::Upgraded>();
        upgraded.map(|upgraded| upgraded.connections_of(sid))
    };
    connections.unwrap_or_default()
}

/// A request that makes a WebSocket of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WebSocketRequest {
    /// For a new session.
    New,
    /// For a session that began with polling.
    Upgrade(Sid),
}

impl WebSocketRequest {
    /// Parses the query in the same way as engineioxide 0.17.9. Returns `None` for other requests,
    /// and for HTTP/2, whose connections carry several requests at once.
    fn parse(version: Version, query: Option<&str>) -> Option<Self> {
        if version > Version::HTTP_11 {
            return None;
        }

        let query = query?;
        let find = |name| query.split('&').find_map(|part| part.strip_prefix(name));
        if find("transport=") != Some("websocket") {
            return None;
        }
        match find("sid=") {
            Some(sid) => sid.parse().ok().map(Self::Upgrade),
            None => Some(Self::New),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_request_is_known_by_its_query() {
        let sid = Sid::new();
        let upgrade = format!("EIO=4&transport=websocket&sid={sid}");

        for (query, expected) in [
            ("transport=websocket", Some(WebSocketRequest::New)),
            ("EIO=4&transport=websocket&a=b", Some(WebSocketRequest::New)),
            (&upgrade, Some(WebSocketRequest::Upgrade(sid))),
            ("EIO=4&transport=polling", None),
            (&upgrade.replace("websocket", "polling"), None),
            ("transport=polling&transport=websocket", None),
            ("transport=websocket&sid=x", None),
            ("transport=websockets", None),
            ("atransport=websocket", None),
            ("", None),
        ] {
            let found = WebSocketRequest::parse(Version::HTTP_11, Some(query));
            assert_eq!(found, expected, "{query}");
            assert_eq!(WebSocketRequest::parse(Version::HTTP_2, Some(query)), None);
        }

        assert_eq!(WebSocketRequest::parse(Version::HTTP_11, None), None);
    }
}
