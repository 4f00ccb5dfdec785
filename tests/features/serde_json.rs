//! A program that switches `serde_json`'s `raw_value` and `arbitrary_precision` on, as any crate in
//! it can do for all of them (axum's `json` does so with the first). Nothing that a client, an
//! issuer or a key server sends passes the checks or overflows a stack, and good tokens are still
//! accepted.

use std::{collections::HashMap, thread};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use futures_util::FutureExt;
use jsonwebtoken::{EncodingKey, Header, crypto};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use socketioxide::{SocketIo, extract::SocketRef, handler::ConnectHandler};
use socketioxide_jwt_auth::{KeySet, Verifier, VerifierBuilder, jwt_auth};
use tower::ServiceExt;

const SECRET: &str = "a secret of the tests, with more than thirty-two bytes";

/// In the year 2100.
const EXP: u64 = 4_102_444_800;

/// As documented in `security`: objects and lists, the outermost one included.
const MAX_DEPTH: usize = 64;

const PRIVATE_NAMES: [&str; 4] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
    r"\u0024serde_json::private::RawValue",
    r"$serde_json\u003A:private::Number",
];

fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap()
}

fn verifier() -> VerifierBuilder {
    Verifier::builder().secret(SECRET).max_token_bytes(1 << 20)
}

fn sign(header: &str, claims: &str) -> String {
    verifier().build().unwrap();
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = crypto::sign(message.as_bytes(), &key, Header::default().alg).unwrap();
    format!("{message}.{signature}")
}

/// Encodes in base64url, as jsonwebtoken does.
fn encode(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let encode_chunk = |chunk: &[u8]| {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        (0..=chunk.len())
            .map(move |place| char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]))
    };
    text.as_bytes().chunks(3).flat_map(encode_chunk).collect()
}

fn outcome_as<C: DeserializeOwned>(builder: VerifierBuilder, token: &str) -> &'static str {
    let verified = builder
        .build()
        .unwrap()
        .verify::<C>(token)
        .now_or_never()
        .unwrap();
    verified.map_or_else(|error| error.code().as_str(), |_| "accepted")
}

fn outcome_of_claims(claims: &str) -> &'static str {
    outcome_as::<Value>(verifier(), &sign(r#"{"alg":"HS256"}"#, claims))
}

fn claims_and(member: &str) -> String {
    format!(r#"{{"exp":{EXP},{member}}}"#)
}

fn outcome_of_header(member: &str) -> &'static str {
    let token = sign(
        &format!(r#"{{"alg":"HS256",{member}}}"#),
        &claims_and(r#""sub":"1""#),
    );
    outcome_as::<Value>(verifier(), &token)
}

fn jwk_set(member: &str) -> String {
    format!(
        r#"{{"keys":[{{"kty":"oct","k":"{}",{member}}}]}}"#,
        encode(SECRET)
    )
}

/// Returns a value of this depth.
fn nested(depth: usize) -> String {
    format!(
        "{}{}{}",
        "[".repeat(depth % 2),
        r#"[{"a":"#.repeat(depth / 2) + "1" + &"}]".repeat(depth / 2),
        "]".repeat(depth % 2)
    )
}

/// JSON texts within JSON texts, each with a depth of its own: what `serde_json` reads with a stack
/// that has no limit. The quotes are `\u0022` and the backslashes `\u005c`, so that a level adds
/// little to those within it.
fn raw_in_raw(levels: usize, lists: usize) -> String {
    (0..levels).fold("1".to_owned(), |inner, _| {
        let inner = inner.replace('\\', r"\u005c").replace('"', r"\u0022");
        let object = format!(r#"{{"$serde_json::private::RawValue":"{inner}"}}"#);
        format!("{}{object}{}", "[".repeat(lists), "]".repeat(lists))
    })
}

/// Without the features, the other tests here would pass for another reason.
#[test]
fn the_features_are_on() {
    let value: Value = serde_json::from_str(r#"{"$serde_json::private::RawValue":"[1]"}"#).unwrap();
    assert_eq!(value, serde_json::json!([1]), "raw_value");
    let number = "123456789012345678901234567890.0123456789";
    assert_eq!(
        serde_json::from_str::<Value>(number).unwrap().to_string(),
        number,
        "arbitrary_precision"
    );
}

#[test]
fn registered_claims_are_read_right() {
    for (member, expected) in [
        (r#""x":1"#, "accepted"),
        (r#""nbf":1,"iat":1.5,"x":1e400"#, "accepted"),
        (r#""nbf":4102444800"#, "token_not_yet_valid"),
        (r#""nbf":4.1024448e9"#, "token_not_yet_valid"),
        (r#""nbf":1e400"#, "token_claims_invalid"),
        (r#""nbf":-1"#, "token_claims_invalid"),
        (r#""nbf":"1""#, "token_claims_invalid"),
        (r#""exp":4102444800"#, "token_claims_invalid"),
        (r#""sub":1"#, "token_claims_invalid"),
        (r#""aud":"chat""#, "token_audience_invalid"),
        (r#""aud":["chat"]"#, "token_audience_invalid"),
    ] {
        assert_eq!(outcome_of_claims(&claims_and(member)), expected, "{member}");
    }

    for exp in ["1", "1.0", "1e9", "1600000000.999", "0.1e1"] {
        assert_eq!(
            outcome_of_claims(&format!(r#"{{"exp":{exp}}}"#)),
            "token_expired",
            "{exp}"
        );
    }

    assert_eq!(outcome_of_claims("{}"), "token_claim_missing");
}

#[test]
fn the_applications_types_see_what_serde_json_shows_them() {
    #[derive(Deserialize)]
    struct Typed {
        exp: u64,
        x: f64,
        raw: Box<RawValue>,
    }

    let token = sign(
        r#"{"alg":"HS256"}"#,
        &claims_and(r#""x":1.25,"raw":[1,  {"a":1e500}]"#),
    );

    let typed = verifier()
        .build()
        .unwrap()
        .verify::<Typed>(&token)
        .now_or_never()
        .unwrap()
        .unwrap()
        .claims;
    assert_eq!(
        (typed.exp, typed.x, typed.raw.get()),
        (EXP, 1.25, r#"[1,  {"a":1e500}]"#)
    );
    let value = verifier()
        .build()
        .unwrap()
        .verify::<Value>(&token)
        .now_or_never()
        .unwrap()
        .unwrap()
        .claims;
    assert_eq!(value["raw"][1]["a"].to_string(), "1e+500");
    assert_eq!(
        outcome_as::<HashMap<String, Value>>(verifier(), &token),
        "accepted"
    );
    assert_eq!(outcome_as::<Box<RawValue>>(verifier(), &token), "accepted");
}

#[test]
fn claims_with_a_private_name_are_refused() {
    for name in PRIVATE_NAMES {
        for member in [
            format!(r#""{name}":"1""#),
            format!(r#""x":{{"{name}":"1"}}"#),
            format!(r#""x":[[{{"y":{{"{name}":"1"}}}}]]"#),
            format!(r#""x":{{"y":1,"{name}":"1"}}"#),
        ] {
            assert_eq!(
                outcome_of_claims(&claims_and(&member)),
                "token_claims_invalid",
                "{member}"
            );
        }
    }

    // No claim is required, so that only the name is wrong with it: `C` would get an `exp` that was
    // never checked.
    let claims = r#"{"$serde_json::private::RawValue":"{\"sub\":\"admin\",\"exp\":1}"}"#;
    let lenient = verifier().required_claims([""; 0]);
    assert_eq!(
        outcome_as::<Value>(lenient, &sign(r#"{"alg":"HS256"}"#, claims)),
        "token_claims_invalid"
    );

    // As a value it is only a string.
    assert_eq!(
        outcome_of_claims(&claims_and(r#""x":"$serde_json::private::RawValue""#)),
        "accepted"
    );
}

#[test]
fn headers_are_read_right() {
    for member in [
        r#""x":1"#,
        r#""x":1e400"#,
        r#""x":{"y":[1.5,-1]}"#,
        r#""typ":null"#,
        r#""cty":"JWT","x":0"#,
    ] {
        assert_eq!(outcome_of_header(member), "accepted", "{member}");
    }

    for member in [
        r#""kid":1"#,
        r#""typ":1.5"#,
        r#""cty":1"#,
        r#""x5c":[1]"#,
        r#""jwk":1"#,
    ] {
        assert_eq!(outcome_of_header(member), "token_malformed", "{member}");
    }

    for name in PRIVATE_NAMES {
        for member in [
            format!(r#""{name}":"1""#),
            format!(r#""x":{{"{name}":"1"}}"#),
            format!(r#""x":[{{"y":1,"{name}":"1"}}]"#),
        ] {
            assert_eq!(outcome_of_header(&member), "token_malformed", "{member}");
        }
    }
}

#[test]
fn jwk_sets_are_read_right() {
    for member in [
        r#""extra":1"#,
        r#""x5c":["a"],"extra":{"a":1e400}"#,
        r#""n":1"#,
    ] {
        let set = KeySet::from_jwks(jwk_set(member));
        assert_eq!(set.is_ok(), !member.contains("n\""), "{member}");
    }
    for name in PRIVATE_NAMES {
        let member = format!(r#""{name}":"1""#);
        let in_set = jwk_set(r#""extra":1"#).replacen('{', &format!("{{{member},"), 1);
        for set in [
            jwk_set(&member),
            jwk_set(&format!(r#""extra":[{{"y":1,{member}}}]"#)),
            in_set,
        ] {
            assert!(
                KeySet::from_jwks(&set)
                    .unwrap_err()
                    .to_string()
                    .contains("not a JWK Set"),
                "{set}"
            );
        }
    }
}

/// Eight kilobytes in a token that is signed, and half a megabyte in a fetched set, which is the
/// limit.
#[test]
fn json_within_json_overflows_no_stack() {
    for (levels, lists, code) in [
        (12, 120, "token_malformed"),
        (50, 120, "token_malformed"),
        // Not too deep as it stands, so that nothing but the private name is wrong with it.
        (1, 40, "token_claims_invalid"),
        (50, 40, "token_claims_invalid"),
        (200, 40, "token_claims_invalid"),
    ] {
        let hostile = raw_in_raw(levels, lists);
        let claims = claims_and(&format!(r#""x":{hostile}"#));
        let header = format!(r#""x":{hostile}"#);
        let set = jwk_set(&format!(r#""extra":{hostile}"#));
        let (claims, header, set) = on_a_small_stack(move || {
            (
                outcome_of_claims(&claims),
                outcome_of_header(&header),
                KeySet::from_jwks(&set).is_ok(),
            )
        });
        assert_eq!(
            (claims, header, set),
            (code, "token_malformed", false),
            "{levels}, {lists}"
        );
    }
}

#[test]
fn the_deepest_json_is_read_on_a_small_stack_and_deeper_one_refused() {
    let outcomes = |depth: usize| {
        on_a_small_stack(move || {
            let claims = outcome_of_claims(&claims_and(&format!(r#""x":{}"#, nested(depth - 1))));
            let header = outcome_of_header(&format!(r#""x":{}"#, nested(depth - 1)));
            // A key's depth counts from the key on.
            let set = KeySet::from_jwks(jwk_set(&format!(r#""extra":{}"#, nested(depth - 1))));
            (claims, header, set.is_ok())
        })
    };
    assert_eq!(outcomes(MAX_DEPTH), ("accepted", "accepted", true));
    assert_eq!(
        outcomes(MAX_DEPTH + 1),
        ("token_malformed", "token_malformed", false)
    );
    assert_eq!(
        outcomes(3000),
        ("token_malformed", "token_malformed", false)
    );
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

#[jwt_auth(secret = SECRET, guest = true)]
async fn authenticate(claims: Claims) -> Option<String> {
    Some(claims.sub)
}

/// Connects with an auth payload over HTTP long-polling. Returns the packet that answers, without
/// the id of the socket.
async fn connect(payload: &str) -> String {
    let (layer, io) = SocketIo::builder().max_payload(1 << 20).build_layer();
    io.ns(
        "/",
        (async |_: SocketRef| ()).with(authenticate::middleware().unwrap()),
    );
    let router: Router = Router::new().layer(layer);
    let send = async |method: &str, query: &str, body: String| {
        let uri = format!("/socket.io/?EIO=4&transport=polling{query}");
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::from(body))
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        String::from_utf8(
            to_bytes(response.into_body(), 1 << 20)
                .await
                .unwrap()
                .to_vec(),
        )
        .unwrap()
    };

    let open = send("GET", "", String::new()).await;
    let sid = open
        .split_once(r#""sid":""#)
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0
        .to_owned();
    assert_eq!(
        send("POST", &format!("&sid={sid}"), format!("40{payload}")).await,
        "ok"
    );
    let answer = send("GET", &format!("&sid={sid}"), String::new()).await;
    if answer.starts_with(r#"40{"sid":"#) {
        "connected".to_owned()
    } else {
        answer
    }
}

fn connect_on_a_small_stack(payload: &str) -> String {
    let payload = payload.to_owned();
    on_a_small_stack(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(connect(&payload))
    })
}

const MALFORMED: &str = r#"44{"message":"token_malformed"}"#;

#[test]
fn auth_payloads_are_read_right() {
    let token = sign(r#"{"alg":"HS256"}"#, &claims_and(r#""sub":"1""#));

    for members in [
        r#""version":3"#,
        r#""list":[1,2.5,{"a":-1}],"x":1e400"#,
        r#""a":null,"b":{"c":{}}"#,
    ] {
        assert_eq!(
            connect_on_a_small_stack(&format!(r#"{{"token":"{token}",{members}}}"#)),
            "connected",
            "{members}"
        );
        assert_eq!(
            connect_on_a_small_stack(&format!("{{{members}}}")),
            "connected",
            "{members}"
        );
    }

    for payload in [
        r#"{"token":1}"#,
        r#"{"token":1.5}"#,
        r#"{"token":[1]}"#,
        r#"{"token":{"a":1}}"#,
    ] {
        assert_eq!(connect_on_a_small_stack(payload), MALFORMED, "{payload}");
    }
}

#[test]
fn auth_payloads_with_a_private_name_are_refused() {
    let token = sign(r#"{"alg":"HS256"}"#, &claims_and(r#""sub":"1""#));
    for name in PRIVATE_NAMES {
        for member in [
            format!(r#""{name}":"1""#),
            format!(r#""x":{{"{name}":"1"}}"#),
            format!(r#""x":{{"y":1,"{name}":"1"}}"#),
            format!(r#""x":[[{{"y":{{"z":1,"{name}":"1"}}}}]]"#),
        ] {
            for payload in [
                format!(r#"{{"token":"{token}",{member}}}"#),
                format!("{{{member}}}"),
            ] {
                assert_eq!(connect_on_a_small_stack(&payload), MALFORMED, "{payload}");
            }
        }
    }
}

#[test]
fn the_deepest_auth_payload_is_read_on_a_small_stack_and_deeper_ones_refused() {
    let payload = |depth: usize| format!(r#"{{"x":{}}}"#, nested(depth - 1));
    assert_eq!(connect_on_a_small_stack(&payload(MAX_DEPTH)), "connected");
    assert_eq!(connect_on_a_small_stack(&payload(MAX_DEPTH + 1)), MALFORMED);
    assert_eq!(connect_on_a_small_stack(&payload(10_000)), MALFORMED);

    for (levels, lists) in [(12, 120), (50, 120), (1, 40), (50, 40), (200, 40)] {
        let payload = format!(r#"{{"x":{}}}"#, raw_in_raw(levels, lists));
        assert_eq!(
            connect_on_a_small_stack(&payload),
            MALFORMED,
            "{levels}, {lists}"
        );
    }
}
