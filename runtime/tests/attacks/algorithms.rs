//! `alg`: `none`, unknown and ill-typed ones, and public keys as HMAC secrets (RFC 8725 §2.1).

use crate::{
    support::{
        self, ALGORITHMS, Algorithm, Signer, der, encode, fixture, is_hmac, jwk, name_of,
        public_pem,
    },
    target::{Attack, Attacks, CLAIMS, Target, mixed_set, rules},
};

const NOT_ALLOWED: &str = "token_algorithm_not_allowed";

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    none(&mut attacks);
    unknown(&mut attacks);
    es512(&mut attacks);
    ill_typed(&mut attacks);
    swapped(&mut attacks);
    if !target.is_secret() {
        confused(&mut attacks);
    }
    attacks.list
}

fn none(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let valid = target.valid();
    let [_, payload, signature] = support::split(&valid);
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""NONE""#,
        r#""nOnE""#,
        r#""noNe""#,
        r#"" none""#,
        r#""none ""#,
        r#""none\u0000""#,
        r#""\u006eone""#,
        r#""non\u00e9""#,
        r#""n\u043ene""#,
        r#""none\n""#,
        r#""null""#,
        r#""""#,
    ] {
        let header = encode(target.header_of(alg));
        attacks.expect(
            NOT_ALLOWED,
            format!("alg {alg}, no signature"),
            format!("{header}.{payload}."),
        );
        attacks.expect(
            NOT_ALLOWED,
            format!("alg {alg}, signature kept"),
            format!("{header}.{payload}.{signature}"),
        );
    }
    let header = encode(r#"{"alg":"none"}"#);
    attacks.expect(
        NOT_ALLOWED,
        "alg none alone, with a junk signature",
        format!("{header}.{payload}.AA"),
    );
    attacks.malformed(
        "alg none, signature and its dot stripped",
        format!("{header}.{payload}"),
    );
    attacks.malformed("alg none, empty payload, two dots short", header);
}

fn unknown(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    for alg in [
        "HS1",
        "HS128",
        "HS224",
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS-256",
        "SHA256",
        "MD5",
        "RS1",
        "RS256k",
        "rs256",
        "RSA",
        "RSA1_5",
        "RSA-OAEP",
        "PS1",
        "ps256",
        "ES256K",
        "es256",
        "ECDSA",
        "ECDH-ES",
        "EDDSA",
        "eddsa",
        "ed25519",
        "Ed448",
        "EdDSA448",
        "dir",
        "A128KW",
        "A256GCM",
        "PBES2-HS256+A128KW",
        "ML-DSA-44",
    ] {
        let token = target.sign_header(&target.header_of(&format!("{alg:?}")));
        attacks.expect(NOT_ALLOWED, format!("unknown alg {alg:?}"), token);
    }
}

/// Not every backend has this one.
fn es512(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    if target.algorithm() != Algorithm::ES512 {
        let token = target.sign_header(&target.header_of("\"ES512\""));
        attacks.expect(NOT_ALLOWED, "ES512 is not on the list", token);
    }
}

fn ill_typed(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let alg = target.alg();
    for (name, json) in [
        ("null", "null".to_owned()),
        ("a number", "256".to_owned()),
        ("true", "true".to_owned()),
        ("a list", format!(r#"["{alg}"]"#)),
        ("an empty list", "[]".to_owned()),
        (
            "an object, as serde writes an enum",
            format!(r#"{{"{alg}":null}}"#),
        ),
        ("an empty object", "{}".to_owned()),
        ("a list with none", format!(r#"["none","{alg}"]"#)),
    ] {
        attacks.malformed(
            format!("alg is {name}"),
            target.sign_header(&target.header_of(&json)),
        );
    }
    attacks.malformed("alg is missing", target.sign_header(r#"{"typ":"JWT"}"#));
    attacks.malformed(
        "alg is called Alg",
        target.sign_header(&format!(r#"{{"Alg":"{alg}","ALG":"{alg}"}}"#)),
    );
    for (name, header) in [
        ("none last", format!(r#"{{"alg":"{alg}","alg":"none"}}"#)),
        ("none first", format!(r#"{{"alg":"none","alg":"{alg}"}}"#)),
        ("the same", format!(r#"{{"alg":"{alg}","alg":"{alg}"}}"#)),
        (
            "one of them escaped",
            format!(r#"{{"alg":"{alg}","\u0061lg":"none"}}"#),
        ),
        (
            "far apart",
            format!(r#"{{"alg":"{alg}","typ":"JWT","x":[1,2,{{"alg":1}}],"alg":"HS256"}}"#),
        ),
    ] {
        attacks.malformed(
            format!("alg is there twice, {name}"),
            target.sign_header(&header),
        );
    }
}

/// The header names an algorithm that this verifier was not told of, whatever signed.
fn swapped(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let allowed: &[Algorithm] = if target.kid.is_some() {
        &[
            Algorithm::ES256,
            Algorithm::RS256,
            Algorithm::HS256,
            Algorithm::EdDSA,
        ]
    } else {
        &[target.algorithm()]
    };
    for algorithm in ALGORITHMS
        .iter()
        .copied()
        .filter(|algorithm| !allowed.contains(algorithm))
    {
        let header = target.header_of(&format!("\"{algorithm:?}\""));
        attacks.expect(
            NOT_ALLOWED,
            format!("{algorithm:?} is not on the list, own key"),
            target.sign_header(&header),
        );
        let token = Signer::new(algorithm).sign(&header, CLAIMS);
        attacks.expect(
            NOT_ALLOWED,
            format!("{algorithm:?} is not on the list, a key of its kind"),
            token,
        );
    }
}

/// The oldest trick: everybody knows the public key, so everybody could compute an HMAC with it.
fn confused(attacks: &mut Attacks<'_>) {
    let algorithm = attacks.target.algorithm();
    let named = attacks.target.kid.is_some();
    let mixed = rules(mixed_set(&["HS256", &name_of(algorithm)]));
    for (form, secret) in forms_of_public_key(algorithm) {
        for hmac in ALGORITHMS
            .iter()
            .copied()
            .filter(|algorithm| is_hmac(*algorithm))
        {
            let token =
                Signer::hmac(hmac, &secret).sign(format!(r#"{{"alg":"{hmac:?}"}}"#), CLAIMS);
            let allowed = named && hmac == Algorithm::HS256;
            let code = if allowed {
                "token_signature_invalid"
            } else {
                NOT_ALLOWED
            };
            attacks.expect(
                code,
                format!("{hmac:?} with the public key ({form}) as the secret"),
                token,
            );
        }
        let signer = Signer::hmac(Algorithm::HS256, &secret);
        let token = signer.sign(r#"{"alg":"HS256"}"#, CLAIMS);
        let name = format!("public key ({form}) as the secret, where HMAC is allowed too");
        attacks.expect_of(&mixed, "token_signature_invalid", name, token);
        for kid in ["rsa", "ec", "ec-384", "ed"] {
            let token = signer.sign(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), CLAIMS);
            let name = format!(
                "public key ({form}) as the secret, named by kid {kid}, where HMAC is allowed too"
            );
            attacks.expect_of(&mixed, NOT_ALLOWED, name, token);
        }
    }
}

fn forms_of_public_key(algorithm: Algorithm) -> Vec<(&'static str, Vec<u8>)> {
    let pem = public_pem(algorithm);
    let jwk = jwk(algorithm);
    let certificate = match algorithm {
        Algorithm::ES256 => fixture!("p256.cert.pem"),
        Algorithm::ES384 => fixture!("p384.cert.pem"),
        Algorithm::ES512 => fixture!("p521.cert.pem"),
        Algorithm::EdDSA => fixture!("ed25519.cert.pem"),
        _ => fixture!("rsa.cert.pem"),
    };
    let info = der(pem);
    let key = match algorithm {
        Algorithm::ES256 => info[26..].to_vec(),
        Algorithm::ES384 => info[23..].to_vec(),
        Algorithm::ES512 => info[25..].to_vec(),
        Algorithm::EdDSA => info[12..].to_vec(),
        _ => der(fixture!("rsa.pkcs1.pem")),
    };
    let member = jwk.get("n").or(jwk.get("x")).unwrap().as_str().unwrap();
    vec![
        ("PEM", pem.into()),
        ("PEM, end of line cut", pem.trim_end().into()),
        ("PEM, CRLF", pem.replace('\n', "\r\n").into()),
        ("PEM, one line", pem.replace('\n', "").into()),
        ("certificate", certificate.into()),
        ("certificate, DER", der(certificate)),
        ("SPKI, DER", info.clone()),
        ("key, DER", key),
        ("JWK", jwk.to_string().into()),
        ("n or x, base64url", member.into()),
        ("n or x", support::decode(member)),
        ("nothing", Vec::new()),
        ("a zero byte", vec![0]),
    ]
}
