//! A literal is accepted by the attribute if, and only if, the builder accepts the same value at
//! run time.
//!
//! One difference is intended: the attribute also refuses a list that holds the same value twice.

use std::fmt::Debug;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use socketioxide_jwt_auth::{ConfigError, JwtAuthBuilder, TokenSource, UserLookup};

use crate::{checks, errors::Errors, parse::parse};

struct Lookup;

impl UserLookup for Lookup {
    type Claims = String;
    type User = String;
}

type Builder = JwtAuthBuilder<Lookup>;

/// Long enough for every HMAC algorithm.
const SECRET: &str = "a secret of sixty-four bytes or more is long enough for HS512 as well";

fn mistakes(attribute: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    let mut entries = parse(attribute, &mut errors);
    checks::check(&mut entries, &mut errors);
    errors.messages()
}

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

    let mistakes = mistakes(attribute);
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
fn algorithms_are_known_by_their_exact_name_and_fit_a_secret() {
    let accepted = ["HS256", "HS384", "HS512"];
    let refused = [
        "", "none", "None", "hs256", " HS256", "HS 256", "HS1", "RS256", "PS384", "ES256", "ES384",
        "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448",
    ];
    assert_each("algorithm", &accepted, &refused, Builder::algorithm);

    for (is_accepted, name) in [
        (true, "HS384"),
        (false, "RS256"),
        (false, "ES512"),
        (false, "none"),
        (false, ""),
    ] {
        assert_same(
            is_accepted,
            quote!(algorithms = ["HS256", #name]),
            |builder| builder.algorithms(["HS256", name]),
        );
    }
}

#[test]
fn algorithms_fit_a_secret_in_a_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (is_accepted, name) in [
        (true, "HS256"),
        (true, "HS512"),
        (false, "RS256"),
        (false, ""),
    ] {
        assert_same_source(
            is_accepted,
            quote!(secret_file = #file, algorithm = #name),
            |builder| builder.secret_file(file).algorithm(name),
        );
    }

    assert_same_source(false, quote!(secret_file = ""), |builder| {
        builder.secret_file("")
    });
    assert_same_source(false, quote!(secret_file = []), |builder| {
        builder.secret_file([""; 0])
    });
}

#[test]
fn files_are_reloaded_after_a_second_at_least() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let accepted = ["1s", "1000ms", "30s", "1day"].map(|time| (true, time));
    let refused = ["999ms", "0s", "999999999ns", ""].map(|time| (false, time));
    let not_times = NOT_TIMES.iter().map(|time| (false, *time));

    for (is_accepted, time) in accepted.into_iter().chain(refused).chain(not_times) {
        let attribute = quote!(secret_file = #file, reload_keys = #time);
        assert_same_source(is_accepted, attribute, |builder| {
            builder.secret_file(file).reload_keys(time)
        });
    }
    assert_same(false, quote!(reload_keys = "30s"), |builder| {
        builder.reload_keys("30s")
    });
}

#[test]
fn algorithms_fit_a_public_key() {
    let rsa = include_str!("../../../runtime/tests/fixtures/rsa.pem");
    let p256 = include_str!("../../../runtime/tests/fixtures/p256.pem");
    let p384 = include_str!("../../../runtime/tests/fixtures/p384.pem");
    let p521 = include_str!("../../../runtime/tests/fixtures/p521.pem");
    let ed25519 = include_str!("../../../runtime/tests/fixtures/ed25519.pem");
    for (key, accepted) in [
        (
            rsa,
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        (p256, &["ES256"]),
        (p384, &["ES384"]),
        (p521, &["ES512"]),
        (ed25519, &["EdDSA", "Ed25519"]),
    ] {
        let refused = [
            "", "none", "HS256", "HS512", "ES256K", "Ed448", "rs256", "RS1",
        ];
        let accepted = accepted.iter().map(|name| (true, *name));
        for (is_accepted, name) in accepted.chain(refused.map(|name| (false, name))) {
            let built = JwtAuthBuilder::new(Lookup)
                .public_key(key)
                .algorithm(name)
                .build()
                .map(drop);
            assert_eq!(
                built.is_ok(),
                is_accepted,
                "the builder about {name}: {built:?}"
            );

            let mistakes = mistakes(quote!(public_key = #key, algorithm = #name));
            assert_eq!(
                mistakes.is_empty(),
                is_accepted,
                "the attribute about {name}: {mistakes:?}"
            );
        }
    }
}

#[test]
fn words_are_known_by_their_exact_spelling() {
    let refused = ["", "UTF8", "utf-8", "base58", "base64 "];
    assert_each(
        "secret_encoding",
        &["utf8"],
        &refused,
        Builder::secret_encoding,
    );

    let refused = ["", "Ignore", "disconnected", "disconnect "];
    assert_each(
        "expiry",
        &["disconnect", "ignore"],
        &refused,
        Builder::expiry,
    );
}

/// The secret's bytes are written in each encoding.
#[test]
fn every_encoding_is_known() {
    for (encoding, secret) in [
        ("base64", "AAAA".repeat(16)),
        ("base64url", "AA-_".repeat(16)),
        ("hex", "0f".repeat(32)),
    ] {
        assert_same(true, quote!(secret_encoding = #encoding), |builder| {
            builder.secret(&secret).secret_encoding(encoding)
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
fn no_claim_need_be_required() {
    assert_same(true, quote!(required_claims = []), |builder| {
        builder.required_claims([""; 0])
    });
    assert_same(true, quote!(required_claims = ["exp", "sub"]), |builder| {
        builder.required_claims(["exp", "sub"])
    });
}

#[test]
fn a_token_type_is_one_for_logging_in() {
    assert_each(
        "token_type",
        &["at+jwt", "JWT", "application/at+jwt", "x;v=1", "text/a"],
        &[
            "",
            " ",
            ";v=1",
            "application/",
            "Application/ ;v=1",
            "logout+jwt",
            "DPoP+JWT",
            "application/secevent+jwt",
            "APPLICATION/Token-Introspection+jwt; a",
        ],
        Builder::token_type,
    );
    assert_same(false, quote!(token_type = []), |builder| {
        builder.token_type([""; 0])
    });
}

#[test]
fn claim_values_name_claims_without_an_option_of_their_own() {
    let none: [&str; 0] = [];
    for (is_accepted, name) in [
        (true, "azp"),
        (true, "sub"),
        (true, "jti"),
        (true, "https://example.com/role"),
        (true, "ISS"),
        (false, ""),
        (false, "iss"),
        (false, "aud"),
        (false, "exp"),
        (false, "nbf"),
        (false, "iat"),
    ] {
        assert_same(is_accepted, quote!(claim_values(#name = "a")), |builder| {
            builder.claim_values(name, "a")
        });
    }

    assert_same(false, quote!(claim_values(azp = "")), |builder| {
        builder.claim_values("azp", "")
    });
    assert_same(false, quote!(claim_values(azp = ["a", ""])), |builder| {
        builder.claim_values("azp", ["a", ""])
    });
    assert_same(false, quote!(claim_values(azp = [])), |builder| {
        builder.claim_values("azp", none)
    });
}

#[test]
fn other_lists_are_not_empty() {
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

#[test]
fn the_name_in_a_token_source_is_one_that_a_client_can_send() {
    type Source = (&'static str, fn(&'static str) -> TokenSource);
    let [auth, query]: [Source; 2] = [("auth", TokenSource::auth), ("query", TokenSource::query)];
    let [header, cookie, authorization]: [Source; 3] = [
        ("header", TokenSource::header),
        ("cookie", TokenSource::cookie),
        ("authorization", TokenSource::authorization),
    ];

    for ((source, place), accepted, refused) in [
        (auth, &["token", "a b", "ü"][..], &[""][..]),
        (query, &["token", "a b", "ü"], &[""]),
        (
            header,
            &["x-auth-token", "X-Token", "a!#$%&'*+-.^_`|~1"],
            &["", "a b", "a:b", "ü", "a\n", "\"a\""],
        ),
        (
            cookie,
            &["session", "__Host-session", "a.b"],
            &["", "a b", "a;b", "a=b", "ü", "a\n", "\"a\""],
        ),
        (
            authorization,
            &["JWT", "Bearer", "bearer", "a!#$%&'*+-.^_`|~1"],
            &[
                "", "JWT ", " JWT", "a b", "a:b", "a=b", "a,b", "ü", "a\n", "\"a\"",
            ],
        ),
    ] {
        let source: TokenStream = source.parse().unwrap();
        let accepted = accepted.iter().map(|name| (true, *name));
        for (is_accepted, name) in accepted.chain(refused.iter().map(|name| (false, *name))) {
            let attribute =
                quote!(token = [#source(#name)], allowed_origins = ["https://app.example.com"]);
            assert_same(is_accepted, attribute, |builder| {
                builder
                    .token([place(name)])
                    .allowed_origins("https://app.example.com")
            });
        }
    }
}

#[test]
fn an_origin_has_scheme_host_and_port_and_nothing_else() {
    assert_each(
        "allowed_origins",
        ORIGINS,
        NOT_ORIGINS,
        Builder::allowed_origins,
    );

    for (is_accepted, origins) in [(true, ORIGINS), (false, NOT_ORIGINS)] {
        for origin in origins {
            let attribute = quote!(allowed_origins = ["https://an.other.example", #origin]);
            assert_same(is_accepted, attribute, |builder| {
                builder.allowed_origins(["https://an.other.example", *origin])
            });
        }
    }
}

/// Scheme, host and port in every combination.
#[test]
fn every_part_of_an_origin_is_checked_alike() {
    let schemes = [
        "https",
        "HTTP",
        "capacitor",
        "a+b-c.1",
        "ws",
        "1a",
        "a_b",
        "",
    ];
    let hosts = [
        "a.example",
        "A_b.example",
        "a",
        "a.",
        "127.0.0.1",
        "127.1",
        "[::1]",
        "[::1",
        "::1",
        "*",
        "ü",
        "",
        "%41",
    ];
    let ports = [
        "", ":", ":1", ":443", ":080", ":65535", ":65536", ":+1", ":1:1", ":1/", "/", "?", "#",
        "@b",
    ];

    for scheme in schemes {
        for host in hosts {
            for port in ports {
                let origin = format!("{scheme}://{host}{port}");
                let builder = JwtAuthBuilder::new(Lookup)
                    .secret(SECRET)
                    .allowed_origins(&origin);
                let built = builder.build().map(drop);
                let mistakes =
                    mistakes(quote!(secret_env = "JWT_SECRET", allowed_origins = #origin));
                assert_eq!(
                    mistakes.is_empty(),
                    built.is_ok(),
                    "{origin}: {mistakes:?}, {built:?}"
                );
            }
        }
    }
}

const ORIGINS: &[&str] = &[
    "https://app.example.com",
    "https://app.example.com:443",
    "HTTPS://App.Example.COM:8443",
    "http://localhost",
    "http://localhost:80",
    "http://localhost:1",
    "http://localhost:65535",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
    "http://[2001:DB8::A]",
    "http://[::ffff:192.0.2.1]",
    "https://xn--bcher-kva.example",
    "https://my_app.example.com",
    "https://1a.2b.c3",
    "http://a--b-",
    "capacitor://localhost",
    "app://obsidian.md",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "x+y-z.1://host:1",
];

const NOT_ORIGINS: &[&str] = &[
    "",
    " ",
    "null",
    "*",
    "app.example.com",
    "localhost:3000",
    "//app.example.com",
    "https:app.example.com",
    "https:/app.example.com",
    "://app.example.com",
    "1http://app.example.com",
    "ht_tp://app.example.com",
    " https://app.example.com",
    "blob:https://app.example.com",
    "ws://app.example.com",
    "WSS://app.example.com",
    "https://",
    "https://:443",
    "https://*",
    "https://*.example.com",
    "https://app.example.com:*",
    "*://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/app",
    "https://app.example.com:8443/",
    "https://app.example.com\\app",
    "https://app.example.com?x",
    "https://app.example.com#x",
    "https://user@app.example.com",
    "https://user:password@app.example.com",
    "https://@app.example.com",
    "https://app.example.com:",
    "https://app.example.com:0",
    "https://app.example.com:080",
    "https://app.example.com:+80",
    "https://app.example.com:-1",
    "https://app.example.com: 80",
    "https://app.example.com:65536",
    "https://app.example.com:84430",
    "https://app.example.com:99999",
    "https://app.example.com:99999999999",
    "https://app.example.com:http",
    "https://app.example.com:80:80",
    "https://app.example.com:８０",
    "https://.",
    "https://app.example.com.",
    "https://app..example.com",
    "https://.example.com",
    "https://app.example.com ",
    "https://app example.com",
    "https://app.example.com,https://app.example.org",
    "https://app.example.com\n",
    "https://app%2eexample.com",
    "https://bücher.example",
    "https://[]",
    "https://[::1",
    "https://::1]",
    "https://::1",
    "https://[::1]x",
    "https://[fe80::1%25eth0]",
    "https://[v1.x]",
    "https://[127.0.0.1]",
    "https://a[::1]",
    "https://256.0.0.1",
    "https://127.1",
    "https://127.0.0.01",
    "https://0x7f000001",
    "https://2130706433",
    "https://app.example.0",
    "https://app.example.0x",
];
