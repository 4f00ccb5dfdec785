//! Origins in `allowed_origins`.

use quote::quote;

use super::{Builder, JwtAuthBuilder, Lookup, SECRET, assert_each, assert_same, messages};

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

#[test]
fn an_origin_has_scheme_host_and_port_only() {
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
                    messages(quote!(secret_env = "JWT_SECRET", allowed_origins = #origin));
                assert_eq!(
                    mistakes.is_empty(),
                    built.is_ok(),
                    "{origin}: {mistakes:?}, {built:?}"
                );
            }
        }
    }
}
