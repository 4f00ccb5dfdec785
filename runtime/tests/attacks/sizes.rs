//! Tokens that are long: refused before they are looked at, whatever they hold.

use crate::{
    support,
    target::{Attack, Attacks, Target, claims_and},
};

const LIMIT: usize = 8192;
const TOO_LARGE: &str = "token_too_large";

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    let valid = target.valid();
    for (name, token) in [
        ("one byte more than the limit", "a".repeat(LIMIT + 1)),
        ("dots", ".".repeat(LIMIT + 1)),
        ("a megabyte", "a".repeat(1 << 20)),
        ("four megabytes of characters", "ж".repeat(1 << 21)),
        (
            "more bytes than the limit, fewer characters",
            "ж".repeat(LIMIT / 2 + 1),
        ),
        (
            "spaces after a good token",
            format!("{valid}{}", " ".repeat(LIMIT)),
        ),
        (
            "a good token, a long signature",
            format!("{valid}{}", "A".repeat(LIMIT)),
        ),
        (
            "a long kid",
            target.sign_header(&format!(
                r#"{{"alg":"{}","kid":"{}"}}"#,
                target.alg(),
                "k".repeat(LIMIT)
            )),
        ),
        (
            "lists nested without end",
            target.sign_payload("[".repeat(LIMIT)),
        ),
        ("many members in the header", {
            let members: Vec<_> = (0..2000).map(|number| format!(r#""{number}":0"#)).collect();
            target.sign_header(&target.header_with(&members.join(",")))
        }),
        (
            "a long claim",
            target.sign_payload(claims_and(&format!(r#""x":"{}""#, "x".repeat(LIMIT)))),
        ),
    ] {
        attacks.expect(TOO_LARGE, name, token);
    }
    let short = support::verifier_of(target.algorithm()).max_token_bytes(valid.len() - 1);
    if target.kid.is_none() {
        attacks.expect_of(
            &short.build().unwrap(),
            TOO_LARGE,
            "one byte more than a limit of its own",
            valid,
        );
    }
    attacks.list
}
