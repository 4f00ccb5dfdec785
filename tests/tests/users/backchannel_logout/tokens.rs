//! Logout tokens that are accepted, and those that are not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide_jwt_auth::axum::BackchannelLogout;
use socketioxide_jwt_auth_tests::{
    OTHER_SECRET, Raw, Received, SECRET, mint, seconds_from_now, sign, signed_with_secret,
};

use super::{
    CLIENT, EVENT, Endpoint, ISSUER, ask, claims, claims_with, expect_alive, expect_ended, log_in,
    login, logout_token, refused, signed,
};

/// The header of most tokens.
const HEADER: &str = r#"{"alg":"HS256","typ":"logout+jwt"}"#;

/// JSON of every type. None is a string that could be a name.
const VALUES: [&str; 10] = [
    "null", "true", "false", "0", "-1", "1.5", r#""""#, "[]", "{}", "[[]]",
];

/// Returns the payload of a good token without a claim.
fn without(claim: &str) -> String {
    claims_with(json!({ claim: null })).to_string()
}

/// Returns the payload of a good token with a claim of this JSON, which takes the place of the
/// claim if it is there.
fn with(claim: &str, json: &str) -> String {
    without(claim).replacen('{', &format!(r#"{{"{claim}":{json},"#), 1)
}

#[tokio::test]
async fn good_tokens_are_accepted() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    for payload in [
        claims().to_string(),
        without("exp"),
        without("sub"),
        without("sid"),
        with("aud", &json!([CLIENT]).to_string()),
        with("aud", &json!(["other", CLIENT]).to_string()),
        with("iat", &seconds_from_now(-299).to_string()),
        with("iat", &seconds_from_now(59).to_string()),
        with("iat", &format!("{}.5", seconds_from_now(-10))),
        with("exp", &seconds_from_now(-30).to_string()),
        with("exp", "4102444800.5"),
        with("nbf", &seconds_from_now(50).to_string()),
        with(
            "events",
            &format!(r#"{{"{EVENT}":{{}},"https://a.example":1}}"#),
        ),
        with("events", &format!(r#"{{"{EVENT}":{{"a":[1]}}}}"#)),
        with(
            "events",
            &format!(r#"{{"{}":{{}}}}"#, EVENT.replace('/', r"\/")),
        ),
        with("trace_id", r#"{"nonce":1}"#),
        with("role", "1"),
    ] {
        assert_eq!(
            endpoint.send(&signed(HEADER, &payload)).await,
            200,
            "{payload}"
        );
    }

    for header in [
        json!({ "alg": "HS256" }),
        json!({ "alg": "HS256", "typ": "logout+jwt" }),
        json!({ "alg": "HS256", "typ": "LOGOUT+jwt" }),
        json!({ "alg": "HS256", "typ": "application/logout+jwt" }),
        json!({ "alg": "HS256", "typ": "Application/Logout+JWT" }),
        json!({ "alg": "HS256", "kid": "1" }),
    ] {
        let token = signed(&header.to_string(), &claims().to_string());
        assert_eq!(endpoint.send(&token).await, 200, "{header}");
    }
}

/// Each has one fault only: the same token without it is accepted.
#[tokio::test]
async fn bad_tokens_are_refused() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let mut tokens: Vec<(String, String)> = Vec::new();
    for payload in bad_payloads() {
        tokens.push((payload.clone(), signed(HEADER, &payload)));
    }
    for header in bad_headers() {
        tokens.push((header.clone(), signed(&header, &claims().to_string())));
    }
    for (what, token) in bad_signatures() {
        tokens.push((what.to_owned(), token));
    }
    assert!(tokens.len() > 200, "{}", tokens.len());

    let mut accepted = Vec::new();
    for (what, token) in &tokens {
        let answer = ask(endpoint.request(token)).await;
        if answer.status == 200 {
            accepted.push(what);
        } else {
            assert_eq!(answer, refused(), "{what}");
        }
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
    assert_eq!(endpoint.send(&logout_token(&claims())).await, 200);
}

fn bad_payloads() -> Vec<String> {
    let mut payloads: Vec<String> = vec![
        // `claims_with` would leave both out.
        claims_with(json!({ "sub": null, "sid": null })).to_string(),
        with("iss", r#""https://issuer.example/""#),
        with("iss", r#""https://other.example""#),
        with("iss", &json!([ISSUER]).to_string()),
        with("aud", r#""other""#),
        with("aud", r#"["other"]"#),
        with("aud", r#"["web",1]"#),
        with("aud", r#"{"web":1}"#),
        with("iat", &seconds_from_now(-302).to_string()),
        with("iat", &seconds_from_now(70).to_string()),
        with("iat", &format!("\"{}\"", seconds_from_now(0))),
        with("iat", "1e300"),
        with("exp", &seconds_from_now(-61).to_string()),
        with("exp", &format!("\"{}\"", seconds_from_now(60))),
        with("nbf", &seconds_from_now(70).to_string()),
        with("sub", "1"),
        with("sid", "1"),
        with("sid", r#"["session"]"#),
        with("sid", r#""\ud800""#),
        with("jti", r#"["1"]"#),
        with("events", &json!([EVENT]).to_string()),
        with("events", &json!(EVENT).to_string()),
        with("events", r#"{"http://schemas.openid.net/event/other":{}}"#),
        with("events", &format!(r#"{{"{EVENT}/":{{}}}}"#)),
        with("events", &format!(r#"{{"{}":{{}}}}"#, EVENT.to_uppercase())),
        with("events", &format!(r#"{{"a":{{"{EVENT}":{{}}}}}}"#)),
        with("events", &format!(r#"{{"{EVENT}":{{}},"{EVENT}":{{}}}}"#)),
        with("$serde_json::private::RawValue", r#""{}""#),
        with("a", &"[".repeat(70)),
        with("a", &format!("{}{}", "[".repeat(70), "]".repeat(70))),
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!("{} ,", claims()),
        format!("{}{}", claims(), claims()),
        json!({ "sub": "ada", "exp": seconds_from_now(3600), "iss": ISSUER, "aud": CLIENT })
            .to_string(),
    ];

    for claim in ["iss", "aud", "iat", "jti", "events"] {
        payloads.push(without(claim));
    }
    for claim in ["iss", "aud", "jti", "sub", "sid", "events", "exp", "iat"] {
        let good = claims();
        let copies = [good[claim].to_string(), "null".to_owned()];
        payloads.extend(copies.map(|copy| {
            good.to_string()
                .replacen('{', &format!(r#"{{"{claim}":{copy},"#), 1)
        }));
    }
    for value in VALUES {
        for claim in [
            "iss", "aud", "jti", "sub", "sid", "events", "exp", "nbf", "iat",
        ] {
            // A time may be any number that is not negative; these are in the past.
            let is_fine = claim == "nbf" && matches!(value, "0" | "1.5");
            if !is_fine {
                payloads.push(with(claim, value));
            }
        }
        payloads.push(with("nonce", value));
        if value != "{}" {
            payloads.push(with("events", &format!(r#"{{"{EVENT}":{value}}}"#)));
        }
    }
    payloads.push(with("nonce", r#""n-0S6_WzA2Mj""#));
    payloads.push(with(r"\u006eonce", "1"));
    payloads
}

fn bad_headers() -> Vec<String> {
    let mut headers: Vec<String> = [
        "JWT",
        "jwt",
        "at+jwt",
        "application/at+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "logout",
        "",
        "logout+jwt2",
        "my-logout+jwt",
        "text/logout+jwt",
        "application/",
        "token-introspection+jwt",
    ]
    .map(|kind| json!({ "alg": "HS256", "typ": kind }).to_string())
    .to_vec();

    headers.extend(
        [
            r#"{"alg":"HS256","typ":1}"#,
            r#"{"alg":"HS256","typ":["logout+jwt"]}"#,
            r#"{"alg":"HS256","typ":"logout+jwt","typ":"logout+jwt"}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"typ":"logout+jwt"}"#,
            r#"{"alg":"none"}"#,
            r#"{"alg":"None","typ":"logout+jwt"}"#,
            r#"{"alg":"HS384"}"#,
            r#"{"alg":"RS256"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"HS256","b64":true}"#,
            r#"{"alg":"HS256","zip":"DEF"}"#,
            r#"{"alg":"HS256","enc":"A256GCM"}"#,
            r#"{"alg":"HS256","kid":1}"#,
            r#"{"alg":"HS256","jku":1}"#,
            "",
            "[]",
            "{}",
            "null",
        ]
        .map(str::to_owned),
    );
    headers
}

fn bad_signatures() -> Vec<(&'static str, String)> {
    let good = || logout_token(&claims());
    let parts = |token: &str| -> [String; 3] {
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        parts.try_into().unwrap()
    };
    let [header, payload, signature] = parts(&good());
    let [_, other, _] = parts(&logout_token(&claims_with(json!({ "sub": "grace" }))));
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"logout+jwt"}"#);

    vec![
        ("another secret", sign(&header, &payload, OTHER_SECRET)),
        (
            "the payload of another token",
            format!("{header}.{other}.{signature}"),
        ),
        ("no signature", format!("{header}.{payload}.")),
        (
            "no signature, and alg none",
            format!("{unsigned}.{payload}."),
        ),
        ("alg none", format!("{unsigned}.{payload}.{signature}")),
        ("two segments", format!("{header}.{payload}")),
        (
            "four segments",
            format!("{header}.{payload}.{signature}.{signature}"),
        ),
        ("five segments", format!("{header}.a.b.c.{signature}")),
        ("a token for HS512 with a signature of HS256", {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512"}"#);
            sign(&header, &payload, SECRET)
        }),
        (
            "a secret as a text",
            signed_with_secret(&json!({ "alg": "HS512" }), &claims(), OTHER_SECRET),
        ),
        ("padded", format!("{header}.{payload}.{signature}%3D")),
        ("white space before it", format!("+{}", good())),
        ("white space after it", format!("{}%0A", good())),
        ("a scheme before it", format!("Bearer+{}", good())),
        ("quotes", format!("%22{}%22", good())),
        ("not UTF-8", format!("{}%FF", good())),
        ("a NUL", format!("{}%00", good())),
        ("two tokens", format!("{},{}", good(), good())),
        ("no token", "x".to_owned()),
        ("dots", "..".to_owned()),
        (
            "too long",
            format!("{}.{payload}.{signature}", "A".repeat(8192)),
        ),
    ]
}

/// The access tokens are for an API, and the issuer knows the server by its client ids.
#[tokio::test]
async fn the_audience_of_logout_tokens_may_be_another_one() {
    const API: &str = "https://api.example";
    let server = SocketIo::builder();
    let builder = log_in::builder().audience(API);
    let endpoint = Endpoint::with_route(server, builder, |middleware, io| {
        BackchannelLogout::new(middleware, io)
            .audience([CLIENT, "mobile"])
            .route()
    })
    .await;
    let mut access = login("ada", None);
    access["aud"] = json!(API);
    let mut ada = endpoint.connect("/", &access).await;

    // An ID token of the client does not log in.
    let mut other = Raw::open_with(endpoint.address, "", &[]).await;
    let id_token = mint(&login("ada", None), SECRET);
    other.connect_with_token("/", &id_token).await;
    let refused = Received::refused("token_audience_invalid");
    other.expect("/", refused).await;

    let with_audience =
        |audience| logout_token(&claims_with(json!({ "aud": audience, "sid": null })));
    for audience in [json!(API), json!([API]), json!("other"), json!([])] {
        assert_eq!(endpoint.send(&with_audience(audience)).await, 400);
    }
    expect_alive(&mut ada, "/", "Ada").await;
    assert_eq!(
        endpoint.send(&with_audience(json!(["mobile", API]))).await,
        200
    );
    expect_ended(&mut ada, "/").await;
    assert_eq!(endpoint.send(&with_audience(json!(CLIENT))).await, 200);
}

#[tokio::test]
async fn settings_for_access_tokens_do_not_apply_to_logout_tokens() {
    let endpoint = Endpoint::start(
        log_in::builder()
            .token_type("at+jwt")
            .required_claims(["exp", "client_id"])
            .claim_values("token_use", ["access"]),
    )
    .await;
    let claims = claims_with(json!({ "exp": null }));
    assert_eq!(endpoint.send(&logout_token(&claims)).await, 200);
    let access = signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, &claims.to_string());
    assert_eq!(endpoint.send(&access).await, 400);
}

#[tokio::test]
async fn a_numeric_subject_counts_as_its_digits_if_that_is_configured() {
    for (is_configured, status) in [(true, 200), (false, 400)] {
        let endpoint = Endpoint::start(log_in::builder().numeric_subject(is_configured)).await;
        let token = logout_token(&claims_with(json!({ "sub": 7 })));
        assert_eq!(endpoint.send(&token).await, status, "{is_configured}");
    }
}

#[tokio::test]
async fn leeway_is_for_the_future_of_iat_and_for_exp() {
    let endpoint = Endpoint::start(log_in::builder().leeway("0s")).await;
    for (changes, status) in [
        (json!({ "iat": seconds_from_now(5) }), 400),
        (json!({ "iat": seconds_from_now(0) }), 200),
        (json!({ "exp": seconds_from_now(-1) }), 400),
        (json!({ "exp": seconds_from_now(10) }), 200),
    ] {
        let token = logout_token(&claims_with(changes.clone()));
        assert_eq!(endpoint.send(&token).await, status, "{changes}");
    }
}

#[test]
fn values_are_json() {
    for value in VALUES {
        serde_json::from_str::<Value>(value).unwrap();
    }
}
