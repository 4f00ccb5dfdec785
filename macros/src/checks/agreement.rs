//! A literal is accepted by the attribute if, and only if, the builder accepts the same value at
//! run time.
//!
//! One difference is intended: the attribute also refuses a list that holds the same value twice.

mod claims;
mod keys;
mod origins;
mod token_sources;

use std::fmt::Debug;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use socketioxide_jwt_auth::{ConfigError, JwtAuthBuilder, UserLookup};

use crate::checks::testing::messages;

struct Lookup;

impl UserLookup for Lookup {
    type Claims = String;
    type User = String;
}

type Builder = JwtAuthBuilder<Lookup>;

/// Long enough for every HMAC algorithm.
const SECRET: &str = "a secret of sixty-four bytes or more is long enough for HS512 as well";

const TIMES: &[&str] = &[
    "1s", "10s", "1m 30s", "5min", "500ms", "2h", "1h30m", "0s 1ns", " 10s", "1day",
];

const NOT_TIMES: &[&str] = &[
    "",
    " ",
    "60",
    "s",
    "-1s",
    "+1s",
    "1.5.5s",
    "1 fortnight",
    "10 s s",
    "１s",
];

/// Compares the two answers to a source of keys and its options.
#[track_caller]
fn assert_same_source(
    is_accepted: bool,
    attribute: TokenStream,
    build: impl FnOnce(Builder) -> Builder,
) {
    let built: Result<(), ConfigError> = build(JwtAuthBuilder::new(Lookup)).build().map(drop);
    let written = attribute.to_string();
    assert_eq!(
        built.is_ok(),
        is_accepted,
        "the builder about {written}: {built:?}"
    );

    let mistakes = messages(attribute);
    assert_eq!(
        mistakes.is_empty(),
        is_accepted,
        "the attribute about {written}: {mistakes:?}"
    );
}

/// Compares the two answers to one value: its tokens in the attribute, and what the builder makes
/// of it.
#[track_caller]
fn assert_same(is_accepted: bool, attribute: TokenStream, build: impl FnOnce(Builder) -> Builder) {
    let attribute = quote!(secret_env = "JWT_SECRET", #attribute);
    assert_same_source(is_accepted, attribute, |builder| {
        build(builder.secret(SECRET))
    });
}

/// Compares attribute and builder for each value of two lists.
#[track_caller]
fn assert_each<T: Copy + Debug + ToTokens>(
    option: &str,
    accepted: &[T],
    refused: &[T],
    build: impl Fn(Builder, T) -> Builder,
) {
    let name: TokenStream = option.parse().unwrap();
    let accepted = accepted.iter().map(|value| (true, *value));

    for (is_accepted, value) in accepted.chain(refused.iter().map(|value| (false, *value))) {
        assert_same(is_accepted, quote!(#name = #value), |builder| {
            build(builder, value)
        });
    }
}

#[test]
fn leeway_is_a_time_of_at_most_a_day() {
    let refused = [NOT_TIMES, &["2days", "25h", "86401s", "1day 1ns"]].concat();
    let accepted = [TIMES, &["0s", "24h"]].concat();
    assert_each("leeway", &accepted, &refused, Builder::leeway);
}

#[test]
fn a_limit_is_a_time_longer_than_zero() {
    let refused = [NOT_TIMES, &["0s", "0ms", "0h 0m"]].concat();
    assert_each("lookup_timeout", TIMES, &refused, Builder::lookup_timeout);
    assert_each("expiry_warning", TIMES, &refused, Builder::expiry_warning);
    assert_each("recheck", TIMES, &refused, Builder::recheck);
    assert_each("max_session", TIMES, &refused, Builder::max_session);

    for (is_accepted, time) in [(true, "500ms"), (false, "0s"), (false, "500")] {
        let attribute = quote!(revocations = Revocations::in_memory(), revocations_timeout = #time);
        assert_same(is_accepted, attribute, |builder| {
            let store = socketioxide_jwt_auth::Revocations::in_memory();
            builder.revocations(store).revocations_timeout(time)
        });
    }

    for (is_accepted, time) in [(true, "10s"), (false, "0s"), (false, "60")] {
        let attribute = quote!(guest = true, authenticate_event = "login", guest_timeout = #time);
        assert_same(is_accepted, attribute, |builder| {
            builder
                .guest(true)
                .authenticate_event("login")
                .guest_timeout(time)
        });
    }
}

#[test]
fn max_token_bytes_is_a_number_with_bounds() {
    assert_each(
        "max_token_bytes",
        &[1, 8192, 1024 * 1024],
        &[0, 1024 * 1024 + 1, usize::MAX],
        Builder::max_token_bytes,
    );
}

#[test]
fn token_cache_is_a_number_with_bounds() {
    assert_each(
        "token_cache",
        &[1, 10_000, 1_000_000],
        &[0, 1_000_001, usize::MAX],
        Builder::token_cache,
    );
}

#[test]
fn expiry_is_known_by_its_exact_spelling() {
    assert_each(
        "expiry",
        &["disconnect", "ignore"],
        &["", "Ignore", "disconnected", "disconnect "],
        Builder::expiry,
    );
}

#[test]
fn an_event_is_not_one_of_socket_io() {
    let refused = [
        "",
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ];

    assert_each(
        "authenticate_event",
        &["login", "Connect", "log in"],
        &refused,
        Builder::authenticate_event,
    );
    let refused = [&refused[..], &["unauthorized", "token_expiring"]].concat();
    assert_each(
        "announce_event",
        &["authenticated", "Unauthorized"],
        &refused,
        Builder::announce_event,
    );
}

#[test]
fn the_events_of_an_announcement_and_of_a_login_are_two() {
    for (is_accepted, announced) in [(true, "authenticated"), (false, "authenticate")] {
        let attribute = quote!(authenticate_event = "authenticate", announce_event = #announced);
        assert_same(is_accepted, attribute, |builder| {
            builder
                .authenticate_event("authenticate")
                .announce_event(announced)
        });
    }
}

#[test]
fn a_list_is_not_empty() {
    assert_same(false, quote!(algorithms = []), |builder| {
        builder.algorithms([""; 0])
    });
    assert_same(false, quote!(issuer = []), |builder| {
        builder.issuer([""; 0])
    });
    assert_same(false, quote!(audience = []), |builder| {
        builder.audience([""; 0])
    });
    assert_same(false, quote!(allowed_origins = []), |builder| {
        builder.allowed_origins([""; 0])
    });
    assert_same(false, quote!(token = []), |builder| builder.token([]));

    assert_each("issuer", &["a"], &[""], Builder::issuer);
    assert_each("audience", &["a"], &[""], Builder::audience);
}
