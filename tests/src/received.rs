//! What a client receives from the server.

use serde_json::Value;
use socketioxide_jwt_auth::testing::wire::Content;

/// What a client receives from the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// Admitted to the namespace.
    Connected,
    /// Not admitted to the namespace, with the message of the `connect_error`.
    Refused(String),
    /// An event and its arguments.
    Event(String, Vec<Value>),
    /// The arguments of an acknowledgement.
    Ack(Vec<Value>),
    /// Disconnected from the namespace.
    Disconnected,
    /// The connection is closed.
    Closed,
}

impl Received {
    /// An event with one argument.
    pub fn event(name: &str, argument: Value) -> Self {
        Self::Event(name.to_owned(), vec![argument])
    }

    /// A `connect_error`.
    pub fn refused(message: &str) -> Self {
        Self::Refused(message.to_owned())
    }

    /// An acknowledgement with one argument.
    pub fn ack(argument: Value) -> Self {
        Self::Ack(vec![argument])
    }

    /// Returns whether it is the acknowledgement of a login or a renewal that succeeded.
    pub fn is_renewal(&self) -> bool {
        match self {
            Self::Ack(answer) => matches!(&answer[..], [told] if told.get("expires_at").is_some()),
            _ => false,
        }
    }

    /// Asserts that it is the acknowledgement of a login or a renewal that succeeded.
    ///
    /// # Panics
    ///
    /// If it is something else.
    #[track_caller]
    pub fn assert_renewal(&self) {
        assert!(self.is_renewal(), "not a renewal: {self:?}");
    }
}

impl From<Content> for Received {
    /// # Panics
    ///
    /// If a `connect_error` holds something else than a message.
    fn from(content: Content) -> Self {
        match content {
            Content::Connect(_) => Self::Connected,
            Content::Disconnect => Self::Disconnected,
            Content::Event(name, arguments) => Self::Event(name, arguments),
            Content::Ack(arguments) => Self::Ack(arguments),
            Content::ConnectError(data) => Self::Refused(only_message(&data).to_owned()),
        }
    }
}

/// Returns the message of a `connect_error`, whose data is `{"message": …}` only.
fn only_message(data: &Value) -> &str {
    let object = data
        .as_object()
        .unwrap_or_else(|| panic!("a connect_error is an object: {data}"));
    assert_eq!(
        object.len(),
        1,
        "a connect_error has only a message: {data}"
    );

    object
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("a message is a string: {data}"))
}
