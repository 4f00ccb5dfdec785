//! Packets of Engine.IO and Socket.IO as text.

use std::fmt::Display;

use serde_json::Value;

use super::ClientError;

/// The namespace that packets do not name.
pub(super) const DEFAULT_NAMESPACE: &str = "/";

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
    /// The text is not a packet, or it announces binary data, which this client does not support.
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
            "4" if rest.starts_with(['5', '6']) => Err(ClientError::BinaryPacket(text.to_owned())),
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
    /// The client is in the namespace, with this id. Protocol 4 does not send the id.
    Connect(Option<String>),
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
            "0" if data.is_empty() => Content::Connect(None),
            "0" => Content::Connect(Some(parse_socket_id(data)?)),
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

/// Returns `None` if the data has no id.
fn parse_socket_id(data: &str) -> Option<String> {
    let mut data: Value = serde_json::from_str(data).ok()?;
    match data.get_mut("sid")?.take() {
        Value::String(id) => Some(id),
        _ => None,
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
mod tests;
