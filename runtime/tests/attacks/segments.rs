//! What is not three segments: too few, too many, empty ones, other serializations, tokens in
//! tokens.

use crate::{
    support::{encode, split},
    target::{Attack, Attacks, Target},
};

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    counts(&mut attacks);
    empty(&mut attacks);
    serializations(&mut attacks);
    nested(&mut attacks);
    attacks.list
}

fn counts(attacks: &mut Attacks<'_>) {
    let valid = attacks.target.valid();
    let [header, payload, signature] = split(&valid);
    for (name, token) in [
        ("no segment", String::new()),
        ("one segment, the header", header.to_owned()),
        ("one segment, the payload", payload.to_owned()),
        ("one segment, not base64url", "not a token".to_owned()),
        ("two segments, no signature", format!("{header}.{payload}")),
        ("two segments, no payload", format!("{header}.{signature}")),
        ("two segments, no header", format!("{payload}.{signature}")),
        (
            "four segments, a signature more",
            format!("{header}.{payload}.{signature}.{signature}"),
        ),
        (
            "four segments, a payload more",
            format!("{header}.{payload}.{payload}.{signature}"),
        ),
        (
            "four segments, a header more",
            format!("{header}.{header}.{payload}.{signature}"),
        ),
        ("a dot more at the end", format!("{valid}.")),
        ("a dot more at the start", format!(".{valid}")),
        (
            "five segments, twice the first two",
            format!("{header}.{payload}.{header}.{payload}.{signature}"),
        ),
        ("six segments, two tokens", format!("{valid}.{valid}")),
        ("two tokens and a comma", format!("{valid},{valid}")),
        ("two tokens and a space", format!("{valid} {valid}")),
        (
            "three segments in reverse",
            format!("{signature}.{payload}.{header}"),
        ),
        (
            "payload before header",
            format!("{payload}.{header}.{signature}"),
        ),
        ("a slash for a dot", valid.replacen('.', "/", 1)),
        ("a full-width dot", valid.replacen('.', "．", 1)),
        ("a thousand dots", ".".repeat(1000)),
    ] {
        attacks.malformed(name, token);
    }
}

fn empty(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let valid = target.valid();
    let [header, payload, signature] = split(&valid);
    for (name, token) in [
        ("three empty segments", "..".to_owned()),
        ("two empty segments", ".".to_owned()),
        ("an empty header", format!(".{payload}.{signature}")),
        ("a signature alone", format!("..{signature}")),
        ("a payload alone", format!(".{payload}.")),
        ("an empty header, signed", target.signer.sign("", "{}")),
        (
            "an empty payload, signed",
            target.signer.sign(target.header(), ""),
        ),
        (
            "an empty header and payload, signed",
            target.signer.sign("", ""),
        ),
    ] {
        attacks.malformed(name, token);
    }
    attacks.forged("a header alone", format!("{header}.."));
    attacks.forged("a header and a signature", format!("{header}..{signature}"));
}

fn serializations(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let valid = target.valid();
    let [header, payload, signature] = split(&valid);
    let flattened =
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#);
    let general = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
    );
    let encryption = encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    for (name, token) in [
        ("JSON serialization, flattened", flattened.clone()),
        ("JSON serialization, general", general),
        ("JSON serialization in base64url", encode(flattened)),
        ("a JSON text", format!("{valid:?}")),
        (
            "encrypted, five segments",
            format!("{encryption}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"),
        ),
        (
            "encrypted, its own header",
            format!("{header}.AAAA.AAAA.AAAA.AAAA"),
        ),
        ("encrypted, seven segments", format!("{encryption}......")),
        (
            "signed, with the header of an encrypted one",
            target.sign_header(r#"{"alg":"dir","enc":"A256GCM"}"#),
        ),
        ("detached payload, RFC 7797", {
            let header = target.header_with(r#""b64":false,"crit":["b64"]"#);
            let signed = target.signer.sign(header, "{}");
            let [header, _, signature] = split(&signed);
            format!("{header}..{signature}")
        }),
        ("a scheme before it", format!("Bearer {valid}")),
        ("another scheme before it", format!("JWT {valid}")),
        (
            "a URL with it",
            format!("https://example.com/?token={valid}"),
        ),
        ("percent encoding", valid.replace('.', "%2E")),
    ] {
        attacks.malformed(name, token);
    }
}

fn nested(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let valid = target.valid();
    let header = target.header_with(r#""cty":"JWT""#);
    attacks.malformed(
        "a token in a token (RFC 7519 §5.2)",
        target.signer.sign(&header, &valid),
    );
    attacks.malformed(
        "a token in a token, as a JSON text",
        target.signer.sign(&header, format!("{valid:?}")),
    );
    let inner = target.sign_payload(format!(r#"{{"jwt":"{valid}"}}"#));
    attacks.expect("token_claim_missing", "a token in a claim", inner);
}
