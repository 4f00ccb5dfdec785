//! Responses that are not a JWK Set, too long, or not HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth_tests::{
    issuer::{Answer, HostileIssuer, Issuer, KEYS, SigningKey, advance_time, key_set, outcome},
    within,
};
use tokio::io::AsyncWriteExt;

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

fn good_body(key: &SigningKey) -> String {
    key_set(&[key.jwk()])
}

/// Returns an HTTP response as bytes.
fn raw(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    [head.as_bytes(), b"\r\n\r\n", body.as_ref()].concat()
}

/// Two hundred bytes or more that hold the key.
pub(crate) fn good_answer(key: &SigningKey) -> Vec<u8> {
    let body = good_body(key);
    raw(
        &format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}",
            body.len()
        ),
        body,
    )
}

/// Asserts that a response is refused if there are no keys yet, and that it does not replace a set.
async fn is_not_taken(name: &str, answer: Answer) {
    let key = key();
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, answer.clone());
    let fresh = issuer.verifier().build().unwrap();
    assert_eq!(
        outcome(&fresh, &key.token()).await,
        "keys_unavailable",
        "{name}"
    );

    issuer.publish(&[&key]);
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    issuer.answer(KEYS, answer);
    advance_time(Duration::from_mins(11)).await;
    // A token with an unknown key waits for the refresh.
    assert_eq!(
        outcome(&verifier, &key.token_with_kid(Some("unknown"))).await,
        "token_key_unknown",
        "{name}"
    );
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted", "{name}");
    assert_eq!(issuer.requests(), 3, "{name}");
}

#[tokio::test]
async fn bodies_that_are_not_a_set_are_refused() {
    let good = good_body(&key());

    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let not_utf8 = [
        br#"{"comment":""#.as_slice(),
        &[0xff, 0xfe],
        br#"","#,
        &good.as_bytes()[1..],
    ]
    .concat();
    let texts = [
        ("nothing", String::new()),
        ("null", "null".to_owned()),
        ("a text", r#""keys""#.to_owned()),
        (
            "a web page",
            "<!doctype html><title>Log in</title>".to_owned(),
        ),
        ("a list", "[]".to_owned()),
        ("no keys", "{}".to_owned()),
        ("keys of another case", good.replace("keys", "Keys")),
        ("keys is null", r#"{"keys":null}"#.to_owned()),
        ("keys is an object", r#"{"keys":{}}"#.to_owned()),
        ("an empty set", r#"{"keys":[]}"#.to_owned()),
        ("keys twice", format!(r#"{{"keys":[],{}"#, &good[1..])),
        ("a single key", key().jwk().to_string()),
        ("a set in a list", format!("[{good}]")),
        ("JSON that is cut off", good[..good.len() - 1].to_owned()),
        ("JSON and more", format!("{good}x")),
        ("two sets", format!("{good}{good}")),
        ("a comment", format!("{good}// keys")),
        ("nested without end", "[".repeat(400_000)),
        (
            "nested without end in a key",
            format!(r#"{{"keys":[{}"#, r#"{"a":"#.repeat(80_000)),
        ),
    ];

    for (name, body) in texts {
        is_not_taken(name, Answer::ok(body)).await;
    }

    is_not_taken("not UTF-8", Answer::ok(not_utf8)).await;
    is_not_taken("UTF-16", Answer::ok(utf16)).await;
}

#[tokio::test]
async fn only_status_200_is_accepted() {
    let good = good_body(&key());
    for status in [
        201, 202, 203, 206, 300, 301, 302, 307, 308, 400, 401, 403, 404, 410, 429, 500, 502, 503,
    ] {
        is_not_taken(&status.to_string(), Answer::new(status, good.clone())).await;
    }
    is_not_taken("204", Answer::new(204, "")).await;
    is_not_taken("304", Answer::new(304, "")).await;
}

/// The request does not accept compression.
#[tokio::test]
async fn a_compressed_body_is_refused() {
    let compressed = STANDARD.decode(GOOD_BODY_COMPRESSED).unwrap();
    is_not_taken(
        "gzip",
        Answer::ok(compressed.clone()).header("content-encoding", "gzip"),
    )
    .await;
    is_not_taken("gzip without a content-encoding", Answer::ok(compressed)).await;
}

/// `good_body`, through gzip.
const GOOD_BODY_COMPRESSED: &str = "H4sIAAAAAAACA6tWyk6tLFayiq5WSsxJV7JSck1xCXZU0lFKLioD84xMTQ0tgfzszBQgPxHEKqkEsvy9A4DsCiDLJMNc1y+gMKrYLCXDuzg1IiDDI7Ck2Cc9qtAkK9nJwMAsIDI5M7A4wyzdU6k2thYA2DaSOXIAAAA=";

#[tokio::test]
async fn the_longest_accepted_body_has_512_kib() {
    let (key, limit) = (key(), 512 * 1024);
    let padded = |length: usize| {
        let good = good_body(&key);
        format!("{good}{}", " ".repeat(length - good.len()))
    };

    is_not_taken("too long", Answer::ok(padded(limit + 1))).await;
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, Answer::ok(padded(limit)));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key.token()).await,
        "accepted"
    );
}

/// A good response over the same raw socket is accepted, so the others are refused for their
/// mistakes.
#[tokio::test]
async fn invalid_http_is_refused() {
    let good = good_body(&key());

    let length = good.len();
    let ok = "HTTP/1.1 200 OK\r\nconnection: close";
    let one_chunk = format!("{length:x}\r\n{good}\r\n");

    for (name, bytes, expected) in [
        ("a good one", good_answer(&key()), "accepted"),
        ("a good one until the end", raw(ok, &good), "accepted"),
        (
            "a good one in chunks",
            raw(
                &format!("{ok}\r\ntransfer-encoding: chunked"),
                format!("{one_chunk}0\r\n\r\n"),
            ),
            "accepted",
        ),
        ("nothing", Vec::new(), "keys_unavailable"),
        ("only a body", good.clone().into_bytes(), "keys_unavailable"),
        ("only zeros", vec![0; 100_000], "keys_unavailable"),
        (
            "another protocol",
            b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
            "keys_unavailable",
        ),
        (
            "a head that is cut off",
            b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(),
            "keys_unavailable",
        ),
        ("no status", raw("HTTP/1.1 OK", &good), "keys_unavailable"),
        (
            "a switch of protocols",
            raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c", &good),
            "keys_unavailable",
        ),
        (
            "a body that is cut off",
            raw(&format!("{ok}\r\ncontent-length: {}", length + 1), &good),
            "keys_unavailable",
        ),
        (
            "a body that is cut off after the set",
            raw(&format!("{ok}\r\ncontent-length: 99999999999"), &good),
            "keys_unavailable",
        ),
        (
            "two lengths",
            raw(
                &format!("{ok}\r\ncontent-length: {length}\r\ncontent-length: 5"),
                &good,
            ),
            "keys_unavailable",
        ),
        (
            "a length below zero",
            raw(&format!("{ok}\r\ncontent-length: -1"), &good),
            "keys_unavailable",
        ),
        (
            "chunks that are cut off",
            raw(&format!("{ok}\r\ntransfer-encoding: chunked"), &one_chunk),
            "keys_unavailable",
        ),
        (
            "a chunk of no length",
            raw(
                &format!("{ok}\r\ntransfer-encoding: chunked"),
                format!("x\r\n{good}"),
            ),
            "keys_unavailable",
        ),
        (
            "a chunk beyond all numbers",
            {
                raw(
                    &format!("{ok}\r\ntransfer-encoding: chunked"),
                    format!("fffffffffffffffff\r\n{good}"),
                )
            },
            "keys_unavailable",
        ),
        (
            "headers without end",
            format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(200_000)).into_bytes(),
            "keys_unavailable",
        ),
        (
            "a header without end",
            format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(2_000_000)).into_bytes(),
            "keys_unavailable",
        ),
    ] {
        let issuer = HostileIssuer::writing(bytes).await;
        let verifier = issuer.verifier().build().unwrap();
        assert_eq!(
            within(name, outcome(&verifier, &key().token())).await,
            expected,
            "{name}"
        );
        assert_eq!(issuer.requests(), 1, "{name}");
    }
}

/// Writes a head, and then the same part of a body for ever. Returns how much was written before
/// the client closed the connection.
async fn written(head: &'static str, part: &'static [u8]) -> usize {
    let written = Arc::new(AtomicUsize::new(0));
    let (hung_up, hang_up) = tokio::sync::watch::channel(false);
    let count = Arc::clone(&written);
    let issuer = HostileIssuer::start(move |mut stream| {
        let (count, hung_up) = (Arc::clone(&count), hung_up.clone());
        async move {
            stream.write_all(&raw(head, "")).await.unwrap();
            while stream.write_all(part).await.is_ok() {
                count.fetch_add(part.len(), Ordering::SeqCst);
            }
            hung_up.send_replace(true);
        }
    })
    .await;

    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(
        within(head, outcome(&verifier, &key().token())).await,
        "keys_unavailable",
        "{head}"
    );
    within(
        "the client closes the connection",
        hang_up.clone().wait_for(|hung_up| *hung_up),
    )
    .await
    .unwrap();
    written.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    const SPACES: &[u8] = &[b' '; 16 * 1024];
    const CHUNK: &[u8] = &{
        let mut chunk = [b' '; 0x4000 + 8];
        chunk.split_at_mut(6).0.copy_from_slice(b"4000\r\n");
        chunk[0x4006] = b'\r';
        chunk[0x4007] = b'\n';
        chunk
    };

    for (head, part) in [
        ("HTTP/1.1 200 OK", SPACES),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551614",
            SPACES,
        ),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", CHUNK),
    ] {
        let bytes = written(head, part).await;
        println!("{head:?}: hung up after {bytes} bytes");
        // The kernel buffers some megabytes.
        assert!(bytes < 32 * 1024 * 1024, "{head}: {bytes} bytes");
    }
}
