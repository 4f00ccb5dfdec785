//! ECDSA signatures: other encodings, zeros (CVE-2022-21449), other curves.

use crate::{
    support::{Algorithm, Signer, decode, encode, split},
    target::{Attack, Attacks, CLAIMS, Target, exchange, exchange_bytes, mixed_set, rules},
};

/// The orders of P-256, P-384 and P-521 (SEC 2).
const ORDERS: [&str; 3] = [
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
];

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    match target.algorithm() {
        Algorithm::ES256 => numbers(&mut attacks, 32, &hex::decode(ORDERS[0]).unwrap()),
        Algorithm::ES384 => numbers(&mut attacks, 48, &hex::decode(ORDERS[1]).unwrap()),
        Algorithm::ES512 => numbers(&mut attacks, 66, &hex::decode(ORDERS[2]).unwrap()),
        _ => return attacks.list,
    }
    encodings(&mut attacks);
    curves(&mut attacks);
    attacks.list
}

/// Returns the token with the other signature that verifies: `s` replaced by the order less `s`.
pub(crate) fn twin(token: &str) -> String {
    let signature = decode(split(token)[2]);
    let (r, s) = signature.split_at(signature.len() / 2);
    let orders = ORDERS.map(|order| hex::decode(order).unwrap());
    let order = orders.iter().find(|order| order.len() == s.len()).unwrap();
    let mut borrow = 0;
    let mut other: Vec<u8> = order
        .iter()
        .zip(s)
        .rev()
        .map(|(order, s)| {
            let difference = i16::from(*order) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    other.reverse();
    exchange(token, 2, &encode([r, other.as_slice()].concat()))
}

fn numbers(attacks: &mut Attacks<'_>, length: usize, order: &[u8]) {
    let valid = attacks.target.valid();
    let signature = decode(split(&valid)[2]);
    let (r, s) = signature.split_at(length);
    let zero = vec![0; length];
    let mut one = zero.clone();
    one[length - 1] = 1;
    let mut order_minus_one = order.to_vec();
    order_minus_one[length - 1] -= 1;
    for (name, r, s) in [
        ("r is zero", zero.as_slice(), s),
        ("s is zero", r, zero.as_slice()),
        ("r and s are zero", &zero, &zero),
        ("r and s are one", &one, &one),
        ("r is zero and s is one", &zero, &one),
        ("r is one and s is zero", &one, &zero),
        ("r is the order", order, s),
        ("s is the order", r, order),
        ("r and s are the order", order, order),
        (
            "r and s are the order less one",
            &order_minus_one,
            &order_minus_one,
        ),
        ("r and s exchanged", s, r),
        ("r twice", r, r),
    ] {
        attacks.forged(name, exchange(&valid, 2, &encode([r, s].concat())));
    }
    if length == 66 {
        unusual_lengths_of_p521(attacks, &valid, r, s);
    }
    let padded = [&[0], r, &[0], s].concat();
    attacks.forged(
        "r and s, a zero byte before each",
        exchange(&valid, 2, &encode(padded)),
    );
    attacks.forged("r alone", exchange(&valid, 2, &encode(r)));
}

/// 521 bits are no whole number of bytes, and some libraries leave the zeros at the beginning out.
fn unusual_lengths_of_p521(attacks: &mut Attacks<'_>, valid: &str, r: &[u8], s: &[u8]) {
    let mut forged = |name: &str, signature: &[u8]| {
        attacks.forged(name, exchange(valid, 2, &encode(signature)));
    };
    let with_bit = |number: &[u8], bit| [&[number[0] | bit], &number[1..]].concat();

    forged("r and s of 65 bytes", &[&r[1..], &s[1..]].concat());
    forged("r of 65 bytes", &[&r[1..], s].concat());
    forged("s of 65 bytes", &[r, &s[1..]].concat());
    forged("r of 522 bits", &[with_bit(r, 2).as_slice(), s].concat());
    forged("s of 522 bits", &[r, &with_bit(s, 2)].concat());
    forged("r of 528 bits", &[with_bit(r, 0x80).as_slice(), s].concat());
    forged("r and s of 64 bytes", &[&r[2..], &s[2..]].concat());
}

/// ASN.1, as TLS and OpenSSL write it (RFC 7518 §3.4 does not).
fn encodings(attacks: &mut Attacks<'_>) {
    let valid = attacks.target.valid();
    let signature = decode(split(&valid)[2]);
    let der = in_asn1(&signature);
    attacks.forged("ASN.1", exchange(&valid, 2, &encode(&der)));
    let mut padded = der;
    padded.resize(signature.len(), 0);
    attacks.forged(
        "ASN.1, cut to the length of r and s",
        exchange(&valid, 2, &encode(padded)),
    );
    let little: Vec<u8> = signature
        .chunks(signature.len() / 2)
        .flat_map(|number| number.iter().rev().copied())
        .collect();
    attacks.forged("little-endian", exchange(&valid, 2, &encode(little)));
    attacks.forged(
        "a recovery byte after it",
        exchange_bytes(&valid, 2, |bytes| bytes.push(27)),
    );
}

fn in_asn1(signature: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut content = bytes[zeros..].to_vec();
        if content[0] & 0x80 != 0 {
            content.insert(0, 0);
        }
        [
            &[2, u8::try_from(content.len()).unwrap()],
            content.as_slice(),
        ]
        .concat()
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let both = [integer(r), integer(s)].concat();
    let length = u8::try_from(both.len()).unwrap();
    let prefix: &[u8] = if length < 0x80 {
        &[0x30, length]
    } else {
        &[0x30, 0x81, length]
    };
    [prefix, both.as_slice()].concat()
}

/// The keys of a set with the three curves, each with the signatures of the others.
fn curve_of_another_kid(attacks: &mut Attacks<'_>) {
    let all = rules(mixed_set(&["ES256", "ES384", "ES512"]));
    let curves = [
        (Algorithm::ES256, "ec"),
        (Algorithm::ES384, "ec-384"),
        (Algorithm::ES512, "ec-521"),
    ];

    for (algorithm, _) in curves {
        for (signer, _) in curves.iter().filter(|(signer, _)| *signer != algorithm) {
            let token = Signer::new(*signer).sign(format!(r#"{{"alg":"{algorithm:?}"}}"#), CLAIMS);
            let name = format!("{algorithm:?} in the header, signed with the key of {signer:?}");
            attacks.expect_of(&all, "token_signature_invalid", name, token);
        }
        for (_, kid) in curves.iter().filter(|(own, _)| *own != algorithm) {
            let header = format!(r#"{{"alg":"{algorithm:?}","kid":"{kid}"}}"#);
            let token = Signer::new(algorithm).sign(header, CLAIMS);
            let name = format!("{algorithm:?} with the kid {kid:?}");
            attacks.expect_of(&all, "token_algorithm_not_allowed", name, token);
        }
    }
}

fn curves(attacks: &mut Attacks<'_>) {
    let both = rules(mixed_set(&["ES256", "ES384"]));
    let other = if attacks.target.algorithm() == Algorithm::ES256 {
        Algorithm::ES384
    } else {
        Algorithm::ES256
    };
    let header = format!(r#"{{"alg":"{other:?}"}}"#);
    let token = attacks.target.sign_header(&header);
    attacks.expect_of(
        &both,
        "token_signature_invalid",
        "header of one curve, signature of the other",
        token,
    );
    let kid = if other == Algorithm::ES384 {
        "ec"
    } else {
        "ec-384"
    };
    if attacks.target.algorithm() == Algorithm::ES512 {
        curve_of_another_kid(attacks);
    }
    let header = format!(r#"{{"alg":"{other:?}","kid":"{kid}"}}"#);
    let token = attacks.target.sign_header(&header);
    let name = "header of one curve, kid of a key on the other";
    attacks.expect_of(&both, "token_algorithm_not_allowed", name, token);
    let token = Signer::new(Algorithm::EdDSA).sign(attacks.target.header(), CLAIMS);
    attacks.forged("signature of an Ed25519 key", token);
}
