//! RSA: the two paddings, the hashes, and numbers that are no signature.

use crate::{
    support::{self, Algorithm, Signer, decode, encode, split},
    target::{Attack, Attacks, CLAIMS, Target, exchange, exchange_bytes, mixed_set, rules},
};

const HASHES: [(&str, &str); 3] = [("RS256", "PS256"), ("RS384", "PS384"), ("RS512", "PS512")];

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    if support::public_pem(target.algorithm()) == support::public_pem(Algorithm::RS256)
        && !target.is_secret()
    {
        paddings(&mut attacks);
        numbers(&mut attacks);
        own_algorithm(&mut attacks);
    }
    attacks.list
}

/// Every one of the six is allowed, and still none stands in for another.
fn paddings(attacks: &mut Attacks<'_>) {
    let names: Vec<&str> = HASHES
        .iter()
        .flat_map(|(pkcs1, pss)| [*pkcs1, *pss])
        .collect();
    let verifier = rules(mixed_set(&names));
    for signed in &names {
        for said in names.iter().filter(|said| *said != signed) {
            let token = Signer::new(Algorithm::named(signed))
                .sign(format!(r#"{{"alg":"{said}"}}"#), CLAIMS);
            let name = format!("{signed} signature, header says {said}");
            attacks.expect_of(&verifier, "token_signature_invalid", name, token);
        }
    }
}

fn numbers(attacks: &mut Attacks<'_>) {
    let valid = attacks.target.valid();
    let modulus = decode(
        support::jwk(attacks.target.algorithm())["n"]
            .as_str()
            .unwrap(),
    );
    let mut one = vec![0; modulus.len()];
    *one.last_mut().unwrap() = 1;
    let mut less_one = modulus.clone();
    *less_one.last_mut().unwrap() -= 1;
    for (name, number) in [
        ("the modulus", &modulus),
        ("one", &one),
        ("the modulus less one", &less_one),
    ] {
        attacks.forged(
            format!("signature is {name}"),
            exchange(&valid, 2, &encode(number)),
        );
    }
    let signature = decode(split(&valid)[2]);
    let added = add(&signature, &modulus);
    attacks.forged(
        "signature plus the modulus",
        exchange(&valid, 2, &encode(added)),
    );
    // The padded hash itself: a verifier that forgets to exponentiate would find what it looks for.
    let padded = exchange_bytes(&valid, 2, |bytes| {
        bytes.fill(0xff);
        bytes[0] = 0;
        bytes[1] = 1;
    });
    attacks.forged("signature is a padding", padded);
}

fn add(number: &[u8], other: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = number
        .iter()
        .zip(other)
        .rev()
        .map(|(one, other)| {
            let digit = u16::from(*one) + u16::from(*other) + carry;
            carry = digit >> 8;
            digit.to_le_bytes()[0]
        })
        .collect();
    sum.push(carry.to_le_bytes()[0]);
    sum.reverse();
    sum
}

/// A JWK that says what it is for is for nothing else, though both are allowed.
fn own_algorithm(attacks: &mut Attacks<'_>) {
    let mut key = support::named(support::jwk(Algorithm::RS256), "only RS256");
    key["alg"] = "RS256".into();
    let mut other = support::named(
        support::jwk_of_pem(support::fixture!("rsa-other.pem")),
        "only PS256",
    );
    other["alg"] = "PS256".into();
    let set = support::key_set(&[key, other]);
    let verifier = rules(
        socketioxide_jwt_auth::Verifier::builder()
            .jwks(set)
            .algorithms(["RS256", "PS256"]),
    );
    let signer = Signer::new(Algorithm::PS256);
    let token = signer.sign(r#"{"alg":"PS256"}"#, CLAIMS);
    attacks.expect_of(
        &verifier,
        "token_signature_invalid",
        "PS256 with a key for RS256",
        token,
    );
    let token = signer.sign(r#"{"alg":"PS256","kid":"only RS256"}"#, CLAIMS);
    attacks.expect_of(
        &verifier,
        "token_algorithm_not_allowed",
        "PS256 with a key for RS256, named",
        token,
    );
    let token = signer.sign(r#"{"alg":"PS256","kid":"only PS256"}"#, CLAIMS);
    attacks.expect_of(
        &verifier,
        "token_signature_invalid",
        "PS256 with a key for RS256, another one named",
        token,
    );
}
