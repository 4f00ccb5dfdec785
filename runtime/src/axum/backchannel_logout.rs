//! The route to which an identity provider sends logouts.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use futures_util::future::join_all;
use socketioxide::{SocketIo, adapter::Adapter};
use tokio::time::timeout;

use super::{
    issuer_rooms,
    logout_request::{self, Refused},
    used_ids::UsedIds,
};
use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    guard,
    log::excerpt,
    lookup::UserLookup,
    middleware::JwtAuth,
    session::rooms::are_shared,
    settings::OneOrMany,
    users::{DisconnectError, end_room},
    verify::{LogoutToken, LogoutVerifier, Verifier},
};

/// Returns a route by which an identity provider ends sessions: [OpenID Connect Back-Channel Logout
/// 1.0](https://openid.net/specs/openid-connect-backchannel-1_0.html). Register its URL as the
/// `backchannel_logout_uri` of the client.
///
/// When a user logs out at the provider, it posts a *logout token* to the route, signed with its
/// keys. The route verifies it with the keys, the `algorithms`, the `issuer` and the `audience` of
/// the middleware, for every one of its `issuers`, and ends the sessions that it names, in every
/// namespace of `io` and on every node, whatever middleware began them. Their clients are told
/// `unauthorized` with `session_ended` and disconnected; connections, logins and renewals that are
/// under way are refused with it.
///
/// Tokens stay valid, as after [`disconnect_user`](crate::disconnect_user): a client that still has one
/// connects again until it expires. Let access tokens live for minutes.
///
/// | the logout token has | sessions that end |
/// |---|---|
/// | `sub` | all whose token has this `iss` and `sub` |
/// | `sid` | all whose token has this `iss` and `sid` |
/// | both | all whose token has this `iss` and `sid`, and those of `sub` whose token has no `sid` |
///
/// Sessions that begin before this function is called are not found, except with an adapter for
/// several nodes. Each node must be built with the feature `axum`.
///
/// # What is checked
///
/// - The request is a POST of a form with exactly one `logout_token`, and not much longer than
///   `max_token_bytes`.
/// - The header is that of a token, but its `typ` is `logout+jwt` or missing.
/// - `iss`, `aud`, `iat`, `jti` and `events` are there, and `sub` or `sid`, and no `nonce`.
/// - `iat` is at most 5 minutes ago, and not in the future by more than `leeway`. `exp` and `nbf` are
///   checked if they are there.
/// - The `jti` was not used before on this node. `required_claims`, `claim_values` and `token_type`
///   are for tokens that log in, and do not apply.
///
/// The `aud` of a logout token is the client id. If access tokens have another one, such as the name
/// of an API, give the client id to the route alone, by [`BackchannelLogout::audience`].
///
/// A logout token that was used on one node can be used once more on each of the others while it is
/// fresh. That needs the token, which only the provider and this server see, and it ends sessions
/// which the provider has ended: those of the same `sid` or, if the token has none, those of `sub`
/// that began within these five minutes. It lets no client in.
///
/// # Responses
///
/// | status | when |
/// |---|---|
/// | 200 | the sessions have ended, or there were none |
/// | 400 | the request or the token is refused |
/// | 405, 408, 413 | the request is not a POST; its body is too slow or too long |
/// | 500, 503 | a failure here, keys cannot be fetched, or other nodes cannot be reached: the provider may send the same token again |
///
/// All have `Cache-Control: no-store`, and a JSON body if they are not 200. The reason is in the
/// log, never in the response.
///
/// # Errors
///
/// Returns an error if the middleware has no `issuer` or no `audience`: a logout token must be for
/// this server.
///
/// ```
/// use axum::Router;
/// use socketioxide::{SocketIo, handler::ConnectHandler};
/// use socketioxide_jwt_auth::{axum::backchannel_logout, jwt_auth};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// #[jwt_auth(secret_env = "JWT_SECRET", issuer = "https://login.example.com", audience = "chat")]
/// async fn authenticate(claims: Claims) -> Option<String> {
///     Some(claims.sub)
/// }
///
/// # fn app() -> Result<Router, socketioxide_jwt_auth::ConfigError> {
/// let middleware = authenticate::middleware()?;
/// let (layer, io) = SocketIo::new_layer();
///
/// let app = Router::new()
///     .route("/backchannel-logout", backchannel_logout(&middleware, io.clone())?)
///     .layer(layer);
/// io.ns("/", (async || {}).with(middleware));
/// # Ok(app)
/// # }
/// ```
pub fn backchannel_logout<S, L, A>(
    middleware: &JwtAuth<L>,
    io: SocketIo<A>,
) -> Result<MethodRouter<S>, ConfigError>
where
    S: Clone + Send + Sync + 'static,
    L: UserLookup,
    A: Adapter,
{
    BackchannelLogout::new(middleware, io).route()
}

/// The route of [`backchannel_logout`], with a setting of its own.
///
/// ```
/// use axum::Router;
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::{ConfigError, axum::BackchannelLogout, jwt_auth};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// // Access tokens are for the API, and logout tokens for the client.
/// #[jwt_auth(
///     secret_env = "JWT_SECRET",
///     issuer = "https://login.example.com",
///     audience = "https://api.example.com",
/// )]
/// async fn authenticate(claims: Claims) -> Option<String> {
///     Some(claims.sub)
/// }
///
/// fn routes(io: SocketIo) -> Result<Router, ConfigError> {
///     let middleware = authenticate::middleware()?;
///     let logout = BackchannelLogout::new(&middleware, io).audience("web-client");
///     Ok(Router::new().route("/backchannel-logout", logout.route()?))
/// }
/// ```
#[derive(Debug)]
#[must_use = "`route` returns the route"]
pub struct BackchannelLogout<A: Adapter> {
    verifier: Verifier,
    keys_timeout: Duration,
    io: SocketIo<A>,
    audiences: Option<Vec<String>>,
}

impl<A: Adapter> BackchannelLogout<A> {
    /// Prepares a route with the keys and the settings of a middleware, which ends sessions of `io`.
    pub fn new<L: UserLookup>(middleware: &JwtAuth<L>, io: SocketIo<A>) -> Self {
        Self {
            verifier: middleware.verifier().clone(),
            keys_timeout: middleware.lookup_timeout(),
            io,
            audiences: None,
        }
    }

    /// Sets the `aud` of logout tokens: the client id by which the provider knows this server
    /// ([OpenID Connect Back-Channel Logout 1.0
    /// §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)). With several
    /// `issuers` or clients, list the ids of all.
    ///
    /// Defaults to the `audience` of the middleware, which logout tokens need not have once this is
    /// set.
    pub fn audience(mut self, audiences: impl OneOrMany) -> Self {
        self.audiences = Some(audiences.into_strings());
        self
    }

    /// Returns the route.
    ///
    /// # Errors
    ///
    /// The middleware has no `issuer`, there is neither an [`audience`](Self::audience) here nor one
    /// of the middleware, or one is empty.
    pub fn route<S>(self) -> Result<MethodRouter<S>, ConfigError>
    where
        S: Clone + Send + Sync + 'static,
    {
        let verifier = LogoutVerifier::new(self.verifier, self.audiences)?;
        issuer_rooms::join_from_now_on();
        let endpoint = Arc::new(Endpoint {
            verifier,
            keys_timeout: self.keys_timeout,
            io: self.io,
            used: UsedIds::new(),
        });

        // `any`, so that the response to other methods has the same headers.
        Ok(any(move |request| {
            let endpoint = Arc::clone(&endpoint);
            async move { endpoint.respond(request).await }
        }))
    }
}

struct Endpoint<A: Adapter> {
    verifier: LogoutVerifier,
    /// The time limit for a `KeySource`, which has no other one.
    keys_timeout: Duration,
    io: SocketIo<A>,
    used: Arc<UsedIds>,
}

impl<A: Adapter> Endpoint<A> {
    async fn respond(self: Arc<Self>, request: Request) -> Response {
        // A task of its own, because this future is dropped if the issuer hangs up, and a logout
        // must not end halfway.
        let logout = tokio::spawn(async move {
            guard::future("the back-channel logout", self.log_out(request))
                .await
                .unwrap_or_else(|error| Err(error.into()))
        });
        let result = logout
            .await
            .unwrap_or_else(|error| Err(AuthError::internal(error).into()));

        result.inspect_err(log).map_or_else(
            |refused| response(refused.status),
            |()| response(StatusCode::OK),
        )
    }

    async fn log_out(&self, request: Request) -> Result<(), Refused> {
        let token = logout_request::token(request, self.verifier.max_token_bytes()).await?;
        let token = self.verify(&token).await?;

        // After all other checks, so that no other party can use an id up.
        let used = self
            .used
            .begin_use(
                (&token.issuer, &token.id),
                token.accepted_until,
                SystemTime::now(),
            )
            .ok_or_else(|| {
                AuthError::from(ErrorCode::TokenClaimsInvalid)
                    .with_detail("a logout token with this `jti` was used before")
            })?;
        self.end(&token).await?;
        used.complete();
        Ok(())
    }

    async fn verify(&self, token: &str) -> Result<LogoutToken, AuthError> {
        let limit = self.keys_timeout;
        timeout(limit, self.verifier.verify(token, SystemTime::now))
            .await
            .unwrap_or_else(|_| {
                Err(AuthError::keys_unavailable(format!(
                    "the keys were not there within {limit:?}; `lookup_timeout` sets the limit"
                )))
            })
    }

    async fn end(&self, token: &LogoutToken) -> Result<(), Refused> {
        let rooms = rooms_to_end(token);
        let ended = join_all(rooms.iter().map(|room| end_room(&self.io, room))).await;
        let issuer = excerpt(&token.issuer);
        let by = match &token.session {
            Some(_) => "sid",
            None => "sub",
        };

        match ended.into_iter().sum::<Result<usize, _>>() {
            Ok(sockets) => {
                tracing::info!(issuer, by, sockets, "logged out by the issuer");
                Ok(())
            }
            // On one node, such a session has ended already: only its client is not gone.
            Err(DisconnectError::SlowClient) if !are_shared::<A>() => {
                tracing::info!(issuer, by, "logged out by the issuer");
                Ok(())
            }
            Err(error) => Err(Refused {
                status: StatusCode::SERVICE_UNAVAILABLE,
                error: AuthError::internal(error),
            }),
        }
    }
}

fn rooms_to_end(token: &LogoutToken) -> Vec<Arc<str>> {
    let issuer = &token.issuer;
    match (&token.session, &token.subject) {
        (Some(session), Some(subject)) => vec![
            issuer_rooms::of_session(issuer, session),
            issuer_rooms::of_subject_without_session(issuer, subject),
        ],
        (Some(session), None) => vec![issuer_rooms::of_session(issuer, session)],
        (None, Some(subject)) => vec![issuer_rooms::of_subject(issuer, subject)],
        (None, None) => Vec::new(),
    }
}

impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        let status = match error.code() {
            ErrorCode::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error }
    }
}

/// Logs why a request is refused: at ERROR and with its cause if the server failed.
fn log(refused: &Refused) {
    let error = &refused.error;
    let (code, detail) = (error.code().as_str(), error.detail());
    if refused.status.is_server_error() {
        let cause = std::error::Error::source(error).map(guard::error_chain);
        tracing::error!(code, detail, cause, "back-channel logout failed");
    } else {
        tracing::info!(code, detail, "back-channel logout refused");
    }
}

/// Returns a response ([OpenID Connect Back-Channel Logout 1.0
/// §2.8](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse)). It never says
/// what exactly is wrong.
fn response(status: StatusCode) -> Response {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let (error, description) = match status {
        StatusCode::OK => return (status, [(CACHE_CONTROL, NO_STORE)]).into_response(),
        StatusCode::METHOD_NOT_ALLOWED => ("invalid_request", "Send a POST request."),
        StatusCode::REQUEST_TIMEOUT => ("invalid_request", "The request took too long."),
        StatusCode::PAYLOAD_TOO_LARGE => ("invalid_request", "The request is too large."),
        StatusCode::SERVICE_UNAVAILABLE => ("temporarily_unavailable", "Try again later."),
        StatusCode::INTERNAL_SERVER_ERROR => ("server_error", "The server failed."),
        _ => ("invalid_request", "The logout token is not valid."),
    };

    let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
    let mut response = (
        status,
        [(CACHE_CONTROL, NO_STORE), (CONTENT_TYPE, JSON)],
        body,
    )
        .into_response();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
