use serde_json::Value;

/// What the server told a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
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

impl Told {
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

    /// The data of a `connect_error` packet: `{"message": …}`.
    pub(crate) fn from_connect_error(json: &str) -> Self {
        let data: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let object = data.as_object().unwrap_or_else(|| panic!("a connect_error is an object: {json}"));
        assert_eq!(object.len(), 1, "a connect_error holds a message and nothing else: {json}");
        Self::Refused(object["message"].as_str().expect("a message is a text").to_owned())
    }
}
