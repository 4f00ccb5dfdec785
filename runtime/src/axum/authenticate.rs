//! The steps from an HTTP request to its user: origin, token, verification, lookup, revocations.
//!
//! They are those of a connection, without a session: nothing lasts longer than the request.

use std::{error::Error, sync::Arc, time::SystemTime};

use axum_core::extract::FromRef;
use http::request::Parts;

use super::context::{Http, RouterState};
use crate::{
    authenticate::Authenticator,
    error::{AuthError, ErrorCode},
    guard, keys, log,
    lookup::{LookupOn, LookupRequest, UserLookup},
    middleware::JwtAuth,
    revocations::RevocationQuery,
    token::{self, AuthPayload, RawToken},
    verify::SignedPayload,
};

/// The sender of a request.
pub(super) enum Sender<T> {
    /// It sent a valid token, or the lookup returned a user for a guest.
    User(T),
    /// It sent no token. Holds the refusal for a handler that needs one.
    Guest(AuthError),
}

impl<T> Sender<T> {
    /// Returns the user, and refuses a guest.
    pub(super) fn required(self) -> Result<T, AuthError> {
        match self {
            Self::User(user) => Ok(user),
            Self::Guest(refusal) => Err(refusal),
        }
    }

    /// Returns the user, or `None` for a guest.
    pub(super) fn optional(self) -> Option<T> {
        match self {
            Self::User(user) => Some(user),
            Self::Guest(_) => None,
        }
    }
}

/// A user that the lookup found for a request.
pub(super) struct FoundUser<L: UserLookup> {
    pub(super) user: Arc<L::User>,
    pub(super) expires_at: Option<SystemTime>,
    /// The claims of the token. `None` for a guest.
    payload: Option<Arc<SignedPayload>>,
}

impl<L: UserLookup> Clone for FoundUser<L> {
    fn clone(&self) -> Self {
        Self {
            user: Arc::clone(&self.user),
            expires_at: self.expires_at,
            payload: self.payload.clone(),
        }
    }
}

/// The user of a request in its extensions, so that the lookup runs once for all extractors.
struct Cached<L: UserLookup> {
    /// The same function may belong to several middlewares.
    middleware: JwtAuth<L>,
    /// A layer may have changed the headers.
    token: Option<RawToken>,
    found: FoundUser<L>,
}

/// A token that passed every check before a lookup, in the extensions of its request, so that an
/// extractor of the user which comes after one of the claims does not repeat them.
struct CheckedToken<L: UserLookup> {
    middleware: JwtAuth<L>,
    token: RawToken,
    payload: Arc<SignedPayload>,
}

/// Returns the user of a request.
///
/// # Errors
///
/// Returns why the token, or the lookup, refuses the request.
pub(super) async fn user<L, S>(
    parts: &mut Parts,
    state: &S,
) -> Result<Sender<FoundUser<L>>, AuthError>
where
    L: LookupOn<Http<RouterState<S>>>,
    S: Send + Sync + 'static,
    JwtAuth<L>: FromRef<S>,
{
    guarded(async {
        let middleware = JwtAuth::<L>::from_ref(state);
        let token = find_token(middleware.authenticator(), parts)?;
        if let Some(found) = cached(parts, &middleware, token.as_ref()) {
            return Ok(Sender::User(found));
        }

        let request = LookupRequest {
            handle: state,
            parts: &*parts,
            payload: &None,
            token: None,
        };
        let authenticator = middleware.authenticator();
        let sender = match &token {
            Some(token) => {
                let checked = checked(parts, &middleware, token);
                Sender::User(log_in(authenticator, &request, token, checked).await?)
            }
            None => admit_guest(authenticator, &request).await?,
        };
        if let Sender::User(found) = &sender {
            let found = found.clone();
            parts.extensions.insert(Arc::new(Cached {
                middleware,
                token,
                found,
            }));
        }
        Ok(sender)
    })
    .await
}

/// Returns the claims of a request.
///
/// # Errors
///
/// Returns why the token is refused.
pub(super) async fn claims<L, S>(
    parts: &mut Parts,
    state: &S,
) -> Result<Sender<Arc<L::Claims>>, AuthError>
where
    L: UserLookup,
    S: Send + Sync,
    JwtAuth<L>: FromRef<S>,
{
    guarded(async {
        let middleware = JwtAuth::<L>::from_ref(state);
        let authenticator = middleware.authenticator();
        let Some(token) = find_token(authenticator, parts)? else {
            return Ok(Sender::Guest(refuse_guest(authenticator, parts)));
        };
        let known = cached(parts, &middleware, Some(&token))
            .and_then(|found| found.payload)
            .or_else(|| checked(parts, &middleware, &token));
        if let Some(payload) = known {
            return Ok(Sender::User(Arc::new(payload.deserialize()?)));
        }

        let payload = Arc::new(check_signature(authenticator, parts, &token).await?);
        let registered = authenticator.verifier.check_claims(&payload)?;
        let claims = payload.deserialize()?;
        check_revocations(authenticator, &payload, registered.revocation_query()).await?;

        parts.extensions.insert(Arc::new(CheckedToken {
            middleware,
            token,
            payload,
        }));
        Ok(Sender::User(Arc::new(claims)))
    })
    .await
}

/// Turns a panic into `internal_error`: without it the client gets no response.
async fn guarded<T>(steps: impl Future<Output = Result<T, AuthError>>) -> Result<T, AuthError> {
    guard::future("the authentication", steps).await?
}

fn cached<L: UserLookup>(
    parts: &Parts,
    middleware: &JwtAuth<L>,
    token: Option<&RawToken>,
) -> Option<FoundUser<L>> {
    let cached = parts.extensions.get::<Arc<Cached<L>>>()?;
    let is_same = cached.middleware.is_clone_of(middleware) && cached.token.as_ref() == token;
    is_same.then(|| cached.found.clone())
}

fn checked<L: UserLookup>(
    parts: &Parts,
    middleware: &JwtAuth<L>,
    token: &RawToken,
) -> Option<Arc<SignedPayload>> {
    let checked = parts.extensions.get::<Arc<CheckedToken<L>>>()?;
    let is_same = checked.middleware.is_clone_of(middleware) && checked.token == *token;
    is_same.then(|| Arc::clone(&checked.payload))
}

/// Returns the token of the first source that is present.
fn find_token<L: UserLookup>(
    authenticator: &Authenticator<L>,
    parts: &Parts,
) -> Result<Option<RawToken>, AuthError> {
    let page = authenticator.check_origin(parts)?;
    let found = token::find(&authenticator.sources, parts, &AuthPayload::default())?;
    found.map(|found| found.sent_by(page)).transpose()
}

async fn check_signature<L: UserLookup>(
    authenticator: &Authenticator<L>,
    parts: &Parts,
    token: &RawToken,
) -> Result<SignedPayload, AuthError> {
    let handshake = keys::Handshake {
        parts,
        namespace: None,
    };
    authenticator.check_signature(token, handshake).await
}

/// Finds the user of a token, which an extractor of the claims may have checked before.
async fn log_in<L, S>(
    authenticator: &Authenticator<L>,
    request: &LookupRequest<'_, Http<RouterState<S>>>,
    token: &RawToken,
    checked: Option<Arc<SignedPayload>>,
) -> Result<FoundUser<L>, AuthError>
where
    L: LookupOn<Http<RouterState<S>>>,
    S: Sync + 'static,
{
    let payload = match checked {
        Some(payload) => payload,
        None => Arc::new(check_signature(authenticator, request.parts, token).await?),
    };
    let registered = authenticator.verifier.check_claims(&payload)?;
    let user = authenticator.find_user(request, &payload, token).await?;
    // The token may have expired while the lookup ran.
    registered.check_times(SystemTime::now())?;

    let mut query = registered.revocation_query();
    let user_key = authenticator.user_key.as_ref();
    let user_key = user_key.map(|key| guard::call("`user_key`", || key(&user)));
    let user_key = user_key.transpose()?;
    if user_key.is_some() {
        query.user = user_key.as_deref();
    }
    // Also if an extractor of the claims has asked: that was before the lookup.
    check_revocations(authenticator, &payload, query).await?;

    let expires_at = registered.expires_at();
    Ok(FoundUser {
        user: Arc::new(user),
        expires_at,
        payload: Some(payload),
    })
}

/// Asks the store of revocations about a token, if there is one.
async fn check_revocations<L: UserLookup>(
    authenticator: &Authenticator<L>,
    payload: &SignedPayload,
    mut query: RevocationQuery<'_>,
) -> Result<(), AuthError> {
    let Some(revocations) = authenticator.verifier.revocations() else {
        return Ok(());
    };

    let mut session_key = None;
    if let Some(key) = &authenticator.session_key {
        let claims = payload.deserialize::<L::Claims>()?;
        session_key = guard::call("`session_key`", || key(&claims))?;
    }
    // An empty key does not count, as for the rooms of a session.
    if let Some(key) = session_key.as_deref().filter(|key| !key.is_empty()) {
        query.session = Some(key);
    }
    revocations.check(query).await
}

/// Calls the lookup for a guest, if guests are admitted and the lookup is for them.
async fn admit_guest<L, S>(
    authenticator: &Authenticator<L>,
    request: &LookupRequest<'_, Http<RouterState<S>>>,
) -> Result<Sender<FoundUser<L>>, AuthError>
where
    L: LookupOn<Http<RouterState<S>>>,
    S: Sync + 'static,
{
    let user = if authenticator.guest && L::CALLED_FOR_GUESTS {
        authenticator.look_up(request, None, None).await?
    } else {
        None
    };

    Ok(match user {
        Some(user) => Sender::User(FoundUser {
            user: Arc::new(user),
            expires_at: None,
            payload: None,
        }),
        None => Sender::Guest(refuse_guest(authenticator, request.parts)),
    })
}

/// Returns the refusal of a request without a token.
fn refuse_guest<L: UserLookup>(authenticator: &Authenticator<L>, parts: &Parts) -> AuthError {
    let elsewhere = token::in_handshake(parts, &AuthPayload::default());
    let missing = token::missing_in_request(&authenticator.sources, elsewhere);
    if authenticator.guest {
        let detail = missing.detail().unwrap_or_default();
        let detail = format!("a guest, and the route needs a user: {detail}");
        return AuthError::from(ErrorCode::LoginRequired).with_detail(detail);
    }
    missing
}

/// Logs why a request is refused.
///
/// The error keeps its detail and loses its cause, which is then in the log.
pub(super) fn refused(parts: &Parts, error: AuthError) -> AuthError {
    let path = log::loggable(parts.uri.path());
    let (code, detail) = (error.code().as_str(), error.detail());

    if let Some(cause) = error.source() {
        let cause = guard::error_chain(cause);
        tracing::error!(path = &*path, code, detail, cause, "request refused");
    } else if error.code().may_be_configuration() {
        tracing::info!(path = &*path, code, detail, "request refused");
    } else {
        tracing::debug!(path = &*path, code, detail, "request refused");
    }
    error.without_source()
}
