//! Packets of Engine.IO and Socket.IO as text.

use std::fmt::Display;

use serde_json::Value;

use crate::ClientError;

/// The namespace that packets do not name.
pub(crate) const DEFAULT_NAMESPACE: &str = "/";

/// A packet of Engine.IO that a client has to react to.
#[derive(Debug, Clone, PartialEq)]
pub enum EnginePacket {
    /// The first packet of a connection, with its parameters.
    Open(Value),
    /// The server closes the connection.
    Close,
    /// Must be answered with [`PONG`](Self::PONG).
    Ping,
    /// Asks for nothing: a pong or a `noop`.
    Other,
    /// A packet of Socket.IO.
    Message(Packet),
}

impl EnginePacket {
    /// The answer to a ping.
    pub const PONG: &'static str = "3";

    /// Parses one packet.
    ///
    /// # Errors
    ///
    /// The text is not a packet, or one of a binary event, which this client does not support.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let unknown = || ClientError::UnknownPacket(text.to_owned());
        let (kind, rest) = text.split_at_checked(1).ok_or_else(unknown)?;

        match kind {
            "0" => serde_json::from_str(rest)
                .map(Self::Open)
                .map_err(|_| unknown()),
            "1" => Ok(Self::Close),
            "2" => Ok(Self::Ping),
            "3" | "6" => Ok(Self::Other),
            "4" => Packet::parse(rest).map(Self::Message).ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }
}

/// A packet of Socket.IO.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// The namespace that it belongs to.
    pub namespace: String,
    /// The number that an event and its acknowledgement share.
    pub id: Option<u64>,
    /// What it says.
    pub content: Content,
}

/// What a packet of Socket.IO says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// The client is in the namespace.
    Connect,
    /// The client is no longer in the namespace.
    Disconnect,
    /// An event and its arguments.
    Event(String, Vec<Value>),
    /// The arguments of an acknowledgement.
    Ack(Vec<Value>),
    /// The client is not let into the namespace, and why.
    ConnectError(Value),
}

impl Packet {
    /// `KIND [NAMESPACE ","] [ID] [DATA]`
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        let (namespace, rest) = split_namespace(rest);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, data) = rest.split_at(digits);
        let id = if id.is_empty() {
            None
        } else {
            Some(id.parse().ok()?)
        };

        let content = match kind {
            "0" => Content::Connect,
            "1" => Content::Disconnect,
            "2" => {
                let (name, arguments) = parse_event(data)?;
                Content::Event(name, arguments)
            }
            "3" => Content::Ack(serde_json::from_str(data).ok()?),
            "4" => Content::ConnectError(serde_json::from_str(data).ok()?),
            _ => return None,
        };
        Some(Self {
            namespace: namespace.to_owned(),
            id,
            content,
        })
    }
}

/// A namespace ends at a comma, or with the packet.
fn split_namespace(text: &str) -> (&str, &str) {
    if text.starts_with('/') {
        text.split_once(',').unwrap_or((text, ""))
    } else {
        (DEFAULT_NAMESPACE, text)
    }
}

/// The first element is the name.
fn parse_event(data: &str) -> Option<(String, Vec<Value>)> {
    let mut elements = serde_json::from_str::<Vec<Value>>(data).ok()?.into_iter();
    match elements.next()? {
        Value::String(name) => Some((name, elements.collect())),
        _ => None,
    }
}

/// Writes a packet of Socket.IO of a kind (`0` to `4`), within one of Engine.IO.
pub fn encode(kind: u8, namespace: &str, id: Option<u64>, data: impl Display) -> String {
    let namespace = if namespace == DEFAULT_NAMESPACE {
        String::new()
    } else {
        format!("{namespace},")
    };
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    format!("4{kind}{namespace}{id}{data}")
}

#[cfg(test)]
mod tests {
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
            message("/", None, Content::Connect)
        );
        assert_eq!(parse("40"), message("/", None, Content::Connect));
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
        assert_eq!(parse("40/chat,"), message("/chat", None, Content::Connect));
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
            "46",
            "49[]",
            r#"4299999999999999999999["a"]"#,
            r#"42/chat["a"]"#,
            r#"42-1["a"]"#,
            r#"451-["a",{"_placeholder":true,"num":0}]"#,
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
}
