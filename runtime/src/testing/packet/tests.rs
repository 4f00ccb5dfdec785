//! Packets that are parsed and written, and text that is not a packet.

use proptest::{
    collection::{hash_map, vec},
    prelude::*,
};
use serde_json::json;

use super::*;

fn parse(text: &str) -> EnginePacket {
    EnginePacket::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn message(namespace: &str, id: Option<u64>, content: Content) -> EnginePacket {
    EnginePacket::Message(Packet {
        namespace: namespace.to_owned(),
        id,
        content,
    })
}

fn event(name: &str, arguments: &Value) -> Content {
    Content::Event(
        name.to_owned(),
        arguments.as_array().cloned().unwrap_or_default(),
    )
}

#[test]
fn engine_packets_are_parsed() {
    assert_eq!(
        parse(r#"0{"sid":"a"}"#),
        EnginePacket::Open(json!({ "sid": "a" }))
    );
    assert_eq!(parse("1"), EnginePacket::Close);
    assert_eq!(parse("2"), EnginePacket::Ping);
    assert_eq!(parse("2probe"), EnginePacket::Ping);
    assert_eq!(parse("3"), EnginePacket::Other);
    assert_eq!(parse("6"), EnginePacket::Other);
}

#[test]
fn packets_of_the_default_namespace_are_parsed() {
    assert_eq!(
        parse(r#"40{"sid":"a"}"#),
        message("/", None, Content::Connect(Some("a".to_owned())))
    );
    assert_eq!(parse("40"), message("/", None, Content::Connect(None)));
    assert_eq!(parse("41"), message("/", None, Content::Disconnect));
    assert_eq!(
        parse(r#"42["name"]"#),
        message("/", None, event("name", &json!([])))
    );
    assert_eq!(
        parse(r#"42["name",1,{"a":[]}]"#),
        message("/", None, event("name", &json!([1, { "a": [] }])))
    );
    assert_eq!(
        parse(r#"4217["name"]"#),
        message("/", Some(17), event("name", &json!([])))
    );
    assert_eq!(
        parse("430[]"),
        message("/", Some(0), Content::Ack(Vec::new()))
    );
    assert_eq!(
        parse(r#"4312["a",null]"#),
        message("/", Some(12), Content::Ack(vec![json!("a"), json!(null)]))
    );

    let error = json!({ "message": "token_missing" });
    assert_eq!(
        parse(r#"44{"message":"token_missing"}"#),
        message("/", None, Content::ConnectError(error))
    );
}

#[test]
fn packets_of_other_namespaces_are_parsed() {
    assert_eq!(
        parse("40/chat,"),
        message("/chat", None, Content::Connect(None))
    );
    assert_eq!(
        parse("41/chat"),
        message("/chat", None, Content::Disconnect)
    );
    assert_eq!(
        parse(r#"42/a/b,3["x","/c,4"]"#),
        message("/a/b", Some(3), event("x", &json!(["/c,4"])))
    );
}

#[test]
fn what_is_not_a_packet_is_an_error() {
    let texts = [
        "",
        "0",
        "0{",
        "4",
        "5",
        "7",
        "é",
        "4é",
        "42",
        "42[]",
        "42[1]",
        "42{}",
        r#"42["a""#,
        "43",
        "43{}",
        "44",
        "49[]",
        r#"4299999999999999999999["a"]"#,
        r#"42/chat["a"]"#,
        r#"42-1["a"]"#,
        "40{}",
        "40[]",
        r#"40{"sid":1}"#,
    ];
    for text in texts {
        let error = EnginePacket::parse(text).expect_err(text);
        assert!(
            matches!(&error, ClientError::UnknownPacket(shown) if shown == text),
            "{text}: {error}"
        );
    }
}

#[test]
fn a_packet_with_binary_data_is_an_error_that_says_so() {
    for text in [
        r#"451-["a",{"_placeholder":true,"num":0}]"#,
        r#"461-/chat,3[{"_placeholder":true,"num":0}]"#,
        "46",
    ] {
        let error = EnginePacket::parse(text).expect_err(text);
        assert!(
            matches!(&error, ClientError::BinaryPacket(shown) if shown == text),
            "{text}: {error}"
        );
        assert!(error.to_string().contains("binary data"), "{error}");
    }
}

#[test]
fn the_default_namespace_is_not_written() {
    assert_eq!(encode(0, "/", None, ""), "40");
    assert_eq!(encode(1, "/chat", None, ""), "41/chat,");
    assert_eq!(encode(2, "/", Some(7), json!(["a", 1])), r#"427["a",1]"#);
    assert_eq!(
        encode(2, "/chat", Some(0), json!(["a"])),
        r#"42/chat,0["a"]"#
    );
}

#[test]
fn what_is_written_can_be_parsed() {
    for namespace in ["/", "/chat", "/tenant/7"] {
        for id in [None, Some(0), Some(u64::MAX)] {
            let text = encode(2, namespace, id, json!(["name", { "text": "a,b/c" }]));
            assert_eq!(
                parse(&text),
                message(namespace, id, event("name", &json!([{ "text": "a,b/c" }])))
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_packet_or_an_error(
        text in ".{0,60}",
        packet in r#"4?[0-9]?(/[a-z/]{0,4},?)?[0-9]{0,22}[\[\]{}",:a-z0-9]{0,30}"#,
    ) {
        for text in [text, packet] {
            match EnginePacket::parse(&text) {
                Ok(_) => {}
                Err(ClientError::UnknownPacket(shown) | ClientError::BinaryPacket(shown)) => {
                    prop_assert_eq!(shown, text);
                }
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn what_is_written_is_parsed_as_the_same(
        namespace in "(/|/[^,\\x00]{1,10})",
        id in any::<Option<u64>>(),
        name in ".*",
        arguments in vec(json_value(), 0..4),
    ) {
        let mut elements = vec![Value::from(name.as_str())];
        elements.extend(arguments.iter().cloned());
        let written = encode(2, &namespace, id, Value::Array(elements));
        let expected = message(&namespace, id, Content::Event(name, arguments.clone()));
        prop_assert_eq!(EnginePacket::parse(&written).unwrap(), expected);

        let written = encode(3, &namespace, id, Value::Array(arguments.clone()));
        let expected = message(&namespace, id, Content::Ack(arguments));
        prop_assert_eq!(EnginePacket::parse(&written).unwrap(), expected);
    }

    #[test]
    fn a_packet_that_is_cut_off_is_no_event(arguments in vec(json_value(), 0..4), cut in any::<prop::sample::Index>()) {
        let mut elements = vec![Value::from("name")];
        elements.extend(arguments);
        let written = encode(2, "/chat", Some(1), Value::Array(elements));
        let cut = (0..written.len())
            .filter(|at| written.is_char_boundary(*at))
            .nth(cut.index(written.chars().count()))
            .unwrap();
        prop_assert!(EnginePacket::parse(&written[..cut]).is_err());
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            hash_map(".*", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
