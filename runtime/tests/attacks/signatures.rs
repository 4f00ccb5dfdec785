//! Signatures that are missing, cut, stretched, borrowed or of another signer.

use crate::{
    support::{self, Signer, encode, split},
    target::{Attack, Attacks, CLAIMS, Target, claims_with, exchange, exchange_bytes},
};

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    resized(&mut attacks);
    guessed(&mut attacks);
    borrowed(&mut attacks);
    flipped(&mut attacks);
    foreign(&mut attacks);
    attacks.list
}

fn resized(attacks: &mut Attacks<'_>) {
    let valid = attacks.target.valid();
    attacks.forged("signature is empty", exchange(&valid, 2, ""));
    attacks.malformed(
        "signature is stripped, with its dot",
        valid.rsplit_once('.').unwrap().0,
    );
    let length = support::decode(split(&valid)[2]).len();
    for kept in [1, length / 2, length - 1] {
        attacks.forged(
            format!(
                "signature is cut to {} bytes",
                if kept == 1 {
                    "1"
                } else if kept == length - 1 {
                    "n - 1"
                } else {
                    "n / 2"
                }
            ),
            exchange_bytes(&valid, 2, |bytes| bytes.truncate(kept)),
        );
    }
    attacks.forged(
        "signature, its first byte last",
        exchange_bytes(&valid, 2, |bytes| bytes.rotate_left(1)),
    );
    attacks.forged(
        "a zero byte after the signature",
        exchange_bytes(&valid, 2, |bytes| bytes.push(0)),
    );
    attacks.forged(
        "a zero byte before the signature",
        exchange_bytes(&valid, 2, |bytes| bytes.insert(0, 0)),
    );
    attacks.forged(
        "signature twice",
        exchange_bytes(&valid, 2, |bytes| bytes.extend_from_within(..)),
    );
    attacks.forged(
        "signature and 1000 bytes",
        exchange_bytes(&valid, 2, |bytes| bytes.resize(length + 1000, 7)),
    );
}

fn guessed(attacks: &mut Attacks<'_>) {
    let valid = attacks.target.valid();
    attacks.forged(
        "signature of zeros",
        exchange_bytes(&valid, 2, |bytes| bytes.fill(0)),
    );
    attacks.forged(
        "signature of ones",
        exchange_bytes(&valid, 2, |bytes| bytes.fill(0xff)),
    );
    attacks.forged(
        "signature of one byte, zero",
        exchange(&valid, 2, &encode([0])),
    );
    attacks.forged(
        "signature in reverse",
        exchange_bytes(&valid, 2, |bytes| bytes.reverse()),
    );
    attacks.forged(
        "signature is the payload",
        exchange(&valid, 2, split(&valid)[1]),
    );
    attacks.forged("signature in hexadecimal", {
        exchange_bytes(&valid, 2, |bytes| *bytes = hex::encode(&bytes).into_bytes())
    });
    attacks.forged(
        "signature encoded twice",
        exchange(&valid, 2, &encode(split(&valid)[2])),
    );
}

fn borrowed(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let valid = target.valid();
    let admin = claims_with("role", "\"admin\"");
    attacks.forged("payload exchanged", exchange(&valid, 1, &encode(&admin)));
    attacks.forged(
        "payload spaced differently",
        exchange(&valid, 1, &encode(CLAIMS.replace(':', ": "))),
    );
    attacks.forged("payload is empty", exchange(&valid, 1, ""));
    let other = target.sign_payload(&admin);
    attacks.forged(
        "signature of another token",
        exchange(&valid, 2, split(&other)[2]),
    );
    attacks.forged(
        "header spaced differently",
        exchange(&valid, 0, &encode(format!(" {}", target.header()))),
    );
    attacks.forged(
        "header without typ",
        exchange(
            &valid,
            0,
            &encode(target.header().replace(r#","typ":"JWT""#, "")),
        ),
    );
    attacks.forged(
        "header with one more member",
        exchange(&valid, 0, &encode(target.header_with(r#""x":1"#))),
    );
    // Only the first dot moves: the signed text is the same but for the place of the dot.
    let [header, payload, signature] = split(&valid);
    let joined = format!("{header}{payload}");
    let moved = format!(
        "{}.{}.{signature}",
        &joined[..header.len() + 4],
        &joined[header.len() + 4..]
    );
    attacks.malformed("the first dot moved", moved);
    let unsigned_header = target.signer.sign_message(payload);
    let signature = unsigned_header.rsplit_once('.').unwrap().1;
    attacks.forged(
        "signature over the payload alone",
        exchange(&valid, 2, signature),
    );
    let decoded = format!("{}.{CLAIMS}", target.header());
    let signed = target.signer.sign_message(&decoded);
    let signature = signed.rsplit_once('.').unwrap().1;
    attacks.forged(
        "signature over the decoded texts",
        exchange(&valid, 2, signature),
    );
}

fn flipped(attacks: &mut Attacks<'_>) {
    let valid = attacks.target.valid();
    let last = support::decode(split(&valid)[2]).len() - 1;
    for (name, byte, bit) in [
        ("lowest bit of the first", 0, 1),
        ("highest bit of the first", 0, 128),
        ("middle bit of the middle", last / 2, 8),
        ("lowest bit of the last", last, 1),
        ("highest bit of the last", last, 128),
    ] {
        let token = exchange_bytes(&valid, 2, |bytes| bytes[byte] ^= bit);
        attacks.forged(format!("signature, {name} byte flipped"), token);
    }
    let last = CLAIMS.len() - 1;
    for (name, byte, bit) in [
        ("first", 0, 1),
        ("middle", last / 2, 8),
        ("last", last, 128),
    ] {
        let token = exchange_bytes(&valid, 1, |bytes| bytes[byte] ^= bit);
        attacks.forged(format!("payload, a bit of the {name} byte flipped"), token);
    }
    // `JWT` becomes `KWT`: still a header.
    let position = attacks.target.header().find("JWT").unwrap();
    attacks.forged(
        "header, a bit of typ flipped",
        exchange_bytes(&valid, 0, |bytes| bytes[position] ^= 1),
    );
}

fn foreign(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    let stranger = Signer::foreign(target.algorithm());
    attacks.forged(
        "signed with a stranger's key",
        stranger.sign(target.header(), CLAIMS),
    );
    if target.is_secret() {
        for secret in [
            "",
            "\0",
            "secret",
            "password",
            "null",
            "undefined",
            "{}",
            "changeme",
            "your-256-bit-secret",
        ] {
            let token =
                Signer::hmac(target.algorithm(), secret.as_bytes()).sign(target.header(), CLAIMS);
            attacks.forged(format!("signed with the secret {secret:?}"), token);
        }
        let longer = format!("{}\n", support::SECRET);
        let token =
            Signer::hmac(target.algorithm(), longer.as_bytes()).sign(target.header(), CLAIMS);
        attacks.forged("signed with the secret and an end of line", token);
    }
}
