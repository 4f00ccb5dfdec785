//! Tests of the forms in which issuers write scopes.

use serde::Deserialize;
use serde_json::{Value, from_value, json, to_value};

use super::{HasScope, Scope, Scopes};
use crate::policy::{All, Not, Policy};

#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default, alias = "scp")]
    scope: Scopes,
}

#[derive(Debug, Deserialize)]
struct Flat {
    sub: String,
    #[serde(flatten)]
    scopes: Scopes,
}

fn parsed(claims: Value) -> Vec<String> {
    let mut with_subject = claims.clone();
    with_subject["sub"] = json!("1");
    let flat: Flat = from_value(with_subject).unwrap();
    assert_eq!(flat.sub, "1");

    let field = from_value::<Claims>(claims.clone()).unwrap().scope;
    assert_eq!(flat.scopes, field, "{claims}");
    assert_eq!(from_value::<Scopes>(claims).unwrap(), field);
    field.iter().map(str::to_owned).collect()
}

#[test]
fn a_string_and_a_list_have_the_same_scopes() {
    for claims in [
        json!({ "scope": "b:write a" }),
        json!({ "scope": "  a  b:write a " }),
        json!({ "scope": ["b:write", "a", ""] }),
        json!({ "scp": "a b:write" }),
        json!({ "scp": ["a", "b:write", "a"] }),
    ] {
        assert_eq!(parsed(claims), ["a", "b:write"]);
    }
}

#[test]
fn a_token_without_scopes_has_none() {
    for claims in [
        json!({}),
        json!({ "scope": "" }),
        json!({ "scope": " " }),
        json!({ "scope": [] }),
        json!({ "scope": null }),
        json!({ "scp": null }),
        json!({ "scopes": "a", "SCOPE": "a", "permissions": ["a"] }),
    ] {
        assert!(parsed(claims).is_empty());
    }
}

#[test]
fn only_spaces_separate_scopes_and_only_in_a_string() {
    assert_eq!(
        parsed(json!({ "scope": "a,b c\td\u{a0}e" })),
        ["a,b", "c\td\u{a0}e"]
    );
    assert_eq!(parsed(json!({ "scope": ["a b"] })), ["a b"]);
    let scopes = Scopes::from("boards:write");
    for other in ["", "boards", "boards:", "Boards:write", "boards:write "] {
        assert!(!scopes.contains(other), "{other}");
    }
    assert!(scopes.contains("boards:write"));
}

#[test]
fn values_of_other_types_are_refused() {
    for value in [
        json!(1),
        json!(true),
        json!([1]),
        json!([["a"]]),
        json!([null]),
        json!(["a", 1.5]),
    ] {
        for name in ["scope", "scp"] {
            let claims = json!({ name: value });
            assert!(from_value::<Claims>(claims.clone()).is_err(), "{claims}");
            assert!(from_value::<Scopes>(claims.clone()).is_err(), "{claims}");
            let claims = json!({ "sub": "1", name: value });
            assert!(from_value::<Flat>(claims).is_err());
        }
    }

    // An object is parsed as the claims, which have neither claim.
    let claims = from_value::<Claims>(json!({ "scope": { "a": "a" } }));
    assert!(claims.unwrap().scope.is_empty());
}

#[test]
fn both_claims_must_agree() {
    let both = |scp: Value| from_value::<Scopes>(json!({ "scope": "a b", "scp": scp }));
    assert_eq!(both(json!(["b", "a"])).unwrap(), Scopes::from("a b"));
    assert_eq!(both(json!(null)).unwrap(), Scopes::from("a b"));
    for other in [json!("a"), json!(["a", "b", "c"]), json!("")] {
        assert!(both(other).is_err());
    }
    assert!(serde_json::from_str::<Scopes>(r#"{"scope": "a", "scope": "b"}"#).is_err());
}

#[test]
fn scopes_are_written_as_a_string() {
    let scopes: Scopes = ["b", "a", "b", ""].into_iter().collect();
    assert_eq!(scopes.to_string(), "a b");
    assert_eq!(to_value(&scopes).unwrap(), json!("a b"));
    assert!(Scopes::default().is_empty() && !scopes.is_empty());
    assert_eq!(Scopes::from(&*scopes.to_string()), scopes);
}

struct A;

impl Scope for A {
    const NAME: &'static str = "a";
}

struct B;

impl Scope for B {
    const NAME: &'static str = "b";
}

#[test]
fn the_policy_allows_users_with_the_scope() {
    type Both = All<(HasScope<A>, HasScope<B>)>;
    for (scopes, a, both) in [
        ("a", true, false),
        ("a b", true, true),
        ("b", false, false),
        ("", false, false),
    ] {
        let scopes = Scopes::from(scopes);
        assert_eq!(HasScope::<A>::allows(&scopes), a);
        assert_eq!(Both::allows(&scopes), both);
        assert_eq!(Not::<HasScope<A>>::allows(&scopes), !a);
    }
}
