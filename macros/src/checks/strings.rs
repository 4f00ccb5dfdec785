//! Checks of string literals: what is wrong with one, and how to repair it.

use std::time::Duration;

use crate::suggest;

/// Says what is wrong with a literal, as a sentence that can follow the option's name.
pub(crate) type Check = fn(&str) -> Result<(), String>;

pub(crate) const ALGORITHMS: &[&str] =
    &["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// The names that Socket.IO itself uses for events.
const RESERVED_EVENTS: &[&str] =
    &["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

pub(crate) fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(())
}

pub(crate) fn environment_name(text: &str) -> Result<(), String> {
    if text.contains(['=', '\0']) {
        return Err(
            "must be the name of an environment variable, such as \"JWT_SECRET\": without `=` and NUL".to_owned()
        );
    }
    Ok(())
}

pub(crate) fn secret_encoding(text: &str) -> Result<(), String> {
    one_of(text, &["utf8", "base64", "base64url", "hex"])
}

pub(crate) fn expiry(text: &str) -> Result<(), String> {
    one_of(text, &["disconnect", "ignore"])
}

pub(crate) fn algorithm(text: &str) -> Result<(), String> {
    if text.eq_ignore_ascii_case("none") {
        return Err("must not be \"none\": a token without a signature is never accepted".to_owned());
    }
    one_of(text, ALGORITHMS)
}

pub(crate) fn event_name(text: &str) -> Result<(), String> {
    if RESERVED_EVENTS.contains(&text) {
        return Err(format!(
            "must not be \"{text}\", which Socket.IO itself uses; choose another name, such as \"authenticate\""
        ));
    }
    Ok(())
}

pub(crate) fn leeway(text: &str) -> Result<(), String> {
    const LONGEST: Duration = Duration::from_hours(24);
    if duration(text)? > LONGEST {
        return Err("must be at most \"1day\": it is meant for clocks that differ a little".to_owned());
    }
    Ok(())
}

pub(crate) fn time_limit(text: &str) -> Result<(), String> {
    if duration(text)?.is_zero() {
        return Err("must be longer than zero".to_owned());
    }
    Ok(())
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("must be a duration with its unit, such as \"60s\" or \"5m\": {error}"))
}

/// A header's or a cookie's name: a `token` of [RFC 9110 §5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
pub(crate) fn http_token(text: &str) -> Result<(), String> {
    not_empty(text)?;
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
    match text.chars().find(|character| !is_allowed(*character)) {
        Some(character) => Err(format!("must not contain {character:?}: it is no valid HTTP name")),
        None => Ok(()),
    }
}

/// Browsers send an origin without a path, in lower case and without the scheme's default port; a
/// literal that is written in another way would match no request.
pub(crate) fn origin(text: &str) -> Result<(), String> {
    match normalized_origin(text) {
        Some(origin) if origin == text => Ok(()),
        Some(origin) => Err(format!("must be an origin as browsers send it: write \"{origin}\"")),
        None => Err("must be an origin, such as \"https://app.example.com\" or \"http://localhost:3000\"".to_owned()),
    }
}

fn normalized_origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_scheme_character = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
    let is_host_character = |character: char| character.is_ascii_alphanumeric() || "-._:[]".contains(character);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.chars().all(is_scheme_character) {
        return None;
    }
    if authority.is_empty() || !authority.chars().all(is_host_character) {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let authority = authority.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    Some(format!("{scheme}://{authority}"))
}

fn one_of(text: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(match suggest::nearest(text, words.iter().copied()) {
        Some(word) => format!("does not know \"{text}\"; did you mean \"{word}\"?"),
        None => format!("does not know \"{text}\"; it can be {}", suggest::listed(words.iter().copied())),
    })
}

#[cfg(test)]
mod tests {
    use super::{algorithm, environment_name, event_name, http_token, leeway, origin, time_limit};

    #[test]
    fn algorithms_are_known_by_their_exact_name() {
        assert!(algorithm("ES384").is_ok());
        assert!(algorithm("hs256").unwrap_err().contains("did you mean \"HS256\"?"));
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
    fn an_origin_is_written_as_browsers_send_it() {
        assert!(origin("https://app.example.com").is_ok());
        assert!(origin("http://localhost:3000").is_ok());
        assert!(origin("http://[::1]:3000").is_ok());
        assert!(origin("https://App.Example.com:443/chat").unwrap_err().contains("\"https://app.example.com\""));
        for wrong in ["*", "null", "app.example.com", "https://", "https://*.example.com", "://host"] {
            assert!(origin(wrong).unwrap_err().contains("must be an origin, such as"), "{wrong}");
        }
    }
}
