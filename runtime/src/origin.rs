//! The web origin of a handshake ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)).
//!
//! Browsers let any page open a WebSocket to any server and send the server's cookies with it, so a cookie alone does
//! not tell who asks (cross-site WebSocket hijacking). The `Origin` header does.

use http::{Uri, header, request::Parts};

use crate::{
    config::ConfigError,
    error::{AuthError, Code},
};

/// Scheme, host and port, in the form in which two origins are compared (RFC 6454 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if rest.contains(['/', '?', '#', '@']) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let port = match uri.port() {
            Some(port) => Some(port.as_str().parse().ok()?),
            None if rest.ends_with(':') => return None,
            None => default_port(scheme),
        };
        Some(Self { scheme: scheme.to_ascii_lowercase(), host: uri.host()?.to_ascii_lowercase(), port })
    }

    /// # Errors
    ///
    /// A text that is not `scheme://host` or `scheme://host:port`.
    pub(crate) fn from_config(text: &str) -> Result<Self, ConfigError> {
        Self::read(text).ok_or_else(|| {
            ConfigError::new(format!(
                "allowed_origins: {text:?} is not an origin; write scheme, host and port only, like \
                 \"https://app.example.com\" (a host with other letters in its ASCII form, xn--…)"
            ))
        })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// # Errors
///
/// `origin_not_allowed` unless the request names exactly one origin, and that one is allowed.
pub(crate) fn check(allowed: &[Origin], parts: &Parts) -> Result<(), AuthError> {
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.to_str().ok().and_then(Origin::read),
        _ => None,
    };
    match origin {
        Some(origin) if allowed.contains(&origin) => Ok(()),
        _ => Err(Code::OriginNotAllowed.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, check};

    fn request(origins: &[&str]) -> http::request::Parts {
        let mut request = http::Request::new(());
        for origin in origins {
            request.headers_mut().append("origin", origin.parse().unwrap());
        }
        request.into_parts().0
    }

    #[test]
    fn scheme_host_and_port_decide() {
        let allowed = [Origin::from_config("https://app.example.com").unwrap()];
        for same in ["https://app.example.com", "https://app.example.com:443", "HTTPS://APP.example.COM"] {
            assert!(check(&allowed, &request(&[same])).is_ok(), "{same}");
        }
        for other in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.net",
            "https://evil.net/https://app.example.com",
            "https://app.example.com@evil.net",
            "https://app.example.com/",
            "https://app.example.com:",
            "null",
            "",
        ] {
            assert_eq!(check(&allowed, &request(&[other])).unwrap_err().code(), "origin_not_allowed", "{other}");
        }
        assert!(check(&allowed, &request(&[])).is_err());
        assert!(check(&allowed, &request(&["https://app.example.com", "https://app.example.com"])).is_err());
    }

    #[test]
    fn configuration_takes_origins_only() {
        for text in ["https://example.com/", "https://example.com/app", "example.com", "*", "", "https://", "null"] {
            assert!(Origin::from_config(text).is_err(), "{text}");
        }
    }
}
