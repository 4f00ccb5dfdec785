//! Tokens that attack a verifier, each with the code that it must be refused with.
//!
//! `cargo test --test attacks -- --nocapture` prints how many there are of each group.

mod algorithms;
mod base64url;
mod claims;
mod ecdsa;
mod headers;
mod key_ids;
mod rsa;
mod segments;
mod signatures;
mod sizes;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;
mod target;

use std::collections::HashSet;

use support::outcome;
use target::{Attack, Target};

const GROUPS: [(&str, fn(&Target) -> Vec<Attack>); 10] = [
    ("algorithm", algorithms::attacks),
    ("signature", signatures::attacks),
    ("header", headers::attacks),
    ("segments", segments::attacks),
    ("base64url", base64url::attacks),
    ("claims", claims::attacks),
    ("key id", key_ids::attacks),
    ("size", sizes::attacks),
    ("ECDSA", ecdsa::attacks),
    ("RSA", rsa::attacks),
];

#[test]
fn every_attack_is_refused_for_the_right_reason() {
    let targets = Target::all();
    let (mut all_names, mut all_tokens, mut failures) = (0, 0, Vec::new());
    println!("{:<12}{:>8}{:>8}", "group", "attacks", "tokens");
    for (group, attacks) in GROUPS {
        let (mut names, mut tokens) = (HashSet::new(), 0);
        for target in &targets {
            for attack in attacks(target) {
                let outcome = outcome(&attack.verifier, &attack.token);
                if outcome != attack.expected {
                    let Attack { name, expected, .. } = &attack;
                    failures.push(format!(
                        "{group}, {}: {name}: expected {expected}, got {outcome}",
                        target.name
                    ));
                }
                if let Err(problem) = check_detail(&attack) {
                    failures.push(format!("{group}, {}: {problem}", attack.name));
                }
                names.insert(attack.name);
                tokens += 1;
            }
        }
        println!("{group:<12}{:>8}{tokens:>8}", names.len());
        assert!(tokens > 0, "{group}");
        all_names += names.len();
        all_tokens += tokens;
    }
    println!("{:<12}{all_names:>8}{all_tokens:>8}", "all");
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(all_names >= 150, "only {all_names} attacks");
}

/// The operator is told why, in a few words and without the token.
fn check_detail(attack: &Attack) -> Result<(), String> {
    let Err(error) = support::verify(&attack.verifier, &attack.token) else {
        return Ok(());
    };
    let detail = error.detail().ok_or("no detail")?;

    let is_short = detail.chars().count() < 1500;
    let mut segments = attack.token.split('.');
    let holds_a_segment = segments.any(|segment| segment.len() > 16 && detail.contains(segment));
    if detail.is_empty() || !is_short || holds_a_segment {
        return Err(format!("the detail is {detail:?}"));
    }
    Ok(())
}

/// Otherwise a verifier that refuses everything would pass.
#[test]
fn what_the_attacks_are_made_of_is_accepted() {
    for target in Target::all() {
        assert_eq!(
            outcome(&target.verifier, &target.valid()),
            "accepted",
            "{}",
            target.name
        );
        let spaced = format!(" {}\r\n", target.header());
        let token = target.signer.sign(spaced, format!("\t{} ", target::CLAIMS));
        assert_eq!(
            outcome(&target.verifier, &token),
            "accepted",
            "{}: white space in the JSON",
            target.name
        );
        let token = target
            .sign_header(&target.header_with(r#""cty":"JWT","x5t":"AA","anything":{"a":[1]}"#));
        assert_eq!(
            outcome(&target.verifier, &token),
            "accepted",
            "{}: members without a meaning here",
            target.name
        );
        let token = target.sign_header(&format!(
            r#"{{"typ":null,"alg":"{}","kid":null}}"#,
            target.alg()
        ));
        assert_eq!(
            outcome(&target.verifier, &token),
            "accepted",
            "{}: null is as good as absent",
            target.name
        );
    }
}

#[test]
fn tokens_of_the_usual_kinds_are_accepted() {
    let signer = support::Signer::new(support::Algorithm::HS256);
    let verifier = support::verifier_of(signer.algorithm).build().unwrap();
    for kind in [
        "JWT",
        "jwt",
        "at+jwt",
        "application/at+jwt",
        "application/jwt",
        "",
        "my-logout+jwt",
        "logout+jwt2",
        "application/",
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":"{kind}"}}"#);
        let token = signer.sign(header, format!(r#"{{"exp":{}}}"#, support::EXP));
        assert_eq!(outcome(&verifier, &token), "accepted", "{kind}");
    }
    for events in [
        "[]",
        "1",
        r#""http://schemas.openid.net/event/backchannel-logout""#,
        r#"["http://schemas.openid.net/event/backchannel-logout"]"#,
        r#"{"a":1,"b":[2]}"#,
        r#"{"":1,":":1,"1:a":1,"a b:c":1,"é:a":1}"#,
        r#"{"a":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#,
        r#"[{"https://schemas.openid.net/secevent/risc/event-type/account-purged":{}}]"#,
    ] {
        let token = signer.sign(
            signer.header(),
            format!(r#"{{"exp":{},"events":{events}}}"#, support::EXP),
        );
        assert_eq!(outcome(&verifier, &token), "accepted", "{events}");
    }
}

/// `security` says that the text of such a token does not identify it, so that a denylist of texts
/// does not work.
#[test]
fn a_token_with_ecdsa_has_a_second_valid_spelling() {
    for algorithm in [
        support::Algorithm::ES256,
        support::Algorithm::ES384,
        support::Algorithm::ES512,
    ]
    .into_iter()
    .filter(|algorithm| support::ALGORITHMS.contains(algorithm))
    {
        let signer = support::Signer::new(algorithm);
        let verifier = support::verifier_of(algorithm).build().unwrap();
        let token = signer.token(&serde_json::json!({"jti": "1", "exp": support::EXP}));
        let twin = ecdsa::twin(&token);
        assert_ne!(token, twin);
        assert_eq!(outcome(&verifier, &token), "accepted");
        assert_eq!(outcome(&verifier, &twin), "accepted");
        assert_eq!(ecdsa::twin(&twin), token);
    }
}

/// Checks whose time grows with the square of the length would let one token stop a server that
/// allows long ones, and this test.
#[test]
fn a_token_of_many_members_is_read() {
    let verifier = support::verifier_of(support::Algorithm::HS256)
        .max_token_bytes(1 << 20)
        .build()
        .unwrap();
    let many = |count| {
        (0..count)
            .map(|number| format!(r#""{number}":0"#))
            .collect::<Vec<_>>()
            .join(",")
    };
    let header = support::encode(format!(r#"{{"alg":"HS256",{}}}"#, many(70_000)));
    assert_eq!(
        outcome(&verifier, &format!("{header}.e30.AA")),
        "token_signature_invalid"
    );
    let signer = support::Signer::new(support::Algorithm::HS256);
    let token = signer.sign(
        signer.header(),
        format!(r#"{{"exp":{},{}}}"#, support::EXP, many(60_000)),
    );
    assert_eq!(outcome(&verifier, &token), "accepted");
}
