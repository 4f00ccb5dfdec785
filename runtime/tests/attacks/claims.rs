//! Payloads whose signature is good: the issuer was tricked, or is not as careful as it should be.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::target::{Attack, Attacks, CLAIMS, Target, claims_and, claims_with, without};

const INVALID: &str = "token_claims_invalid";
const MISSING: &str = "token_claim_missing";

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    not_an_object(&mut attacks);
    duplicates(&mut attacks);
    ill_typed(&mut attacks);
    times(&mut attacks);
    issuers(&mut attacks);
    audiences(&mut attacks);
    missing(&mut attacks);
    nested(&mut attacks);
    private_names(&mut attacks);
    logout_tokens(&mut attacks);
    attacks.list
}

impl Attacks<'_> {
    fn payload(&mut self, code: &'static str, name: impl Into<String>, payload: impl AsRef<[u8]>) {
        let token = self.target.sign_payload(payload);
        self.expect(code, name, token);
    }

    fn claim(&mut self, code: &'static str, name: &str, json: &str) {
        let shown: String = json.chars().take(40).collect();
        self.payload(code, format!("{name} is {shown}"), claims_with(name, json));
    }
}

fn not_an_object(attacks: &mut Attacks<'_>) {
    for (name, payload) in [
        ("white space", " ".to_owned()),
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("a number", "4102444800".to_owned()),
        ("a text", "\"sub\"".to_owned()),
        ("an empty list", "[]".to_owned()),
        ("a list with claims", format!("[{CLAIMS}]")),
        (
            "a list of values",
            r#"["https://issuer.test","chat","1","user",4102444800]"#.to_owned(),
        ),
        (
            "claims without their end",
            CLAIMS.trim_end_matches('}').to_owned(),
        ),
        ("claims and a letter", format!("{CLAIMS}x")),
        ("claims and a zero byte", format!("{CLAIMS}\0")),
        ("claims twice", format!("{CLAIMS}{CLAIMS}")),
        (
            "claims after a byte order mark",
            format!("\u{feff}{CLAIMS}"),
        ),
        ("claims after a no-break space", format!("\u{a0}{CLAIMS}")),
        ("claims with a comma too many", CLAIMS.replace('}', ",}")),
        ("claims with a comment", CLAIMS.replace('}', "/**/}")),
        ("claims in single quotes", CLAIMS.replace('"', "'")),
        (
            "claims with a number for a name",
            CLAIMS.replace("\"sub\"", "1"),
        ),
        ("a form", "exp=4102444800&role=user".to_owned()),
        ("XML", "<claims/>".to_owned()),
    ] {
        attacks.payload("token_malformed", format!("payload is {name}"), payload);
    }
    attacks.payload(
        "token_malformed",
        "payload is not UTF-8",
        [CLAIMS.as_bytes(), &[0xff]].concat(),
    );
    let broken = CLAIMS
        .as_bytes()
        .iter()
        .map(|byte| if *byte == b'1' { 0xc0 } else { *byte });
    attacks.payload(
        "token_malformed",
        "payload has a text that is not UTF-8",
        broken.collect::<Vec<_>>(),
    );
    let utf16: Vec<u8> = CLAIMS.encode_utf16().flat_map(u16::to_be_bytes).collect();
    attacks.payload("token_malformed", "payload is UTF-16", utf16);
    attacks.payload(
        "token_malformed",
        "payload is compressed",
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0],
    );
}

fn duplicates(attacks: &mut Attacks<'_>) {
    for (name, first, second) in [
        ("exp", "1", "4102444800"),
        ("exp", "4102444800", "1"),
        ("exp", "4102444800", "4102444800"),
        ("nbf", "1", "4102444800"),
        ("iat", "1", "1"),
        (
            "iss",
            r#""https://issuer.test""#,
            r#""https://attacker.example""#,
        ),
        (
            "iss",
            r#""https://attacker.example""#,
            r#""https://issuer.test""#,
        ),
        ("aud", r#""chat""#, r#""bank""#),
        ("aud", r#""bank""#, r#""chat""#),
        ("sub", r#""1""#, r#""2""#),
        ("jti", r#""1""#, r#""1""#),
    ] {
        let claims = without(name).replacen('{', &format!(r#"{{"{name}":{first},"#), 1);
        let claims = claims.trim_end_matches('}');
        attacks.payload(
            INVALID,
            format!("{name} twice: {first}, {second}"),
            format!(r#"{claims},"{name}":{second}}}"#),
        );
        let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        let payload = format!(r#"{claims},"{escaped}":{second}}}"#);
        attacks.payload(
            INVALID,
            format!("{name} twice, one escaped: {first}, {second}"),
            payload,
        );
    }
}

fn ill_typed(attacks: &mut Attacks<'_>) {
    for name in ["exp", "nbf", "iat"] {
        for json in [
            r#""4102444800""#,
            r#""""#,
            r#""never""#,
            "null",
            "true",
            "false",
            "[]",
            "[4102444800]",
            "{}",
            r#"{"$numberLong":"4102444800"}"#,
            "-1",
            "-0.5",
            "-4102444800",
            "-1e300",
            "1e400",
            "1e308",
            "18446744073709551616",
            "999999999999999999999999999999999999",
            r#""Infinity""#,
            r#""NaN""#,
            r#""2100-01-01T00:00:00Z""#,
        ] {
            attacks.claim(INVALID, name, json);
        }
        for json in [
            "NaN",
            "Infinity",
            "-Infinity",
            "0x7fffffff",
            "04102444800",
            "+1",
            ".5",
            "1.",
            "1e",
            "4_102",
            "undefined",
        ] {
            attacks.claim("token_malformed", name, json);
        }
    }
    for name in ["iss", "sub", "jti"] {
        for json in [
            "null",
            "1",
            "true",
            "[]",
            r#"["https://issuer.test"]"#,
            "{}",
            r#""\ud800""#,
        ] {
            attacks.claim(INVALID, name, json);
        }
    }
    for json in [
        "null",
        "1",
        "true",
        "{}",
        r#"{"0":"chat"}"#,
        "[null]",
        "[1]",
        r#"["chat",1]"#,
        r#"["chat",null]"#,
        r#"[["chat"]]"#,
        r#"[{"chat":true}]"#,
        r#"["\ud800","chat"]"#,
    ] {
        attacks.claim(INVALID, "aud", json);
    }
}

fn times(attacks: &mut Attacks<'_>) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    for json in [
        "0",
        "-0",
        "0.0",
        "0.5",
        "1",
        "1e0",
        "1.5",
        "1e9",
        "1600000000.999",
        "1E-400",
    ] {
        attacks.claim("token_expired", "exp", json);
    }
    // The leeway is a minute.
    attacks.payload(
        "token_expired",
        "exp a minute ago",
        claims_with("exp", &(now - 60).to_string()),
    );
    attacks.payload(
        "token_expired",
        "exp an hour ago",
        claims_with("exp", &(now - 3600).to_string()),
    );
    attacks.payload(
        "token_expired",
        "exp a minute ago, decimal",
        claims_with("exp", &format!("{}.0", now - 61)),
    );
    attacks.payload(
        "token_expired",
        "exp in milliseconds would be later",
        claims_with("exp", "1700000000"),
    );
    let soon = (now + 180).to_string();
    attacks.payload(
        "token_not_yet_valid",
        "nbf in three minutes",
        claims_with("nbf", &soon),
    );
    attacks.payload(
        "token_not_yet_valid",
        "nbf in three minutes, decimal",
        claims_with("nbf", &format!("{soon}.5")),
    );
    for json in ["4102444800", "4.1024448e9", "1e19", "18446744073709551615"] {
        attacks.claim("token_not_yet_valid", "nbf", json);
    }
    let both = claims_with("exp", "1").replace(r#""nbf":1"#, r#""nbf":4102444800"#);
    attacks.payload("token_expired", "expired before it is valid", both);
}

fn issuers(attacks: &mut Attacks<'_>) {
    for json in [
        r#""""#,
        r#""https://issuer.test/""#,
        r#""https://ISSUER.test""#,
        r#""http://issuer.test""#,
        r#""https://issuer.test.attacker.example""#,
        r#""https://issuer.tes""#,
        r#"" https://issuer.test""#,
        r#""https://issuer.test\u0000""#,
        r#""https://issuer.test\n""#,
        r#""chat""#,
        r#""*""#,
        r#""https://issuer.t\u0435st""#,
        r#""https://issuer.test https://attacker.example""#,
    ] {
        attacks.claim("token_issuer_invalid", "iss", json);
    }
}

fn audiences(attacks: &mut Attacks<'_>) {
    for json in [
        r#""""#,
        "[]",
        r#"[""]"#,
        r#""bank""#,
        r#"["bank"]"#,
        r#"["bank","shop"]"#,
        r#""Chat""#,
        r#""chat ""#,
        r#""chat,news""#,
        r#""chat news""#,
        r#"["chat,news"]"#,
        r#""cha""#,
        r#""chats""#,
        r#""*""#,
        r#""[\"chat\"]""#,
        r#""chat\u0000""#,
        r#""https://issuer.test""#,
    ] {
        attacks.claim("token_audience_invalid", "aud", json);
    }
}

fn missing(attacks: &mut Attacks<'_>) {
    for name in ["exp", "iss", "aud", "role"] {
        attacks.payload(MISSING, format!("no {name}"), without(name));
    }
    attacks.payload(MISSING, "no claim at all", "{}");
    let without_role = without("role");
    let without_role = without_role.trim_end_matches('}');
    for (name, member) in [
        ("upper case", r#""ROLE":"admin""#),
        ("a space after its name", r#""role ":"admin""#),
        ("a zero byte after its name", r#""role\u0000":"admin""#),
        ("in another object", r#""claims":{"role":"admin"}"#),
        ("in __proto__", r#""__proto__":{"role":"admin"}"#),
        (
            "in constructor.prototype",
            r#""constructor":{"prototype":{"role":"admin"}}"#,
        ),
        ("in a name with a dot", r#""user.role":"admin""#),
        (
            "with a letter that looks the same",
            r#""r\u043ele":"admin""#,
        ),
    ] {
        attacks.payload(
            MISSING,
            format!("role is missing: {name}"),
            format!("{without_role},{member}}}"),
        );
    }
    let without_exp = without("exp");
    let without_exp = without_exp.trim_end_matches('}');
    for (name, member) in [
        ("upper case", r#""EXP":4102444800"#),
        ("in the header's place", r#""header":{"exp":4102444800}"#),
        (
            "spelt out",
            r#""expires":4102444800,"expires_at":4102444800"#,
        ),
        // The name under which serde_json passes raw JSON on to itself.
        (
            "in a raw value",
            r#""x":{"$serde_json::private::RawValue":"{\"exp\":4102444800}"}"#,
        ),
    ] {
        attacks.payload(
            MISSING,
            format!("exp is missing: {name}"),
            format!("{without_exp},{member}}}"),
        );
    }
    let raw = format!(r#"{{"$serde_json::private::RawValue":{CLAIMS:?}}}"#);
    attacks.payload(MISSING, "all claims in a raw value", raw);
}

fn nested(attacks: &mut Attacks<'_>) {
    let lists = format!("{}{}", "[".repeat(1500), "]".repeat(1500));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(400), "}".repeat(400));
    let open = "[".repeat(2000);
    attacks.payload(
        "token_malformed",
        "lists nested 1500 deep",
        claims_and(&format!(r#""x":{lists}"#)),
    );
    attacks.payload(
        "token_malformed",
        "objects nested 400 deep",
        claims_and(&format!(r#""x":{objects}"#)),
    );
    attacks.payload(
        "token_malformed",
        "2000 lists without an end",
        claims_and(&format!(r#""x":{open}"#)),
    );
    attacks.payload(INVALID, "aud nested 1500 deep", claims_with("aud", &lists));
    attacks.payload(INVALID, "exp nested 400 deep", claims_with("exp", &objects));
    attacks.payload(
        "token_malformed",
        "a text that is half a character",
        claims_and(r#""x":"\ud800""#),
    );
    attacks.payload(
        "token_malformed",
        "a number without end",
        claims_and(r#""x":1e999"#),
    );
}

/// With `serde_json`'s feature `raw_value`, which another crate of the program may switch on, a
/// type of the application reads another text than the one that was checked.
fn private_names(attacks: &mut Attacks<'_>) {
    for (name, member) in [
        ("of a raw value", r#""$serde_json::private::RawValue":"{}""#),
        ("of a number", r#""$serde_json::private::Number":"1""#),
        ("of nothing yet", r#""$serde_json::private::":1"#),
        (
            "in a claim",
            r#""x":{"$serde_json::private::RawValue":"[]"}"#,
        ),
        (
            "in a list",
            r#""x":[[1,{"y":{"$serde_json::private::RawValue":"[]"}}]]"#,
        ),
        (
            "after another name",
            r#""x":{"y":1,"$serde_json::private::RawValue":"[]"}"#,
        ),
        (
            "with an escape first",
            r#""x":{"\u0024serde_json::private::RawValue":"[]"}"#,
        ),
        (
            "with an escape later",
            r#""x":{"$serde_json\u003a:private::RawValue":"[]"}"#,
        ),
        (
            "with an escape in capitals",
            r#""x":{"$serde_json:\u003Aprivate::RawValue":"[]"}"#,
        ),
    ] {
        attacks.payload(
            INVALID,
            format!("a private name of serde_json {name}"),
            claims_and(member),
        );
    }
    let first = CLAIMS.replacen(
        '{',
        r#"{"$serde_json::private::RawValue":"{\"sub\":\"admin\"}","#,
        1,
    );
    attacks.payload(INVALID, "a private name of serde_json first of all", first);
}

/// OpenID Connect Back-Channel Logout 1.0 §2.4: signed by the same keys, for the same audience.
fn logout_tokens(attacks: &mut Attacks<'_>) {
    const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
    for value in ["{}", "null", "1", "true", r#""""#, "[]", r#"{"sid":"1"}"#] {
        attacks.claim(INVALID, "events", &format!(r#"{{"{EVENT}":{value}}}"#));
    }
    let escaped = EVENT.replace('/', r"\/");
    attacks.claim(INVALID, "events", &format!(r#"{{"{escaped}":{{}}}}"#));
    attacks.claim(
        INVALID,
        "events",
        &format!(r#"{{"http://example.com/event":{{"a":[1]}},"{EVENT}":{{}}}}"#),
    );
    // RFC 8417: other security events.
    for name in [
        "https://schemas.openid.net/secevent/risc/event-type/account-purged",
        "http://schemas.openid.net/event/other",
        "urn:ietf:params:scim:event:create",
        "urn:ietf",
        "a+b-c.1:d",
    ] {
        attacks.claim(INVALID, "events", &format!(r#"{{"{name}":{{}}}}"#));
        attacks.claim(
            INVALID,
            "events",
            &format!(r#"{{"a":1,"{name}":null,"b":2}}"#),
        );
    }
    let twice = claims_and(&format!(r#""events":{{"{EVENT}":{{}}}},"events":{{}}"#));
    attacks.payload(INVALID, "a logout token with events twice", twice);
    let name = r#""\u0065vents""#;
    let payload = claims_and(&format!(r#"{name}:{{"{EVENT}":{{}}}}"#));
    attacks.payload(INVALID, "a logout token with its events escaped", payload);
    let expired =
        claims_with("exp", "1").replacen('{', &format!(r#"{{"events":{{"{EVENT}":{{}}}},"#), 1);
    attacks.payload(INVALID, "a logout token that has expired", expired);
}
