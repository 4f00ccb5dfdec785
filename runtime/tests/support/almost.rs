//! Strategies for tokens that are almost right: what a parser that was not careful would take.

use std::time::{SystemTime, UNIX_EPOCH};

use proptest::{collection::vec, prelude::*, sample::select};

/// Headers for an algorithm; most of them are good.
pub(crate) fn headers(algorithm: String) -> impl Strategy<Value = String> {
    let own = format!(r#""alg":"{algorithm}""#);
    let alg = prop_oneof![
        12 => Just(own),
        1 => select(vec![
            format!(r#""alg":{{"{algorithm}":null}}"#),
            format!(r#""alg":["{algorithm}"]"#),
            r#""alg":"none""#.to_owned(),
            r#""alg":"HS384""#.to_owned(),
            r#""alg":null"#.to_owned(),
            r#""typ":"JWT""#.to_owned(),
        ]),
    ];
    let common = select(vec![
        r#""typ":"JWT""#,
        r#""typ":"at+jwt""#,
        r#""cty":"JWT""#,
        r#""x":{"a":[1,null]}"#,
        r#""x5t":"AA""#,
    ]);
    let rare = select(vec![
        r#""typ":null"#,
        r#""typ":"AT+JWT""#,
        r#""typ":"application/at+jwt""#,
        r#""typ":"Application/At+Jwt; a=b""#,
        r#""typ":"at+jwt2""#,
        r#""typ":"logout+jwt""#,
        r#""typ":"application/Logout+JWT""#,
        r#""typ":"dpop+jwt""#,
        r#""typ":"secevent+jwt""#,
        r#""typ":"token-introspection+jwt""#,
        r#""typ":"my-logout+jwt""#,
        r#""typ":["at+jwt"]"#,
        r#""typ":1"#,
        r#""kid":"a""#,
        r#""kid":null"#,
        r#""kid":1"#,
        r#""cty":null"#,
        r#""jku":"https://attacker.example""#,
        r#""jku":[]"#,
        r#""x5c":["AA"]"#,
        r#""x5c":null"#,
        r#""jwk":{"kty":"oct","k":"AA"}"#,
        r#""jwk":1"#,
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":1"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""zip":"DEF""#,
        r#""zip":1"#,
        r#""enc":"A256GCM""#,
        r#""enc":null"#,
        r#""x":1"#,
        r#""url":"https://attacker.example""#,
        r#""nonce":1"#,
        r#""\u0061lg":"none""#,
    ]);
    (alg, vec(common, 0..3), vec(rare, 0..2), any::<bool>()).prop_map(
        |(alg, common, rare, first)| {
            let rest = common.into_iter().chain(rare).map(str::to_owned);
            if first {
                object(std::iter::once(alg).chain(rest))
            } else {
                object(rest.chain([alg]))
            }
        },
    )
}

/// Claims for the issuer `https://issuer.test` and the audience `chat`; about half of them are
/// good.
pub(crate) fn claims() -> impl Strategy<Value = String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    // Times keep seconds away from every limit, because the answer there depends on the moment.
    let past = move |seconds: u64| (now - seconds).to_string();
    let future = move |seconds: u64| (now + seconds).to_string();
    let exp = member(
        "exp",
        vec![future(5000), future(20), past(20), "4102444800.5".into()],
        vec![past(100)],
    );
    let nbf = member(
        "nbf",
        vec!["0".into(), past(5), future(30), "1.5".into()],
        vec![future(100), "1e19".into()],
    );
    let iat = member("iat", vec!["0".into(), past(5), future(5000)], Vec::new());
    let iss = text_member("iss", "https://issuer.test");
    let aud = prop_oneof![
        3 => text_member("aud", "chat"),
        1 => member("aud", vec![r#"["chat"]"#.into(), r#"["bank","chat"]"#.into()], vec!["[]".into(), "[1]".into()]),
    ];
    let others = select(vec![
        None,
        Some(r#""sub":"1""#),
        Some(r#""sub":null"#),
        Some(r#""sub":1"#),
        Some(r#""jti":"1""#),
        Some(r#""jti":null"#),
        Some(r#""jti":[]"#),
        Some(r#""role":"admin","role":"user""#),
        Some(r#""x":{"exp":1,"aud":[]}"#),
        Some(r#""\u0065xp":4102444800"#),
        Some(r#""exp":1"#),
        Some(r#""x":1e400"#),
        Some(r#""x":"\ud800""#),
    ]);
    let registered = (
        exp,
        iss,
        aud,
        optional(nbf),
        optional(iat),
        vec(others, 0..2),
    );
    registered.prop_flat_map(|(exp, iss, aud, nbf, iat, others)| {
        let others = others.into_iter().flatten().map(str::to_owned);
        let members: Vec<String> = [Some(exp), Some(iss), Some(aud), nbf, iat]
            .into_iter()
            .flatten()
            .chain(others)
            .collect();
        Just(members).prop_shuffle().prop_map(object)
    })
}

/// Small damage, or none.
pub(crate) fn damage() -> impl Strategy<Value = Option<(prop::sample::Index, Damage)>> {
    let damage = prop_oneof![
        any::<char>().prop_map(Damage::Insert),
        select(vec!['.', '=', 'A', '-', '+', '\n']).prop_map(Damage::Insert),
        Just(Damage::Remove),
        (0..7_u8).prop_map(Damage::Flip),
    ];
    prop_oneof![6 => Just(None), 1 => (any::<prop::sample::Index>(), damage).prop_map(Some)]
}

#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Insert(char),
    Remove,
    Flip(u8),
}

impl Damage {
    /// On a text of ASCII.
    pub(crate) fn apply(&self, text: &str, index: prop::sample::Index) -> String {
        let (before, after) = text.split_at(index.index(text.len()));
        match self {
            Self::Insert(character) => format!("{before}{character}{after}"),
            Self::Remove => format!("{before}{}", &after[1..]),
            Self::Flip(bit) => format!(
                "{before}{}{}",
                char::from(after.as_bytes()[0] ^ (1 << bit)),
                &after[1..]
            ),
        }
    }
}

fn object(members: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", members.into_iter().collect::<Vec<_>>().join(","))
}

fn optional<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::weighted(0.4, strategy)
}

/// Mostly a good value, sometimes a bad one of the right type, sometimes one of a wrong type.
fn member(
    name: &'static str,
    good: Vec<String>,
    bad: Vec<String>,
) -> impl Strategy<Value = String> {
    let ill_typed = [
        "null",
        "true",
        r#""""#,
        r#""1""#,
        "[]",
        "{}",
        "-1",
        "1e400",
        "18446744073709551616",
        "[[]]",
    ];
    let wrong: Vec<_> = ill_typed
        .into_iter()
        .map(str::to_owned)
        .chain(bad)
        .collect();
    prop_oneof![14 => select(good), 1 => select(wrong)]
        .prop_map(move |value| format!(r#""{name}":{value}"#))
}

fn text_member(name: &'static str, good: &str) -> impl Strategy<Value = String> {
    let escaped = good.replace('t', "\\u0074");
    let wrong = vec![
        "\"\"".to_owned(),
        format!("\"{good} \""),
        "null".to_owned(),
        "1".to_owned(),
        "{}".to_owned(),
    ];
    let lists = vec![
        format!("[\"{good}\"]"),
        format!("[\"other\",\"{good}\"]"),
        "[]".to_owned(),
        "[1]".to_owned(),
    ];
    prop_oneof![
        12 => Just(format!("\"{good}\"")),
        1 => Just(format!("\"{escaped}\"")),
        1 => select(wrong),
        1 => select(lists),
    ]
    .prop_map(move |value| format!(r#""{name}":{value}"#))
}
