//! Held against `serde_json`: what one of the two takes, the other takes too, and both see the same
//! members.

use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{
    JsonError, ListReader, MAX_DEPTH, MemberName, ObjectReader, skip_list, skip_object, string,
    strings,
};

/// Parses an object to its end.
fn members(json: &str) -> Result<(Vec<(String, &str)>, bool), JsonError> {
    let mut object = ObjectReader::new(json)?;
    let mut members = Vec::new();
    while let Some(name) = object.next_name()? {
        members.push((name.into_owned(), object.value()?));
    }
    Ok((members, object.has_private_name()))
}

fn elements(json: &str) -> Result<Vec<&str>, JsonError> {
    let mut list = ListReader::new(json)?;
    let mut elements = Vec::new();
    while let Some(element) = list.next_element()? {
        elements.push(element);
    }
    Ok(elements)
}

/// JSON of this depth, the object around it included.
fn nested(depth: u32, open: &str, close: &str) -> String {
    let levels = depth as usize - 1;
    format!(
        r#"{{"a":{}1{}}}"#,
        open.repeat(levels),
        close.repeat(levels)
    )
}

#[test]
fn members_are_seen_as_they_stand_in_the_text() {
    let json = " {\"a\" : 1 , \"\\u0062\":\t[1, {\"c\":null}] ,\n\"\":\"\\\"\\\\\",\"d\":{},\"e\":[ ],\"f\":-0.5E+1}\r\n";
    let expected = [
        ("a", "1"),
        ("b", r#"[1, {"c":null}]"#),
        ("", r#""\"\\""#),
        ("d", "{}"),
        ("e", "[ ]"),
        ("f", "-0.5E+1"),
    ];

    let (members, has_private_name) = members(json).unwrap();
    let members: Vec<_> = members
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();

    assert_eq!(members, expected);
    assert!(!has_private_name);
}

#[test]
fn elements_are_seen_as_they_stand_in_the_text() {
    assert_eq!(
        elements(r#" [ 1 ,"a", {"b":[]}, [] ,true] "#).unwrap(),
        ["1", r#""a""#, r#"{"b":[]}"#, "[]", "true"]
    );
    assert_eq!(elements("[]").unwrap(), [""; 0]);
    assert_eq!(elements("[ ]").unwrap(), [""; 0]);
}

#[test]
fn a_text_that_is_not_json_is_malformed() {
    for json in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{]",
        "[}",
        "{}x",
        "[]x",
        "{}{}",
        "[][]",
        "{,}",
        "[,]",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
        "{\"a\":[}",
        "{\"a\":[]",
        "{\"a\":{]}",
        "{\"a\":[1}]",
        "{\"a\":{\"b\"}}",
        "{\"a\":{\"b\":}}",
        "{\"a\":{1:2}}",
        "{\"a\":{\"b\":1,}}",
        "{1:2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":\"",
        "{\"a\":\"\\\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{1f}\"}",
        "{\"\\\":1}",
        "{\"\\ud800\":1}",
        "{\"a\":tru}",
        "{\"a\":nul",
        "{\"a\":falsey}",
        "{\"a\":-}",
        "{\"a\":--1}",
        "{\"a\":+1}",
        "{\"a\":01}",
        "{\"a\":-01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":1.e1}",
        "{\"a\":0x1}",
        "{\"a\":NaN}",
        "{\"a\":1/**/}",
        "\u{feff}{}",
        "\u{a0}{}",
        "{}\0",
    ] {
        assert_eq!(
            members(json).map(drop).unwrap_err(),
            JsonError::Malformed,
            "{json:?}"
        );
        assert_eq!(
            elements(json).map(drop).unwrap_err(),
            JsonError::Malformed,
            "{json:?}"
        );
    }
}

#[test]
fn a_value_that_was_not_read_is_not_taken_for_a_name() {
    for json in [r#"{"a":1,"b":2}"#, r#"{"a":"b"}"#, r#"{"a":{}}"#] {
        let mut object = ObjectReader::new(json).unwrap();
        assert_eq!(object.next_name().unwrap().unwrap(), "a");
        assert_eq!(object.next_name(), Err(JsonError::Malformed), "{json}");
    }
}

#[test]
fn depth_is_limited() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        assert!(members(&nested(MAX_DEPTH, open, close)).is_ok());
        assert_eq!(
            members(&nested(MAX_DEPTH + 1, open, close)),
            Err(JsonError::TooDeep)
        );
        assert_eq!(
            members(&nested(100_000, open, close)),
            Err(JsonError::TooDeep)
        );
    }

    // What is open counts, not what was.
    let wide = format!(r#"{{"a":[{}1]}}"#, "[[]],".repeat(1000));
    assert!(members(&wide).is_ok());
    assert!(elements(&wide[5..wide.len() - 1]).is_ok());
}

#[test]
fn private_names_are_seen_at_any_depth_and_in_any_spelling() {
    for name in [
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
        "$serde_json::private::",
        r"\u0024serde_json::private::RawValue",
        r"\u0024\u0073erde_json::private::Number",
        r"$serde_json\u003a:private::RawValue",
        r"$serde_json::private:\u003A",
    ] {
        for json in [
            format!(r#"{{"{name}":1}}"#),
            format!(r#"{{"a":1,"{name}":1}}"#),
            format!(r#"{{"a":{{"{name}":1}}}}"#),
            format!(r#"{{"a":{{"b":1,"{name}":1}}}}"#),
            format!(r#"{{"a":[[1,{{"b":[{{ "{name}" :"1"}}]}}]]}}"#),
        ] {
            assert!(members(&json).unwrap().1, "{json}");
        }
    }

    for json in [
        r#"{"a":"$serde_json::private::RawValue"}"#,
        r#"{"a":["$serde_json::private::RawValue"]}"#,
        r#"{" $serde_json::private::RawValue":1}"#,
        r#"{"$serde_json::privat":1,"$":1,"\\u0024serde_json::private::RawValue":1}"#,
        r#"{"a":{"\ud800$serde_json::private::RawValue":1}}"#,
    ] {
        assert!(!members(json).unwrap().1, "{json}");
    }
}

#[test]
fn strings_are_unescaped() {
    assert_eq!(string(r#""a""#).unwrap(), "a");
    assert_eq!(string(r#""\u0061\/\"\ud83e\udd80\\""#).unwrap(), "a/\"🦀\\");
    for json in ["a", "\"", "1", "null", "[]", r#""\ud800""#] {
        assert_eq!(string(json), None, "{json}");
    }
    assert_eq!(strings(r#"["a", "\u0062"]"#).unwrap(), ["a", "b"]);
    assert_eq!(strings("[]").unwrap().len(), 0);
    for json in [r#""a""#, "[1]", r#"["a",null]"#, r#"[["a"]]"#, "{}"] {
        assert_eq!(strings(json), None, "{json}");
    }
}

/// An object or a list that is skipped as a member of a payload is.
struct Skipped;

impl<'de> serde::Deserialize<'de> for Skipped {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> serde::de::Visitor<'de> for Skipped {
    type Value = Self;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object or a list")
    }

    fn visit_map<M: serde::de::MapAccess<'de>>(self, object: M) -> Result<Self, M::Error> {
        skip_object(object, 1).map(|()| self)
    }

    fn visit_seq<S: serde::de::SeqAccess<'de>>(self, list: S) -> Result<Self, S::Error> {
        skip_list(list, 1).map(|()| self)
    }
}

fn is_skipped(json: &str) -> bool {
    serde_json::from_str::<Skipped>(json).is_ok()
}

#[test]
fn values_of_every_type_are_skipped() {
    for value in [
        "null",
        "true",
        "1",
        "-1",
        "1.5",
        r#""a""#,
        "[]",
        "{}",
        "[1,[2]]",
        r#"{"a":1,"b":{"c":[]}}"#,
    ] {
        assert!(
            is_skipped(&format!(r#"{{"x":{value},"y":{value}}}"#)),
            "{value}"
        );
        assert!(is_skipped(&format!("[{value},{value}]")), "{value}");
    }

    for json in ["{", r#"{"a":}"#, "[1", "[{]", r#"{"a":1 "b":2}"#] {
        assert!(!is_skipped(json), "{json}");
    }
}

#[test]
fn skipped_values_have_a_limit_of_depth() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        assert!(is_skipped(&nested(MAX_DEPTH, open, close)));
        assert!(!is_skipped(&nested(MAX_DEPTH + 1, open, close)));
        let list = |depth: u32| format!("[{}]", nested(depth - 1, open, close));
        assert!(is_skipped(&list(MAX_DEPTH)));
        assert!(!is_skipped(&list(MAX_DEPTH + 1)));
    }
}

#[test]
fn skipped_values_have_no_private_names() {
    for name in [
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
        r"\u0024serde_json::private::Number",
    ] {
        for json in [
            format!(r#"{{"{name}":"1"}}"#),
            format!(r#"{{"a":1,"{name}":"1"}}"#),
            format!(r#"{{"a":{{"{name}":"1"}}}}"#),
            format!(r#"[{{"a":[{{"b":1,"{name}":"1"}}]}}]"#),
        ] {
            assert!(!is_skipped(&json), "{json}");
        }
        assert!(serde_json::from_str::<MemberName>(&format!(r#""{name}""#)).is_err());
    }

    assert!(is_skipped(
        r#"{"a":"$serde_json::private::RawValue","$serde_json":1}"#
    ));
    assert_eq!(
        serde_json::from_str::<MemberName>(r#""\u0061""#).unwrap().0,
        "a"
    );
}

/// As `serde_json` passes a number on with its feature `arbitrary_precision`, and as a client would
/// forge that.
#[test]
fn a_number_of_arbitrary_precision_is_skipped_and_a_forged_one_is_not() {
    use serde::de::{Deserialize, IntoDeserializer, value::MapDeserializer};

    let own = [("$serde_json::private::Number", "1".to_owned())];
    let own: MapDeserializer<'_, _, serde_json::Error> = MapDeserializer::new(own.into_iter());
    assert!(Skipped::deserialize(own).is_ok());
    let forged = [("$serde_json::private::Number", "1")];
    let forged: MapDeserializer<'_, _, serde_json::Error> =
        MapDeserializer::new(forged.into_iter());
    assert!(Skipped::deserialize(forged).is_err());
    let unit: serde::de::value::UnitDeserializer<serde_json::Error> = ().into_deserializer();
    assert!(Skipped::deserialize(unit).is_err());
}

/// An object that `serde_json` reads without building its values.
struct Members;

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> serde::de::Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: serde::de::MapAccess<'de>>(self, mut object: M) -> Result<Self, M::Error> {
        while object.next_entry::<String, IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

/// Pieces of JSON in an order of chance, most of them inside of an object.
fn jsonish() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\"a\":",
        "\"a\"",
        "\\",
        "\\u00e9",
        "\\u12",
        "\\ud800",
        "null",
        "true",
        "-",
        "0",
        "1",
        ".5",
        "e9",
        "E-1",
        " ",
        "\n",
        "\u{0}",
        "é",
        "{}",
        "[]",
        "\"b\":[1,{\"c\":2}]",
    ]);

    (vec(pieces, 0..12), 0..4_u8).prop_map(|(pieces, around)| match around {
        0 => pieces.concat(),
        1 => format!("{{{}}}", pieces.concat()),
        _ => format!("{{\"x\":{}}}", pieces.concat()),
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];

    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(".*", inner, 0..5)
                .prop_map(|object| object.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_serde_json_takes_is_taken_and_nothing_else(json in jsonish()) {
        // It reads names as strings, which half of a surrogate pair is not.
        let theirs = serde_json::from_str::<Members>(&json).is_ok();
        prop_assert_eq!(members(&json).is_ok(), theirs, "{}", json);
        let theirs = serde_json::from_str::<Vec<IgnoredAny>>(&json).is_ok();
        prop_assert_eq!(elements(&json).is_ok(), theirs, "{}", json);
    }

    #[test]
    fn members_are_those_that_serde_json_sees(object in prop::collection::hash_map(".*", values(), 0..5), pretty in any::<bool>()) {
        let object: Map<String, Value> = object.into_iter().collect();
        let json = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
        let (members, _) = members(&json).unwrap();
        let read: Map<String, Value> =
            members.iter().map(|(name, value)| (name.clone(), serde_json::from_str(value).unwrap())).collect();
        prop_assert_eq!(members.len(), object.len());
        prop_assert_eq!(read, serde_json::from_str(&json).unwrap());
    }
}
