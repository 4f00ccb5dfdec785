//! Which origins the configuration accepts, and which handshakes they allow.

use http::HeaderValue;
use proptest::{collection::vec, prelude::*, sample::select};

use super::{Origin, Page, check};

fn request(origins: &[&[u8]]) -> http::request::Parts {
    let mut request = http::Request::new(());
    for origin in origins {
        request
            .headers_mut()
            .append("origin", HeaderValue::from_bytes(origin).unwrap());
    }
    request.into_parts().0
}

fn is_let_in(allowed: &str, origin: &str) -> bool {
    match check(
        &[Origin::from_config(allowed).unwrap()],
        &request(&[origin.as_bytes()]),
    ) {
        Ok(page) => {
            assert_eq!(page, Page::Allowed);
            true
        }
        Err(error) => {
            assert_eq!(error.code(), "origin_not_allowed");
            false
        }
    }
}

#[track_caller]
fn assert_mistake(text: &str, repair: &str) {
    let mistake = Origin::from_config(text).expect_err(text).to_string();
    assert!(mistake.starts_with("allowed_origins: "), "{mistake}");
    assert!(mistake.contains(repair), "{repair:?} is not in: {mistake}");
}

#[test]
fn scheme_host_and_port_decide() {
    for same in [
        "https://app.example.com",
        "https://app.example.com:443",
        "HTTPS://APP.example.COM",
    ] {
        assert!(is_let_in("https://app.example.com", same), "{same}");
        assert!(is_let_in("HTTPS://app.EXAMPLE.com:443", same), "{same}");
    }

    for other in [
        "http://app.example.com",
        "http://app.example.com:443",
        "https://app.example.com:80",
        "https://app.example.com:8443",
        "https://example.com",
        "https://app.example.com.evil.net",
        "https://evil-app.example.com",
    ] {
        assert!(!is_let_in("https://app.example.com", other), "{other}");
    }
}

#[test]
fn the_default_port_of_http_is_80() {
    assert!(is_let_in("http://localhost", "http://localhost:80"));
    assert!(is_let_in("http://localhost:80", "http://localhost"));
    assert!(!is_let_in("http://localhost", "http://localhost:443"));
    assert!(!is_let_in("http://localhost:3000", "http://localhost"));
    assert!(!is_let_in(
        "capacitor://localhost",
        "capacitor://localhost:80"
    ));
}

/// An invalid port must not count as the default port of the scheme. For example, 65979 is 443
/// modulo 65,536.
#[test]
fn a_handshake_with_an_invalid_port_is_refused() {
    for port in [
        "",
        "0",
        "65979",
        "84430",
        "+443",
        "-443",
        " 443",
        "443 ",
        "0443",
        "443443",
        "99999999999",
        "４４３",
        "x",
        "443:443",
    ] {
        assert!(
            !is_let_in(
                "https://app.example.com",
                &format!("https://app.example.com:{port}")
            ),
            "{port:?}"
        );
    }
}

#[test]
fn a_handshake_without_a_valid_origin_is_refused() {
    for origin in [
        "",
        "null",
        "*",
        "app.example.com",
        "//app.example.com",
        "https:app.example.com",
        "https:/app.example.com",
        "https:///app.example.com",
        "https:\\\\app.example.com",
        "https://app.example.com/",
        "https://app.example.com?",
        "https://app.example.com#",
        "https://app.example.com\\",
        "https://app.example.com.",
        "https://app.example.com..",
        "https://.app.example.com",
        "https://app..example.com",
        "https://app.example.com, https://app.example.com",
        "https://app.example.com https://app.example.com",
        "https://user@app.example.com",
        "https://user:password@app.example.com",
        "https://@app.example.com",
        "https://app.example.com@evil.net",
        "https://evil.net/https://app.example.com",
        "https://app%2eexample.com",
        "https://app.example.com%00",
        "https://app\texample.com",
        "\"https://app.example.com\"",
        "https://[app.example.com]",
        "https://app.example.com\u{e9}",
        "https://ａpp.example.com",
    ] {
        assert!(!is_let_in("https://app.example.com", origin), "{origin:?}");
    }
}

#[test]
fn a_handshake_has_one_origin_at_most() {
    let allowed = [
        Origin::from_config("https://a.example").unwrap(),
        Origin::from_config("https://b.example").unwrap(),
    ];
    let check = |origins: &[&[u8]]| {
        check(&allowed, &request(origins)).map_err(|error| error.code().as_str())
    };
    assert_eq!(check(&[b"https://a.example"]), Ok(Page::Allowed));
    assert_eq!(check(&[b"https://b.example"]), Ok(Page::Allowed));
    assert_eq!(check(&[]), Ok(Page::Unknown));
    assert_eq!(
        check(&[b"https://a.example\xff"]),
        Err("origin_not_allowed")
    );

    for second in ["https://a.example", "https://b.example", "", "null"] {
        let pair = [b"https://a.example", second.as_bytes()];
        assert_eq!(check(&pair), Err("origin_not_allowed"), "{second}");
        assert_eq!(
            check(&[pair[1], pair[0]]),
            Err("origin_not_allowed"),
            "{second}"
        );
    }
}

/// Browsers leave out the origin of a GET from a page of the server's own origin.
#[test]
fn a_browser_may_say_that_the_page_has_the_origin_of_the_server() {
    let allowed = [Origin::from_config("https://a.example").unwrap()];
    let check = |origins: &[&[u8]], sites: &[&str]| {
        let mut parts = request(origins);
        for site in sites {
            let site = HeaderValue::from_str(site).unwrap();
            parts.headers.append("sec-fetch-site", site);
        }
        check(&allowed, &parts).map_err(|error| error.code().as_str())
    };

    assert_eq!(check(&[], &["same-origin"]), Ok(Page::Allowed));
    for sites in [
        &["same-site"][..],
        &["cross-site"],
        &["none"],
        &[""],
        &["Same-Origin"],
        &["same-origin, same-origin"],
        &["\"same-origin\""],
        &["same-origin;a"],
        &["same-origin", "same-origin"],
        &["same-origin", "cross-site"],
        &["cross-site", "same-origin"],
    ] {
        assert_eq!(check(&[], sites), Ok(Page::Unknown), "{sites:?}");
    }

    for origin in ["https://b.example", "null", ""] {
        let refused = check(&[origin.as_bytes()], &["same-origin"]);
        assert_eq!(refused, Err("origin_not_allowed"), "{origin}");
    }
    let allowed = check(&[b"https://a.example"], &["cross-site"]);
    assert_eq!(allowed, Ok(Page::Allowed));
}

#[test]
fn a_refusal_names_the_origins_found_and_allowed() {
    let detail = |allowed: &[&str], origins: &[&str]| {
        let allowed: Vec<_> = allowed
            .iter()
            .map(|origin| Origin::from_config(origin).unwrap())
            .collect();
        let origins: Vec<_> = origins.iter().map(|origin| origin.as_bytes()).collect();
        let error = check(&allowed, &request(&origins)).unwrap_err();
        error.detail().unwrap().to_owned()
    };

    let allowed = [
        "HTTPS://App.example.com:443",
        "http://[::1]:3000",
        "capacitor://localhost",
    ];
    assert_eq!(
        detail(&allowed, &["https://evil.example"]),
        "the origin \"https://evil.example\" is not allowed; allowed are https://app.example.com, \
         http://[::1]:3000, capacitor://localhost"
    );
    assert_eq!(
        detail(&allowed[..1], &["null"]),
        "the origin \"null\" is not allowed; allowed are https://app.example.com"
    );
    assert_eq!(
        detail(&allowed, &["null", "null"]),
        "there are several Origin headers"
    );

    let strange = detail(&allowed, &["https://a\t\"\u{202e}"]);
    assert!(
        strange.starts_with(r#"the origin "https://a\t\"\u{202e}" is"#),
        "{strange}"
    );
    let long = detail(&allowed[..1], &[&"a".repeat(5000)]);
    assert!(long.len() < 250, "{long}");
    let token = detail(&allowed[..1], &["https://eyJhbGciOiJIUzI1NiJ9.e30.c2ln"]);
    assert!(!token.contains("eyJ"), "{token}");

    let many: Vec<_> = (0..12)
        .map(|number| format!("https://{number}a.example"))
        .collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let listed = detail(&many, &["null"]);
    assert!(
        listed.ends_with("https://9a.example, and 2 more"),
        "{listed}"
    );
}

#[test]
fn addresses_are_compared_as_addresses() {
    for same in [
        "http://[::1]:3000",
        "http://[0:0:0:0:0:0:0:1]:3000",
        "http://[::0001]:3000",
        "http://[::0.0.0.1]:3000",
    ] {
        assert!(is_let_in(same, "http://[::1]:3000"), "{same}");
    }

    // Rust writes an IPv4-mapped address in the first form, browsers in the second (WHATWG URL).
    assert!(is_let_in(
        "http://[::ffff:192.0.2.1]",
        "http://[::ffff:c000:201]"
    ));
    assert!(is_let_in("http://[2001:DB8::A]", "http://[2001:db8::a]"));
    assert!(is_let_in("http://127.0.0.1:8080", "http://127.0.0.1:8080"));

    assert!(!is_let_in("http://[::1]", "http://[::2]"));
    assert!(!is_let_in("http://[::1]", "http://::1"));
}

#[test]
fn other_schemes_than_those_of_the_web_work() {
    for origin in [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "app://obsidian.md",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
        "vscode-webview://0n3bk2a7b3e1",
        "x+y-z.1://host:1",
    ] {
        assert!(is_let_in(origin, origin), "{origin}");
        assert!(is_let_in(&origin.to_ascii_uppercase(), origin), "{origin}");
        assert!(
            !is_let_in(origin, &origin.replacen("://", "s://", 1)),
            "{origin}"
        );
    }
}

#[test]
fn a_name_may_have_digits_hyphens_and_underscores() {
    for origin in [
        "https://xn--bcher-kva.example",
        "https://my_app.example.com",
        "http://a",
        "https://1a.2b.c3",
        "http://a--b-",
    ] {
        assert!(is_let_in(origin, origin), "{origin}");
    }
}

#[test]
fn a_wildcard_is_a_mistake() {
    for text in [
        "*",
        "https://*",
        "https://*.example.com",
        "https://app.*.com",
        "https://app.example.com:*",
        "*://localhost",
        "**",
    ] {
        assert_mistake(text, "wildcard");
    }
}

#[test]
fn an_invalid_port_is_a_mistake() {
    for port in [
        "",
        "+80",
        " 80",
        "80 ",
        "080",
        "0",
        "00",
        "-1",
        "65536",
        "65979",
        "84430",
        "99999999999",
        "x",
        "8o",
        "0x50",
        "８０",
        "80:80",
    ] {
        assert_mistake(&format!("https://app.example.com:{port}"), "1 to 65535");
        assert_mistake(&format!("http://[::1]:{port}"), "1 to 65535");
    }

    for port in ["1", "80", "443", "65535"] {
        assert!(
            Origin::from_config(&format!("https://app.example.com:{port}")).is_ok(),
            "{port}"
        );
    }
}

#[test]
fn more_than_an_origin_is_a_mistake() {
    for (text, repair) in [
        ("https://example.com/", "a path"),
        ("https://example.com/app", "a path"),
        ("https://example.com:8443/", "a path"),
        ("https://example.com\\app", "a path"),
        ("https://example.com?x", "a path"),
        ("https://example.com#x", "a path"),
        ("https://example.com,https://example.org", "a path"),
        ("https://user@example.com", "user name"),
        ("https://user:password@example.com:8443", "user name"),
        ("https://@example.com", "user name"),
    ] {
        assert_mistake(text, repair);
    }

    let mistake = Origin::from_config("https://user:hunter2@example.com")
        .unwrap_err()
        .to_string();
    assert!(!mistake.contains("hunter2"), "{mistake}");
}

#[test]
fn less_than_an_origin_is_a_mistake() {
    for text in [
        "",
        " ",
        "null",
        "NULL",
        "example.com",
        "localhost:3000",
        "//example.com",
        "https:example.com",
        "https:/example.com",
    ] {
        assert_mistake(text, "\"https://app.example.com\"");
    }

    for text in [
        "://example.com",
        "1http://example.com",
        "-a://b",
        "ht tp://example.com",
        "ht_tp://example.com",
        " https://a",
        "é://a",
        "blob:https://a",
    ] {
        assert_mistake(text, "the scheme must");
    }

    for text in [
        "https://",
        "https://:443",
        "file://",
        "https://.",
        "https://..",
        "https://example.com.",
        "https://example..com",
        "https://.example.com",
        "https://example.com ",
        "https:// example.com",
        "https://exa mple.com",
        "https://example.com\n",
        "https://exa\0mple.com",
        "https://exa%6dple.com",
        "https://bücher.example",
        "https://example。com",
        "https://\u{202e}example.com",
        "https://[]",
        "https://[::1",
        "https://::1]",
        "https://::1",
        "https://[::1]x",
        "https://[fe80::1%25eth0]",
        "https://[v1.x]",
        "https://[127.0.0.1]",
        "https://[[::1]]",
        "https://a[::1]",
        "https://256.0.0.1",
        "https://127.1",
        "https://127.0.0.01",
        "https://127.0.0.0x1",
        "https://0x7f000001",
        "https://2130706433",
        "https://app.example.0",
        "https://app.example.0x",
    ] {
        assert_mistake(text, "the host must");
    }
}

/// The origin is that of the page, whose scheme is `http` or `https`.
#[test]
fn the_scheme_of_the_websocket_is_a_mistake() {
    assert_mistake("wss://app.example.com", "write https://");
    assert_mistake("WS://localhost:3000", "write http://");
    assert_mistake("ws://localhost:3000", "the page");
}

fn hosts() -> impl Strategy<Value = String> {
    let label = "[A-Za-z0-9_-]{1,8}";
    let name = vec(label, 1..4).prop_map(|labels| labels.join("."));
    let v4 = any::<[u8; 4]>().prop_map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    let v6 = any::<[u16; 8]>().prop_map(|groups| format!("[{}]", std::net::Ipv6Addr::from(groups)));
    let mapped =
        any::<[u8; 4]>().prop_map(|bytes| format!("[::ffff:{}]", std::net::Ipv4Addr::from(bytes)));
    let pieces = select(vec![
        "a", "A", ".", "-", "_", "0", "0x", "1", "[", "]", ":", "::", "@", "/", "%", "é", " ", "*",
    ]);
    let nonsense = vec(pieces, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![name, v4, v6, mapped, nonsense]
}

fn written_origins() -> impl Strategy<Value = String> {
    let schemes = select(vec![
        "http",
        "https",
        "HTTPS",
        "capacitor",
        "chrome-extension",
        "ws",
        "1",
        "",
    ]);

    let port = prop_oneof![
        Just(String::new()),
        any::<u16>().prop_map(|port| format!(":{port}")),
        select(vec![":80", ":443", ":080", ":65536", ":", ":+80"]).prop_map(str::to_owned),
    ];

    (schemes, hosts(), port).prop_map(|(scheme, host, port)| format!("{scheme}://{host}{port}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_accepted_or_refused(bytes in vec(any::<u8>(), 0..80), text in "\\PC{0,40}") {
        let allowed = [Origin::from_config("https://app.example.com").unwrap()];

        for bytes in [bytes, text.clone().into_bytes(), format!("https://app.example.com{text}").into_bytes()] {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let is_allowed = bytes.eq_ignore_ascii_case(b"https://app.example.com")
                    || bytes.eq_ignore_ascii_case(b"https://app.example.com:443");
                prop_assert_eq!(check(&allowed, &request(&[value.as_bytes()])).is_ok(), is_allowed);
            }

            let text = String::from_utf8_lossy(&bytes);
            if let Err(mistake) = Origin::from_config(&text) {
                prop_assert!(mistake.to_string().starts_with("allowed_origins: "));
            }
        }
    }

    #[test]
    fn an_origin_in_another_case_is_the_same(text in written_origins()) {
        let read = Origin::from_config(&text).ok();
        prop_assert_eq!(&Origin::from_config(&text.to_ascii_lowercase()).ok(), &read);
        prop_assert_eq!(&Origin::from_config(&text.to_ascii_uppercase()).ok(), &read);
    }

    /// The crate `url` follows the standard that browsers follow.
    #[cfg(feature = "jwks")]
    #[test]
    fn what_the_configuration_takes_is_what_browsers_send(text in written_origins(), other in written_origins()) {
        let Ok(origin) = Origin::from_config(&text) else { return Ok(()) };
        if !text.to_ascii_lowercase().starts_with("http") || text.to_ascii_lowercase().contains("xn--") {
            return Ok(());
        }
        let sent = reqwest::Url::parse(&text).unwrap().origin();
        let is_let_in = |sent: &str| check(std::slice::from_ref(&origin), &request(&[sent.as_bytes()])).is_ok();
        prop_assert!(is_let_in(&sent.ascii_serialization()));
        if let Ok(other) = reqwest::Url::parse(&other) {
            let same = other.origin() == sent && other.origin().is_tuple();
            prop_assert_eq!(is_let_in(&other.origin().ascii_serialization()), same);
        }
    }
}
