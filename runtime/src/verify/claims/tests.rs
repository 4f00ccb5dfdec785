//! The checks of the registered claims at a time that the tests choose.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{ClaimRules, ClaimValues, Header};

const EXP: u64 = 2_000_000_000;

const LEEWAY: u64 = 30;

fn rules() -> ClaimRules {
    ClaimRules {
        issuers: vec!["issuer".to_owned()],
        audiences: vec!["chat".to_owned()],
        required: vec!["exp".to_owned(), "role".to_owned()],
        leeway: Duration::from_secs(LEEWAY),
        ..ClaimRules::default()
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The code of a refusal, or `"accepted"`.
fn outcome(claims: &str, now: SystemTime) -> &'static str {
    rules()
        .check_payload(claims, now)
        .map_or_else(|error| error.code().as_str(), |_| "accepted")
}

fn good() -> Value {
    json!({"iss": "issuer", "aud": "chat", "exp": EXP, "nbf": 1_900_000_000, "role": "user"})
}

fn good_with(name: &str, value: impl Into<Value>) -> String {
    let mut claims = good();
    claims[name] = value.into();
    claims.to_string()
}

#[test]
fn a_token_expires_at_exp_and_leeway_to_the_second() {
    let claims = good().to_string();
    let end = at(EXP + LEEWAY);
    assert_eq!(outcome(&claims, end - Duration::from_secs(1)), "accepted");
    assert_eq!(outcome(&claims, end - Duration::from_nanos(1)), "accepted");
    assert_eq!(outcome(&claims, end), "token_expired");
    assert_eq!(
        outcome(&claims, end + Duration::from_secs(1)),
        "token_expired"
    );

    let decimals = claims.replace("2000000000", "2000000000.5");
    assert_eq!(outcome(&decimals, end), "accepted");
    assert_eq!(
        outcome(&decimals, end + Duration::from_millis(499)),
        "accepted"
    );
    assert_eq!(
        outcome(&decimals, end + Duration::from_millis(500)),
        "token_expired"
    );
}

#[test]
fn a_token_is_valid_until_exp_and_leeway() {
    let rules = rules();
    let registered = |claims: &str| rules.check_payload(claims, at(EXP)).unwrap().valid_until();
    assert_eq!(registered(&good().to_string()), Some(at(EXP + LEEWAY)));

    let far = registered(&good_with("exp", u64::MAX)).unwrap();
    assert!(
        far > at(u64::MAX / 8),
        "a time beyond the clock's range is a very late one"
    );
}

#[test]
fn a_token_is_valid_from_nbf_less_leeway_to_the_second() {
    let claims = good_with("nbf", 1_900_000_000);
    let start = at(1_900_000_000 - LEEWAY);

    assert_eq!(
        outcome(&claims, start - Duration::from_secs(1)),
        "token_not_yet_valid"
    );
    assert_eq!(
        outcome(&claims, start - Duration::from_nanos(1)),
        "token_not_yet_valid"
    );

    assert_eq!(outcome(&claims, start), "accepted");
    assert_eq!(outcome(&claims, start + Duration::from_secs(1)), "accepted");
}

#[test]
fn times_beyond_the_clock_are_the_last_one() {
    let claims = good_with("exp", u64::MAX);
    let rules = rules();
    let registered = rules.check_payload(&claims, at(EXP)).unwrap();
    assert!(registered.expires_at().unwrap() > at(u64::MAX / 8));
    assert_eq!(
        registered.expires_at(),
        rules
            .check_payload(&good_with("exp", u64::MAX - 1), at(EXP))
            .unwrap()
            .expires_at()
    );
}

/// Each mistake is told as long as it stands before the ones that are still there.
#[test]
fn checks_run_in_the_documented_order() {
    let private = "$serde_json::private::RawValue";
    let mut claims =
        json!({"sub": 5, "aud": "bank", "iss": "attacker", "nbf": EXP, "exp": 1, private: "{}"});
    let mut expect = |code, repair: &[(&str, Value)]| {
        assert_eq!(outcome(&claims.to_string(), at(1_950_000_000)), code);
        for (name, value) in repair {
            claims[*name] = value.clone();
        }
    };

    expect("token_claims_invalid", &[("sub", "1".into())]);
    expect("token_claim_missing", &[("role", "user".into())]);
    expect("token_expired", &[("exp", EXP.into())]);
    expect("token_not_yet_valid", &[("nbf", 1.into())]);
    expect("token_issuer_invalid", &[("iss", "issuer".into())]);
    expect("token_audience_invalid", &[("aud", "chat".into())]);
    expect("token_claims_invalid", &[]);
    claims.as_object_mut().unwrap().remove(private);
    assert_eq!(outcome(&claims.to_string(), at(1_950_000_000)), "accepted");
}

#[test]
fn a_missing_issuer_or_audience_is_missing_before_times_are_checked() {
    for name in ["iss", "aud"] {
        let mut claims = good();
        claims["exp"] = 1.into();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(
            outcome(&claims.to_string(), at(EXP)),
            "token_claim_missing",
            "{name}"
        );
    }
}

#[test]
fn every_required_claim_is_asked_for() {
    let names: Vec<_> = (0..64).map(|number| format!("claim-{number}")).collect();
    let rules = ClaimRules {
        required: names.clone(),
        ..ClaimRules::default()
    };
    let all: Value = names
        .iter()
        .map(|name| (name.clone(), Value::Null))
        .collect::<serde_json::Map<_, _>>()
        .into();

    assert!(rules.check_payload(&all.to_string(), at(1)).is_ok());
    for name in &names {
        let mut claims = all.clone();
        claims.as_object_mut().unwrap().remove(name);
        let error = rules.check_payload(&claims.to_string(), at(1)).unwrap_err();
        assert_eq!(error.code(), "token_claim_missing", "{name}");
    }
}

/// The outcome of a payload for rules that only demand values of claims.
fn outcome_of_values(values: &[(&str, &[&str])], payload: &str) -> &'static str {
    let values = values.iter().map(|(name, accepted)| ClaimValues {
        name: (*name).to_owned(),
        accepted: accepted.iter().map(|value| (*value).to_owned()).collect(),
    });
    let rules = ClaimRules {
        values: values.collect(),
        ..ClaimRules::default()
    };
    rules
        .check_payload(payload, at(1))
        .map_or_else(|error| error.code().as_str(), |_| "accepted")
}

#[test]
fn a_claim_has_one_of_its_values_or_is_a_list_that_holds_one() {
    let azp: &[(&str, &[&str])] = &[("azp", &["web", "ios"])];
    for value in [
        r#""web""#,
        r#""ios""#,
        r#""\u0077eb""#,
        r#"["web"]"#,
        r#"[ "other" , "ios" ]"#,
        r#"[5, null, {"web": 1}, "web"]"#,
    ] {
        let payload = format!(r#"{{"azp":{value}}}"#);
        assert_eq!(outcome_of_values(azp, &payload), "accepted", "{value}");
    }
    for value in [
        r#""Web""#,
        r#""web ""#,
        r#""web ios""#,
        r#""""#,
        "null",
        "true",
        "[]",
        r#"["other"]"#,
        r#"[["web"]]"#,
        r#"{"web":"web"}"#,
        r#"{"azp":"web"}"#,
    ] {
        let payload = format!(r#"{{"azp":{value}}}"#);
        assert_eq!(
            outcome_of_values(azp, &payload),
            "token_claims_invalid",
            "{value}"
        );
    }
    assert_eq!(outcome_of_values(azp, "{}"), "token_claims_invalid");
    assert_eq!(
        outcome_of_values(azp, r#"{"AZP":"web","a":{"azp":"web"}}"#),
        "token_claims_invalid"
    );
}

#[test]
fn a_claim_with_demanded_values_is_there_once() {
    for second in [r#""web""#, r#""other""#, "null"] {
        for name in ["azp", "\\u0061zp"] {
            let payload = format!(r#"{{"azp":"web","{name}":{second}}}"#);
            assert_eq!(
                outcome_of_values(&[("azp", &["web"])], &payload),
                "token_claims_invalid",
                "{payload}"
            );
        }
    }
}

#[test]
fn booleans_and_integers_count_as_they_are_written() {
    for (value, accepted, expected) in [
        ("true", "true", "accepted"),
        (r#""true""#, "true", "accepted"),
        ("false", "true", "token_claims_invalid"),
        ("1", "true", "token_claims_invalid"),
        ("null", "null", "token_claims_invalid"),
        ("42", "42", "accepted"),
        ("-42", "-42", "accepted"),
        ("[1,42]", "42", "accepted"),
        ("42.0", "42", "token_claims_invalid"),
        ("42.0", "42.0", "token_claims_invalid"),
        ("4.2e1", "42", "token_claims_invalid"),
        ("042", "42", "token_malformed"),
    ] {
        let payload = format!(r#"{{"claim":{value}}}"#);
        assert_eq!(
            outcome_of_values(&[("claim", &[accepted])], &payload),
            expected,
            "{value}"
        );
    }
}

#[test]
fn every_claim_with_demanded_values_is_checked() {
    let both: &[(&str, &[&str])] = &[("azp", &["web"]), ("sub", &["service"])];
    for (payload, expected) in [
        (r#"{"azp":"web","sub":"service"}"#, "accepted"),
        (r#"{"sub":"service","azp":"web"}"#, "accepted"),
        (r#"{"azp":"service","sub":"web"}"#, "token_claims_invalid"),
        (r#"{"azp":"web"}"#, "token_claims_invalid"),
        (r#"{"sub":"service"}"#, "token_claims_invalid"),
        (r#"{"azp":"web","sub":"other"}"#, "token_claims_invalid"),
    ] {
        assert_eq!(outcome_of_values(both, payload), expected, "{payload}");
    }
}

fn header(kind: Option<&str>) -> Header {
    let json = json!({ "alg": "HS256", "typ": kind }).to_string();
    Header::decode(&URL_SAFE_NO_PAD.encode(json)).unwrap()
}

fn outcome_of_kind(accepted: &[&str], kind: Option<&str>) -> &'static str {
    let rules = ClaimRules {
        kinds: accepted.iter().map(|kind| (*kind).to_owned()).collect(),
        ..ClaimRules::default()
    };
    rules
        .check_kind(&header(kind))
        .map_or_else(|error| error.code().as_str(), |()| "accepted")
}

#[test]
fn a_typ_is_compared_as_a_media_type() {
    for accepted in [
        &["at+jwt"][..],
        &["AT+JWT"],
        &["application/at+jwt"],
        &["other", "at+jwt"],
    ] {
        for kind in [
            "at+jwt",
            "At+Jwt",
            "application/at+jwt",
            "APPLICATION/AT+JWT",
            "at+jwt;v=1",
            " application/at+jwt ; v=1",
        ] {
            assert_eq!(outcome_of_kind(accepted, Some(kind)), "accepted", "{kind}");
        }
        for kind in [
            "",
            "JWT",
            "at",
            "at+jwt+x",
            "xat+jwt",
            "text/at+jwt",
            "application/application/at+jwt",
            "application/",
            ";at+jwt",
            "logout+jwt",
        ] {
            assert_eq!(
                outcome_of_kind(accepted, Some(kind)),
                "token_claims_invalid",
                "{kind}"
            );
        }
        assert_eq!(outcome_of_kind(accepted, None), "token_claims_invalid");
    }
}

#[test]
fn without_token_type_only_other_kinds_of_jwt_are_refused() {
    for kind in [None, Some(""), Some("JWT"), Some("at+jwt"), Some("x")] {
        assert_eq!(outcome_of_kind(&[], kind), "accepted", "{kind:?}");
    }
    for kind in ["logout+jwt", "application/DPOP+jwt; a", "secevent+jwt"] {
        assert_eq!(
            outcome_of_kind(&[], Some(kind)),
            "token_claims_invalid",
            "{kind}"
        );
    }
}

#[test]
fn an_integer_counts_as_its_digits_if_subjects_are_numeric() {
    let strict = ClaimRules::default();
    let numeric = ClaimRules {
        numeric_subject: true,
        ..ClaimRules::default()
    };
    let subject = |rules: &ClaimRules, json: &str| {
        let payload = format!(r#"{{"sub":{json}}}"#);
        let registered = rules.check_payload(&payload, at(1));
        registered
            .map(|registered| registered.subject.unwrap().into_owned())
            .map_err(|error| error.code().as_str())
    };
    let invalid = Err("token_claims_invalid");

    for (json, as_string) in [
        ("0", "0"),
        ("5", "5"),
        (" 5 ", "5"),
        ("9007199254740993", "9007199254740993"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(subject(&numeric, json), Ok(as_string.to_owned()));
        assert_eq!(subject(&strict, json), invalid, "{json}");
    }
    for json in [
        "5.0",
        "5e0",
        "5E1",
        "-5",
        "-0",
        "1.5",
        "18446744073709551616",
        "99999999999999999999999",
        "null",
        "true",
        "[5]",
        "{}",
    ] {
        assert_eq!(subject(&numeric, json), invalid, "{json}");
        assert_eq!(subject(&strict, json), invalid, "{json}");
    }
    for json in ["+5", "05", "0x5", "5_000", ".5", "5."] {
        assert_eq!(subject(&numeric, json), Err("token_malformed"), "{json}");
    }
    for rules in [&numeric, &strict] {
        assert_eq!(subject(rules, r#""5""#), Ok("5".to_owned()));
        assert_eq!(subject(rules, r#""ada""#), Ok("ada".to_owned()));
        assert_eq!(subject(rules, r#"5,"sub":5"#), invalid);
        assert_eq!(subject(rules, r#"5,"sub":"5""#), invalid);
    }
}

/// The detail of a refusal.
fn detail(rules: &ClaimRules, claims: &Value) -> String {
    let payload = claims.to_string();
    let refusal = rules.check_payload(&payload, at(EXP)).unwrap_err();
    refusal.detail().unwrap_or_default().to_owned()
}

#[test]
fn the_operator_is_told_which_issuer_or_audience_was_found_and_expected() {
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        claims
    };
    let without_audience = ClaimRules {
        audiences: Vec::new(),
        ..rules()
    };

    for (rules, claims, expected) in [
        (
            rules(),
            with("iss", json!("issuer/")),
            "`iss` is \"issuer/\", and the accepted issuers are \"issuer\"",
        ),
        (
            rules(),
            with("aud", json!(["mail", "a\nb"])),
            "`aud` is \"mail\", \"a\\nb\", and `audience` is \"chat\"",
        ),
        (
            without_audience,
            good(),
            "no audience is configured, so a token with `aud` is refused: set `audience`; this token has \"chat\"",
        ),
    ] {
        assert_eq!(detail(&rules, &claims), expected);
    }

    let mut claims = good();
    claims.as_object_mut().unwrap().remove("aud");
    assert_eq!(
        detail(&rules(), &claims),
        "the token has no `aud`, and an audience is configured"
    );
}

#[test]
fn a_detail_is_short_whatever_the_token_holds() {
    let mut claims = good();
    claims["aud"] = json!(vec!["é".repeat(500); 1000]);
    let detail = detail(&rules(), &claims);
    assert!(detail.contains("and 995 more"), "{detail}");
    assert!(detail.chars().count() < 700, "{detail}");
}

#[test]
fn a_token_type_that_is_not_accepted_is_told_with_the_expected_one() {
    let rules = |kinds: &[&str]| ClaimRules {
        kinds: kinds.iter().map(ToString::to_string).collect(),
        ..rules()
    };
    let told = |rules: ClaimRules, kind| {
        let refusal = rules.check_kind(&header(kind)).unwrap_err();
        refusal.detail().unwrap().to_owned()
    };

    assert_eq!(
        told(rules(&["at+jwt"]), Some("JWT")),
        "the header's `typ` is \"JWT\", and `token_type` is \"at+jwt\""
    );
    assert_eq!(
        told(rules(&["at+jwt"]), None),
        "the header's `typ` is missing, and `token_type` is \"at+jwt\""
    );
    assert!(told(rules(&[]), Some("logout+jwt")).contains("not for logging in"));
}
