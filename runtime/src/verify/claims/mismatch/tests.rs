//! What is told about claims that the application's type refuses, and that it holds no value.

use std::{collections::HashMap, fmt};

use proptest::{collection::vec, prelude::*, sample::select};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IgnoredAny, Unexpected, Visitor},
};
use serde_json::{Map, Value, json};

use super::{Json, describe};

#[derive(Deserialize)]
#[allow(
    dead_code,
    reason = "only whether it can be deserialized is of interest"
)]
struct Claims {
    sub: String,
    #[serde(default)]
    level: u8,
    #[serde(default)]
    realm_access: Access,
    #[serde(default)]
    kind: Kind,
    tuple: Option<(u8, String)>,
    email: Option<Checked>,
    phone: Option<Described>,
    limits: Option<HashMap<String, u64>>,
    by_number: Option<HashMap<u8, bool>>,
    either: Option<Either>,
    tagged: Option<Tagged>,
    closed: Option<Closed>,
    wide: Option<u128>,
    letter: Option<char>,
    unit: Option<()>,
    any: Option<Value>,
}

#[derive(Deserialize, Default)]
#[allow(
    dead_code,
    reason = "only whether it can be deserialized is of interest"
)]
struct Access {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(flatten)]
    others: HashMap<String, bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Person,
    Machine {
        #[allow(
            dead_code,
            reason = "only whether it can be deserialized is of interest"
        )]
        id: u64,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(
    dead_code,
    reason = "only whether it can be deserialized is of interest"
)]
enum Either {
    Number(u64),
    List(Vec<u64>),
}

#[derive(Deserialize)]
#[serde(tag = "type")]
#[allow(
    dead_code,
    reason = "only whether it can be deserialized is of interest"
)]
enum Tagged {
    A { id: u64 },
    B { name: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    dead_code,
    reason = "only whether it can be deserialized is of interest"
)]
struct Closed {
    id: Option<u64>,
}

/// Refuses with the value in its error, as applications do.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let email = String::deserialize(deserializer)?;
        Err(D::Error::custom(format!("{email} is not confirmed")))
    }
}

/// Refuses with the value in what it expects.
struct Described;

impl<'de> Deserialize<'de> for Described {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DescribedVisitor;

        impl Visitor<'_> for DescribedVisitor {
            type Value = Described;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a phone number with its country")
            }

            fn visit_str<E: Error>(self, phone: &str) -> Result<Described, E> {
                let expected = format!("another number than {}", phone.to_uppercase());
                Err(E::invalid_value(Unexpected::Str(phone), &expected.as_str()))
            }
        }

        deserializer.deserialize_str(DescribedVisitor)
    }
}

#[track_caller]
fn assert_told<C: DeserializeOwned>(payload: &Value, expected: &str) {
    let payload = payload.to_string();
    assert!(serde_json::from_str::<C>(&payload).is_err(), "{payload}");
    assert_eq!(describe::<C>(&payload), expected, "{payload}");
}

/// The good claims with another one.
fn with(name: &str, value: Value) -> Value {
    let mut claims = json!({"sub": "alice@example.com"});
    claims[name] = value;
    claims
}

#[test]
fn a_wrong_type_is_told_with_its_path_and_the_expected_one() {
    for (name, value, expected) in [
        (
            "sub",
            json!(5),
            "the claim \"sub\" is an integer, and the application's type expects a string",
        ),
        (
            "sub",
            Value::Null,
            "the claim \"sub\" is null, and the application's type expects a string",
        ),
        (
            "level",
            json!("alice@example.com"),
            "the claim \"level\" is a string, and the application's type expects u8",
        ),
        (
            "level",
            json!(1.5),
            "the claim \"level\" is a number with decimals, and the application's type expects u8",
        ),
        (
            "level",
            json!(300),
            "the claim \"level\" is an integer that is not accepted: the application's type expects u8",
        ),
        (
            "realm_access",
            json!("admin"),
            "the claim \"realm_access\" is a string, and the application's type expects struct Access",
        ),
        (
            "kind",
            json!(["person"]),
            "the claim \"kind\" is a list, and the application's type expects a string or an object",
        ),
        (
            "tuple",
            json!([1, 2]),
            "the claim \"tuple[1]\" is an integer, and the application's type expects a string",
        ),
        (
            "letter",
            json!("ab"),
            "the claim \"letter\" is a string that is not accepted: the application's type expects a character",
        ),
        (
            "wide",
            json!(-1),
            "the claim \"wide\" is an integer that is not accepted: the application's type expects u128",
        ),
    ] {
        assert_told::<Claims>(&with(name, value), expected);
    }
    assert_told::<Vec<u8>>(
        &json!({}),
        "the claims, or a value among them, is an object, and the application's type expects a sequence",
    );
}

#[test]
fn a_missing_claim_is_told() {
    assert_told::<Claims>(
        &json!({"name": "alice"}),
        "the application's type needs \"sub\", which is not among the claims",
    );
    assert_told::<Claims>(
        &with("tagged", json!({"type": "A"})),
        "the claim \"tagged\" has no \"id\", which the application's type needs",
    );
}

#[test]
fn enums_and_lengths_are_told_without_their_values() {
    for (name, value, expected) in [
        (
            "kind",
            json!("alice"),
            "the claim \"kind\" is none of the values that the application's type knows, which are \"person\", \
             \"machine\"",
        ),
        (
            "kind",
            json!({"alice": 5}),
            "the claim \"kind\" is none of the values that the application's type knows, which are \"person\", \
             \"machine\"",
        ),
        (
            "kind",
            json!({"person": null, "machine": null}),
            "the claim \"kind\" is an object that is not accepted: the application's type expects an object with one \
             element",
        ),
        (
            "kind",
            json!({"machine": {"id": "alice"}}),
            "the claim \"kind.machine.*\" is a string, and the application's type expects u64",
        ),
        (
            "tagged",
            json!({"type": "alice"}),
            "the claim \"tagged.*\" is none of the values that the application's type knows, which are \"A\", \"B\"",
        ),
        (
            "tagged",
            json!({"type": "B", "name": 5}),
            "the claim \"tagged\" is an integer, and the application's type expects a string",
        ),
        (
            "either",
            json!("alice"),
            "the claim \"either\" matches no variant of an enum in the application's type",
        ),
        (
            "tuple",
            json!([1]),
            "the claim \"tuple\" has another length: the application's type expects a tuple of size 2",
        ),
        (
            "tuple",
            json!([1, "a", 3]),
            "the claim \"tuple\" has another length: the application's type expects fewer elements",
        ),
    ] {
        assert_told::<Claims>(&with(name, value), expected);
    }
}

#[test]
fn a_text_of_the_application_that_holds_a_value_is_left_out() {
    for (name, value, expected) in [
        (
            "email",
            json!("alice@example.com"),
            "the claim \"email\" is refused by the `Deserialize` of the application's type",
        ),
        (
            "phone",
            json!("+49 170 555"),
            "the claim \"phone\" is a string that is not accepted: the application's type expects another one",
        ),
        (
            "phone",
            json!("alice smith"),
            "the claim \"phone\" is a string that is not accepted: the application's type expects another one",
        ),
        (
            "phone",
            json!(["+49 170 555"]),
            "the claim \"phone\" is a list, and the application's type expects a phone number with its country",
        ),
    ] {
        assert_told::<Claims>(&with(name, value), expected);
    }
}

#[test]
fn a_nested_name_is_told_only_if_the_type_has_it() {
    for (name, value, expected) in [
        (
            "limits",
            json!({"alice@example.com": "5"}),
            "the claim \"limits.*\" is a string, and the application's type expects u64",
        ),
        (
            "by_number",
            json!({"alice": true}),
            "the claim \"by_number\" is a string, and the application's type expects u8",
        ),
        (
            "realm_access",
            json!({"alice": 5}),
            "the claim \"realm_access\" is an integer, and the application's type expects a boolean",
        ),
        (
            "realm_access",
            json!({"roles": ["admin", 5]}),
            "the claim \"realm_access.*[1]\" is an integer, and the application's type expects a string",
        ),
        (
            "closed",
            json!({"alice": 5}),
            "the claim \"closed\" has a member that the application's type does not know (`deny_unknown_fields`)",
        ),
        (
            "closed",
            json!({"id": "alice"}),
            "the claim \"closed.id\" is a string, and the application's type expects u64",
        ),
    ] {
        assert_told::<Claims>(&with(name, value), expected);
    }
    assert_told::<Closed>(
        &json!({"id": 5, "role": "alice"}),
        "the application's type does not know the claim \"role\" (`deny_unknown_fields`)",
    );
}

#[test]
fn a_claim_that_is_there_twice_is_told() {
    let payload = r#"{"sub":"alice","sub":"bob"}"#;
    assert!(serde_json::from_str::<Claims>(payload).is_err());
    assert_eq!(
        describe::<Claims>(payload),
        "the claims, or a value among them, has \"sub\" twice"
    );
}

#[test]
fn a_value_is_looked_into_up_to_a_depth() {
    #[derive(Deserialize)]
    #[allow(
        dead_code,
        reason = "only whether it can be deserialized is of interest"
    )]
    struct List(Vec<Self>);

    let told = |depth: usize| {
        let lists = format!("{}1{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        describe::<HashMap<String, List>>(&format!(r#"{{"a":{lists}}}"#))
    };
    assert!(told(16).ends_with("is an integer, and the application's type expects a sequence"));
    assert!(told(17).ends_with("is nested more than 16 deep, and not looked into further"));
}

#[test]
fn a_long_name_is_shortened_and_escaped() {
    let payload = json!({"a\n".to_owned() + &"b".repeat(500): "alice"});
    let told = describe::<HashMap<String, u64>>(&payload.to_string());
    assert!(told.starts_with("the claim \"a\\nbbb"), "{told}");
    assert!(told.chars().count() < 250, "{told}");
}

/// A string that must never be told. It is not a word of the messages.
fn personal() -> impl Strategy<Value = String> {
    select(vec![
        "alice@private.example",
        "ALICE Private",
        "private_5551234",
        "priv\u{e4}te",
        "",
    ])
    .prop_map(str::to_owned)
}

/// A number that must never be told.
fn personal_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(0)),
        Just(json!(1)),
        Just(json!(5_551_234)),
        Just(json!(-5_551_234)),
        Just(json!(5_551_234.5)),
        Just(json!(u64::MAX)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        personal_number(),
        personal().prop_map(Value::from),
        select(vec!["person", "machine", "A", "x"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop_oneof![
            personal(),
            select(vec!["roles", "id", "name", "type", "machine", "7"]).prop_map(str::to_owned),
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn payload() -> impl Strategy<Value = Value> {
    let name = select(vec![
        "sub",
        "level",
        "realm_access",
        "kind",
        "tuple",
        "email",
        "phone",
        "limits",
        "by_number",
        "either",
        "tagged",
        "closed",
        "wide",
        "letter",
        "unit",
        "any",
        "id",
        "type",
    ]);
    vec((name, value()), 0..6).prop_map(|members| {
        let members = members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect::<Map<_, _>>())
    })
}

/// Both deserializers agree on whether the payload is a `C`, and what is told holds no value.
fn check<C: DeserializeOwned>(payload: &str) -> Result<(), TestCaseError> {
    let ours = C::deserialize(Json::new(payload)).is_ok();
    let serdes = serde_json::from_str::<C>(payload).is_ok();
    prop_assert_eq!(ours, serdes, "{} {}", std::any::type_name::<C>(), payload);

    let told = describe::<C>(payload).to_lowercase();
    for value in ["alice", "priv", "555"] {
        prop_assert!(!told.contains(value), "{told}: {payload}");
    }
    prop_assert!(told.chars().count() < 1000, "{told}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_value_is_told_and_serde_json_agrees(payload in payload()) {
        let payload = payload.to_string();
        check::<Claims>(&payload)?;
        check::<Closed>(&payload)?;
        check::<Tagged>(&payload)?;
        check::<Either>(&payload)?;
        check::<Kind>(&payload)?;
        check::<Access>(&payload)?;
        check::<HashMap<String, String>>(&payload)?;
        check::<HashMap<String, Closed>>(&payload)?;
        check::<HashMap<u64, String>>(&payload)?;
        check::<Option<Closed>>(&payload)?;
        check::<Value>(&payload)?;
        check::<IgnoredAny>(&payload)?;
        check::<()>(&payload)?;
        check::<Vec<u8>>(&payload)?;
        check::<String>(&payload)?;
    }
}
