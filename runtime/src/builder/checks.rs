//! The checks of the settings of a middleware.

use std::time::Duration;

use crate::{
    error::ConfigError,
    origin::Origin,
    session::socket::{TOKEN_EXPIRING, UNAUTHORIZED},
    settings::StringList,
    token::TokenSource,
};

pub(super) fn check_time(
    name: &'static str,
    time: Option<Result<Duration, ConfigError>>,
) -> Result<Option<Duration>, ConfigError> {
    match time.transpose()? {
        Some(time) if time.is_zero() => Err(ConfigError::invalid(format!(
            "{name} is zero; write a time like \"10s\", or leave it out"
        ))),
        time => Ok(time),
    }
}

pub(super) fn check_guest_timeout(
    limit: Option<Result<Duration, ConfigError>>,
    guests_can_log_in: bool,
) -> Result<Option<Duration>, ConfigError> {
    let limit = check_time("guest_timeout", limit)?;
    if limit.is_some() && !guests_can_log_in {
        return Err(ConfigError::contradiction(
            "guest_timeout is for guests that may log in: set guest = true and authenticate_event = \"authenticate\", \
             or leave it out",
        ));
    }
    Ok(limit)
}

/// The event names that Socket.IO reserves; a client can neither emit nor receive them.
const RESERVED_EVENTS: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

pub(super) fn check_event(
    option: &str,
    name: Option<String>,
    example: &str,
) -> Result<Option<String>, ConfigError> {
    let is_reserved = |name: &str| name.is_empty() || RESERVED_EVENTS.contains(&name);

    match name {
        Some(name) if is_reserved(&name) => Err(ConfigError::invalid(format!(
            "{option}: {name:?} cannot be the name of an event; use another name, like {example:?}"
        ))),
        name => Ok(name),
    }
}

pub(super) fn check_announce_event(
    name: Option<String>,
    authenticate_event: Option<&str>,
) -> Result<Option<String>, ConfigError> {
    let Some(name) = check_event("announce_event", name, "authenticated")? else {
        return Ok(None);
    };

    if [UNAUTHORIZED, TOKEN_EXPIRING].contains(&&*name) {
        return Err(ConfigError::invalid(format!(
            "announce_event: {name:?} is an event of this crate; use another name, like \"authenticated\""
        )));
    }
    if authenticate_event == Some(&*name) {
        return Err(ConfigError::contradiction(format!(
            "announce_event and authenticate_event are both {name:?}; use two names, like \"authenticated\" and \"authenticate\""
        )));
    }
    Ok(Some(name))
}

pub(super) fn parse_origins(origins: StringList) -> Result<Vec<Origin>, ConfigError> {
    let origins = origins.load()?;
    if origins.is_empty() {
        return Err(ConfigError::invalid(
            "allowed_origins is empty, so every handshake would be refused; name at least one",
        ));
    }
    ConfigError::collect(origins.iter().map(|origin| Origin::from_config(origin)))
}

pub(super) fn check_sources(
    sources: Vec<TokenSource>,
    origins_are_checked: bool,
) -> Result<Vec<TokenSource>, ConfigError> {
    if sources.is_empty() {
        return Err(ConfigError::invalid(
            "token is an empty list; name at least one source, like auth(\"token\")",
        ));
    }
    ConfigError::collect(sources.iter().map(TokenSource::check))?;

    if !origins_are_checked && sources.iter().any(TokenSource::is_cookie) {
        return Err(ConfigError::contradiction(
            "token: a cookie needs allowed_origins, because browsers send it with handshakes of foreign pages too \
             (cross-site WebSocket hijacking); set allowed_origins = [\"https://your.site\"]",
        ));
    }
    Ok(sources)
}
