//! Checks of string literals: what is wrong with one, and how to repair it.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use crate::{options::KeyKind, suggest};

/// Says what is wrong with a string, as a sentence that can follow the option's name.
pub(crate) type Check = fn(&str) -> Result<(), String>;

const HMAC_ALGORITHMS: &[&str] = &["HS256", "HS384", "HS512"];
const PUBLIC_KEY_ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
    "EdDSA",
];

/// Names that are registered for JWS, and that a typing error should not be seen in.
const UNSUPPORTED_ALGORITHMS: &[&str] = &["ES256K", "Ed448"];

/// Kinds of JWT that are not for logging in.
const OTHER_TOKEN_TYPES: &[&str] = &[
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// The names that Socket.IO itself uses for events.
const RESERVED_EVENTS: &[&str] = &[
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

pub(crate) fn not_empty(string: &str) -> Result<(), String> {
    if string.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(())
}

pub(crate) fn environment_name(string: &str) -> Result<(), String> {
    if string.contains(['=', '\0']) {
        let message = "must be the name of an environment variable, such as \"JWT_SECRET\": \
            without `=` and NUL";
        return Err(message.to_owned());
    }
    Ok(())
}

pub(crate) fn secret_encoding(string: &str) -> Result<(), String> {
    one_of(string, &["utf8", "base64", "base64url", "hex"])
}

pub(crate) fn expiry(string: &str) -> Result<(), String> {
    one_of(string, &["disconnect", "ignore"])
}

/// The `typ` of tokens, as in `runtime/src/verify/header.rs`.
pub(crate) fn token_type(string: &str) -> Result<(), String> {
    const PREFIX: &str = "application/";
    let kind = string.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let name = kind.strip_prefix(PREFIX).unwrap_or(&kind).trim_start();

    if name.is_empty() {
        return Err("must be the `typ` of the issuer's tokens, such as \"at+jwt\"".to_owned());
    }
    if OTHER_TOKEN_TYPES.contains(&name) {
        return Err(format!(
            "must not be {string:?}: such a token is not for logging in; write the `typ` of the \
             issuer's access tokens, such as \"at+jwt\""
        ));
    }
    Ok(())
}

pub(crate) fn event_name(string: &str) -> Result<(), String> {
    if RESERVED_EVENTS.contains(&string) {
        return Err(format!(
            "must not be \"{string}\", which Socket.IO itself uses; choose another name, \
             such as \"authenticate\""
        ));
    }
    Ok(())
}

pub(crate) fn announced_event_name(string: &str) -> Result<(), String> {
    if ["unauthorized", "token_expiring"].contains(&string) {
        return Err(format!(
            "must not be \"{string}\", which this crate itself emits; choose another name, \
             such as \"authenticated\""
        ));
    }
    event_name(string)
}

pub(crate) fn leeway(string: &str) -> Result<(), String> {
    const MAX: Duration = Duration::from_hours(24);
    if duration(string)? > MAX {
        return Err(
            "must be at most \"1day\": it is meant for clocks that differ a little".to_owned(),
        );
    }
    Ok(())
}

pub(crate) fn reload_interval(string: &str) -> Result<(), String> {
    const MIN: Duration = Duration::from_secs(1);
    if duration(string)? < MIN {
        return Err("must be at least \"1s\"; \"30s\" is usual".to_owned());
    }
    Ok(())
}

pub(crate) fn time_limit(string: &str) -> Result<(), String> {
    if duration(string)?.is_zero() {
        return Err("must be longer than zero".to_owned());
    }
    Ok(())
}

fn duration(string: &str) -> Result<Duration, String> {
    humantime::parse_duration(string).map_err(|error| {
        format!("must be a duration with its unit, such as \"60s\" or \"5m\": {error}")
    })
}

/// Says what is wrong with an algorithm for keys of this kind. `source` is the option that the keys
/// come from.
pub(crate) fn algorithm(name: &str, keys: KeyKind, source: Option<&str>) -> Result<(), String> {
    if name.eq_ignore_ascii_case("none") {
        return Err(
            "must not be \"none\": a token without a signature is never accepted".to_owned(),
        );
    }

    let fitting = match keys {
        KeyKind::Secret => HMAC_ALGORITHMS.to_vec(),
        KeyKind::Public => PUBLIC_KEY_ALGORITHMS.to_vec(),
        KeyKind::Mixed | KeyKind::PerIssuer => [HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS].concat(),
    };
    let fits = source.map_or_else(String::new, |source| format!(" with `{source}`"));

    if HMAC_ALGORITHMS.contains(&name) && keys == KeyKind::Public {
        return Err(format!(
            "must not be \"{name}\"{fits}: it signs and verifies with the same secret, and a \
             public key is not one; use the algorithm of the private key, such as \"RS256\" or \
             \"ES256\""
        ));
    }
    if PUBLIC_KEY_ALGORITHMS.contains(&name) && keys == KeyKind::Secret {
        return Err(format!(
            "must not be \"{name}\"{fits}: it needs a public key; a secret fits {}",
            suggest::listed(fitting)
        ));
    }
    if UNSUPPORTED_ALGORITHMS.contains(&name) {
        let fitting = suggest::listed(fitting);
        return Err(format!(
            "does not support \"{name}\"; the algorithms{fits} are {fitting}"
        ));
    }
    one_of(name, &fitting)
}

/// The name of a header or a cookie: a `token` of [RFC 9110
/// §5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
pub(crate) fn http_token(string: &str) -> Result<(), String> {
    not_empty(string)?;

    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
    };
    match string.chars().find(|character| !is_allowed(*character)) {
        Some(character) => Err(format!(
            "must not contain {character:?}: it is not a valid HTTP name"
        )),
        None => Ok(()),
    }
}

/// An origin in any case, with or without the scheme's own port. The runtime brings it into the
/// form in which it compares origins.
pub(crate) fn origin(string: &str) -> Result<(), String> {
    let as_example = ", such as \"https://app.example.com\" or \"http://localhost:3000\"";
    if string.contains('*') {
        return Err(format!(
            "must not contain a wildcard; list every origin{as_example}"
        ));
    }
    let Some((scheme, rest)) = string.split_once("://") else {
        return Err(format!("must be an origin{as_example}"));
    };

    let is_scheme_character =
        |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        || !scheme.chars().all(is_scheme_character)
    {
        return Err(format!("must start with a scheme{as_example}"));
    }

    if scheme.eq_ignore_ascii_case("ws") || scheme.eq_ignore_ascii_case("wss") {
        return Err(format!(
            "must have the scheme of the page, not of its WebSocket{as_example}"
        ));
    }

    if rest.contains('@') {
        return Err(format!(
            "must not contain a user name; write scheme, host and port only{as_example}"
        ));
    }
    if rest.contains(['/', '\\', '?', '#']) {
        return Err(format!(
            "must not contain a path; write scheme, host and port only{as_example}"
        ));
    }
    host_and_port(rest)
}

fn host_and_port(string: &str) -> Result<(), String> {
    let in_brackets = string
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let (is_host, port) = if let Some((address, port)) = in_brackets {
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (name, port) = string.split_at(string.find(':').unwrap_or(string.len()));
        (is_host_name(name), port)
    };

    if !is_host {
        let message = "must have a valid host: a name in ASCII (xn--… for other letters) or an IP \
                       address, such as \"https://app.example.com\" or \
                       \"http://[::1]:3000\"";
        return Err(message.to_owned());
    }

    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(port) if is_port(port) => Ok(()),
        _ => Err(
            "must have a port from 1 to 65535, or none, such as \"http://localhost:3000\""
                .to_owned(),
        ),
    }
}

/// Browsers take a name whose last part is a number for an IPv4 address
/// ([WHATWG URL](https://url.spec.whatwg.org/#ends-in-a-number-checker)).
fn is_host_name(name: &str) -> bool {
    let is_character =
        |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_character);
    let is_number = |label: &str| {
        let hexadecimal = label
            .strip_prefix("0x")
            .or_else(|| label.strip_prefix("0X"));
        label.bytes().all(|byte| byte.is_ascii_digit())
            || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };

    let ends_in_a_number = name.rsplit('.').next().is_some_and(is_number);
    name.split('.').all(is_label) && (!ends_in_a_number || name.parse::<Ipv4Addr>().is_ok())
}

fn is_port(string: &str) -> bool {
    let is_decimal = string.bytes().all(|byte| byte.is_ascii_digit()) && !string.starts_with('0');
    is_decimal && string.parse::<u16>().is_ok()
}

fn one_of(string: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&string) {
        return Ok(());
    }
    Err(match suggest::nearest(string, words.iter().copied()) {
        Some(word) => format!("does not know \"{string}\"; did you mean \"{word}\"?"),
        None => format!(
            "does not know \"{string}\"; it can be {}",
            suggest::listed(words.iter().copied())
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{algorithm, environment_name, event_name, http_token, leeway, origin, time_limit};
    use crate::options::KeyKind;

    #[test]
    fn algorithms_are_known_by_their_exact_name() {
        let algorithm = |name| algorithm(name, KeyKind::Mixed, None);
        assert!(algorithm("ES384").is_ok());
        assert!(
            algorithm("hs256")
                .unwrap_err()
                .contains("did you mean \"HS256\"?")
        );
        assert!(algorithm("None").unwrap_err().contains("never accepted"));
        assert!(algorithm("rot13").unwrap_err().contains("`EdDSA`"));
    }

    #[test]
    fn durations_need_a_unit_and_a_bound() {
        assert!(leeway("0s").is_ok());
        assert!(leeway("1day").is_ok());
        assert!(leeway("2days").unwrap_err().contains("1day"));
        assert!(leeway("60").unwrap_err().contains("with its unit"));
        assert!(time_limit("1m 30s").is_ok());
        assert!(time_limit("0s").unwrap_err().contains("longer than zero"));
    }

    #[test]
    fn names_are_checked_for_what_they_name() {
        assert!(environment_name("JWT_SECRET").is_ok());
        assert!(environment_name("A=B").is_err());
        assert!(http_token("x-auth-token").is_ok());
        assert!(http_token("x auth").unwrap_err().contains("' '"));
        assert!(event_name("login").is_ok());
        assert!(event_name("disconnect").is_err());
    }

    #[test]
    fn an_origin_is_refused_with_its_repair() {
        for (text, repair) in [
            ("*", "wildcard"),
            ("https://*.example.com", "wildcard"),
            ("null", "must be an origin, such as"),
            ("1http://example.com", "scheme"),
            ("wss://example.com", "scheme of the page"),
            ("https://user@example.com", "user name"),
            ("https://example.com/chat", "a path"),
            ("https://", "valid host"),
            ("https://bücher.example", "xn--"),
            ("https://127.0.0.01", "valid host"),
            ("https://example.com:65536", "1 to 65535"),
        ] {
            assert!(origin(text).unwrap_err().contains(repair), "{text}");
        }
    }
}
