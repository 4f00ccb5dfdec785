//! Finds the WebSocket of a session that began with polling.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::extract::ConnectInfo;
use futures_util::future::{BoxFuture, Either, FutureExt};
use http::{Request, Response, StatusCode};
use socketioxide::socket::Sid;
use tower_layer::Layer;
use tower_service::Service;

use super::{HangUp, WebSocketRequest, connection::WeakHangUp};

/// A layer that remembers which connection a session was upgraded to, for [`HangUpListener`]. Put
/// it outside of socketioxide's layer: axum's later layers are outside of earlier ones.
///
/// [`HangUpListener`]: super::HangUpListener
#[derive(Clone, Default)]
pub struct HangUpLayer(Upgraded);

/// The service of a [`HangUpLayer`].
#[derive(Clone)]
pub struct HangUpService<S> {
    inner: S,
    upgraded: Upgraded,
}

/// The WebSockets of sessions that began with polling. The handshake of such a session was another
/// request, perhaps on another connection.
#[derive(Clone, Default)]
pub(super) struct Upgraded(Arc<Mutex<HashMap<Sid, Vec<WeakHangUp>>>>);

/// The entry of a connection. Dropping it removes the entry.
pub(super) struct Registration {
    upgraded: Upgraded,
    sid: Sid,
}

impl HangUpLayer {
    /// Creates a layer. One is enough for all namespaces of a server.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for HangUpLayer {
    type Service = HangUpService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HangUpService {
            inner,
            upgraded: self.0.clone(),
        }
    }
}

impl<S, B, R> Service<Request<B>> for HangUpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    R: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let upgrade = match WebSocketRequest::parse(request.version(), request.uri().query()) {
            Some(WebSocketRequest::Upgrade(sid)) => request
                .extensions()
                .get::<ConnectInfo<HangUp>>()
                .map(|ConnectInfo(connection)| (sid, connection.clone())),
            _ => None,
        };

        request.extensions_mut().insert(self.upgraded.clone());
        let response = self.inner.call(request);
        let Some((sid, connection)) = upgrade else {
            return Either::Left(response);
        };

        let upgraded = self.upgraded.clone();
        Either::Right(
            response
                .map(move |response| {
                    // No other request can follow on this connection, so it has one entry at most.
                    if let Ok(response) = &response
                        && response.status() == StatusCode::SWITCHING_PROTOCOLS
                    {
                        upgraded.register(sid, &connection);
                    }
                    response
                })
                .boxed(),
        )
    }
}

impl Upgraded {
    /// Adds a connection. A client can ask for a second WebSocket of its session, which
    /// engineioxide closes, so a later one does not replace an earlier one.
    fn register(&self, sid: Sid, connection: &HangUp) {
        self.lock()
            .entry(sid)
            .or_default()
            .push(connection.downgrade());
        connection.hold_registration(Registration {
            upgraded: self.clone(),
            sid,
        });
    }

    pub(super) fn connections_of(&self, sid: Sid) -> Vec<HangUp> {
        let connections = self.lock();
        let connections = connections.get(&sid).map_or(&[] as &[_], Vec::as_slice);
        connections.iter().filter_map(WeakHangUp::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sid, Vec<WeakHangUp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut connections = self.upgraded.lock();
        if let Some(of_sid) = connections.get_mut(&self.sid) {
            of_sid.retain(|connection| !connection.is_dropped());
            if of_sid.is_empty() {
                connections.remove(&self.sid);
            }
        }
    }
}

impl fmt::Debug for HangUpLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HangUpLayer")
    }
}

impl<S: fmt::Debug> fmt::Debug for HangUpService<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("HangUpService")
            .field(&self.inner)
            .finish()
    }
}
