//! The web origin of a handshake ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)).
//!
//! Browsers let any page open a WebSocket to any server and send the server's cookies with it, so a
//! cookie alone does not tell which page sent it (cross-site WebSocket hijacking). The `Origin`
//! header does.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use http::{header, request::Parts};

use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    log::excerpt,
};

/// An origin: scheme, host and port, in the form in which two origins are compared
/// ([RFC 6454 §5](https://www.rfc-editor.org/rfc/rfc6454#section-5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// A domain name or an IPv4 address.
    Name(String),
    /// An IPv6 address. It has several spellings, so it is compared as a number.
    V6(Ipv6Addr),
}

/// What is wrong with a string that is not an origin, and how to fix it.
type Problem = &'static str;

impl Origin {
    /// Parses the serialization `scheme://host[:port]` ([RFC 6454
    /// §6.2](https://www.rfc-editor.org/rfc/rfc6454#section-6.2)) only. A parser of URLs would also
    /// accept user info, a path, or a port out of range.
    fn parse(text: &str) -> Result<Self, Problem> {
        if text.contains('*') {
            return Err(
                "a wildcard matches nothing, because origins are compared as a whole: list each of them",
            );
        }
        let (scheme, authority) = text
            .split_once("://")
            .ok_or("it needs a scheme, `://` and a host")?;
        let scheme = parse_scheme(scheme)?;
        if authority.contains(['/', '\\', '?', '#']) {
            return Err("leave out what follows host and port: a path, a query, a fragment");
        }
        if authority.contains('@') {
            return Err("leave out the user name and the password");
        }

        let (host, port) = split_port(authority);
        let host = Host::parse(host).ok_or(
            "the host must be a name in ASCII (with xn--… for other letters) or an IP address",
        )?;
        let port = match port {
            Some(port) => Some(
                parse_port(port)
                    .ok_or("the port must be a number from 1 to 65535, in digits only")?,
            ),
            None => default_port(&scheme),
        };
        Ok(Self { scheme, host, port })
    }

    /// Parses an origin of the configuration.
    ///
    /// # Errors
    ///
    /// Returns an error if the string is not `scheme://host` or `scheme://host:port`.
    pub(crate) fn from_config(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text).map_err(|problem| {
            // A password may stand before the `@`.
            let shown = text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("…@{host}"));
            ConfigError::invalid(format!(
                "allowed_origins: {shown:?} is not an origin: {problem}; write it as browsers send it, like \
                 \"https://app.example.com\" or \"http://localhost:3000\""
            ))
        })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[') {
            return address.strip_suffix(']')?.parse().ok().map(Self::V6);
        }
        let is_label_character =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        let is_label = |label: &str| !label.is_empty() && label.chars().all(is_label_character);
        if !text.split('.').all(is_label) {
            return None;
        }

        // Browsers parse such a host as an IPv4 address, and send it in the dotted form only.
        if ends_in_number(text) && text.parse::<Ipv4Addr>().is_err() {
            return None;
        }
        Some(Self::Name(text.to_ascii_lowercase()))
    }
}

/// Whether the last label of a host is a number, by the
/// [URL standard](https://url.spec.whatwg.org/#ends-in-a-number-checker).
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Returns the scheme in lower case.
fn parse_scheme(text: &str) -> Result<String, Problem> {
    let is_scheme_character =
        |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);

    if !text.starts_with(|first: char| first.is_ascii_alphabetic())
        || !text.chars().all(is_scheme_character)
    {
        return Err(
            "the scheme must begin with a letter, and have letters, digits, `+`, `-` and `.` only",
        );
    }

    match text.to_ascii_lowercase().as_str() {
        "ws" => Err("the origin is that of the page, not of the WebSocket: write http://"),
        "wss" => Err("the origin is that of the page, not of the WebSocket: write https://"),
        scheme => Ok(scheme.to_owned()),
    }
}

/// Separates the host from the port. The colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let address_end = authority.find(']').unwrap_or(0);
    match authority[address_end..].find(':') {
        Some(colon) => (
            &authority[..address_end + colon],
            Some(&authority[address_end + colon + 1..]),
        ),
        None => (authority, None),
    }
}

/// Parses a port in its usual spelling only: `str::parse` alone would accept `+80` and `080`.
fn parse_port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok()).flatten()
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// What a handshake says about the page that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// A page of an allowed origin, or of the origin of the server.
    Allowed,
    /// The handshake does not say, so any page may have opened it. Most such clients are not
    /// browsers.
    Unknown,
}

/// Checks the origin of a request.
///
/// # Errors
///
/// Returns `origin_not_allowed` if the request names an origin that is not allowed, or more than
/// one.
pub(crate) fn check(allowed: &[Origin], parts: &Parts) -> Result<Page, AuthError> {
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (None, _) if is_same_origin(parts) => return Ok(Page::Allowed),
        (None, _) => return Ok(Page::Unknown),
        (Some(origin), None) => String::from_utf8_lossy(origin.as_bytes()),
        (Some(_), Some(_)) => {
            return Err(not_allowed("there are several Origin headers".to_owned()));
        }
    };

    match Origin::parse(&origin) {
        Ok(origin) if allowed.contains(&origin) => Ok(Page::Allowed),
        _ => Err(not_allowed(format!(
            "the origin {} is not allowed; allowed are {}",
            excerpt(&origin),
            listed(allowed)
        ))),
    }
}

/// Whether a browser says that the page has the origin of the server. Pages cannot set this header
/// ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header)). Browsers leave
/// out the `Origin` of such a request if it is a GET, as in polling.
fn is_same_origin(parts: &Parts) -> bool {
    let mut sites = parts.headers.get_all("sec-fetch-site").iter();
    matches!((sites.next(), sites.next()), (Some(site), None) if site == "same-origin")
}

fn not_allowed(detail: String) -> AuthError {
    AuthError::from(ErrorCode::OriginNotAllowed).with_detail(detail)
}

/// Returns the origins as a list for the log, which names the first few only.
fn listed(origins: &[Origin]) -> String {
    const MAX: usize = 10;
    let mut named: Vec<_> = origins.iter().take(MAX).map(Origin::to_string).collect();
    if origins.len() > MAX {
        named.push(format!("and {} more", origins.len() - MAX));
    }
    named.join(", ")
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://", self.scheme)?;
        match &self.host {
            Host::Name(name) => formatter.write_str(name)?,
            Host::V6(address) => write!(formatter, "[{address}]")?,
        }
        match self.port {
            Some(port) if self.port != default_port(&self.scheme) => write!(formatter, ":{port}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
