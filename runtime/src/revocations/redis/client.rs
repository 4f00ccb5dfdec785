//! The connection to Redis: its settings, the keys and the commands.

use std::time::Duration;

use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, EventInterface, KeysInterface, LuaInterface, PubsubInterface},
    types::{
        Builder, ConnectHandle, Message, RespVersion,
        config::{Config, ReconnectPolicy, Server, UnresponsiveConfig},
    },
};
use tokio::{sync::broadcast::Receiver, time::timeout};

use super::{
    super::{
        RevocationError,
        entry::{Entry, EntryKey, IssuedBefore},
    },
    breaker::{Breaker, Failure},
};

/// The time limit for the answer of Redis. It is shorter than that of a check, so that the log says
/// that it is Redis which does not answer.
const COMMAND_TIMEOUT: Duration = Duration::from_millis(400);

/// The time limit for one try to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that does not answer for this long is given up, and made anew: the host may be gone
/// without having closed it.
const UNRESPONSIVE_AFTER: Duration = Duration::from_secs(2);

/// How many commands wait for a connection. Further ones fail at once.
const COMMAND_BUFFER: usize = 10_000;

/// How many messages are buffered. The driver's default of 32 loses most of a thousand at once.
const MESSAGE_BUFFER: usize = 16_384;

const RECONNECT_PAUSE_MS: u32 = 50;
const LONGEST_RECONNECT_PAUSE_MS: u32 = 1_000;

/// The braces make all keys one slot of a Redis Cluster, so that one command can ask for several.
const PREFIX: &str = "{jwt_auth}:";

/// Keeps the entry that covers more and the one that lasts longer, and tells the nodes.
const REVOKE: &str = "\
local value, ttl = ARGV[1], tonumber(ARGV[2])
local old = redis.call('GET', KEYS[1])
if old == 'always' or (old and value ~= 'always' and (tonumber(old) or 0) > tonumber(value)) then
    value = old
end
local left = redis.call('TTL', KEYS[1])
if left > ttl then
    ttl = left
end
redis.call('SET', KEYS[1], value, 'EX', ttl)
redis.call('PUBLISH', ARGV[3], ARGV[4])
";

/// What the client tells of by itself.
pub(super) struct Events {
    pub(super) messages: Receiver<Message>,
    /// One for each new connection.
    pub(super) connections: Receiver<Server>,
}

pub(super) struct RedisClient {
    client: Client,
    breaker: Breaker,
    channel: String,
    connection: ConnectHandle,
}

impl RedisClient {
    /// Connects, and subscribes to the messages.
    pub(super) async fn connect(url: &str) -> Result<(Self, Events), RevocationError> {
        let config = parse(url)?;
        // Messages are not separated by database.
        let channel = format!("{PREFIX}revoked:{}", config.database.unwrap_or(0));
        let client = build(config).map_err(failed)?;
        let connection = timeout(2 * CONNECT_TIMEOUT, client.init())
            .await
            .map_err(|_| RevocationError::new("Redis: the connection takes too long"))?
            .map_err(failed)?;

        // After the first connection, and before the subscription: a connection that is lost from
        // here on is told.
        let events = Events {
            messages: client.message_rx(),
            connections: client.reconnect_rx(),
        };
        let client = Self {
            client,
            breaker: Breaker::new(COMMAND_TIMEOUT),
            channel,
            connection,
        };
        client.subscribe().await?;
        Ok((client, events))
    }

    pub(super) async fn subscribe(&self) -> Result<(), RevocationError> {
        self.client
            .subscribe(self.channel.as_str())
            .await
            .map_err(failed)?;
        self.breaker.close();
        Ok(())
    }

    async fn run<T>(
        &self,
        command: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, RevocationError> {
        self.breaker
            // The driver's futures have several kilobytes.
            .run(Box::pin(command), was_answered)
            .await
            .map_err(|failure| match failure {
                Failure::Command(error) => failed(error),
                Failure::TimeLimit => no_answer(),
                Failure::Open => RevocationError::new(
                    "Redis did not answer before, and another command tries whether it does again",
                ),
            })
    }

    /// Asks for something, so that a connection which does not answer is noticed.
    pub(super) async fn ping(&self) {
        self.client.ping::<()>(None).await.ok();
    }

    /// Returns the entries of the keys, in their order.
    pub(super) async fn get(
        &self,
        keys: &[EntryKey],
    ) -> Result<Vec<Option<IssuedBefore>>, RevocationError> {
        let names: Vec<_> = keys.iter().map(name).collect();
        let values: Vec<Option<String>> = self.run(self.client.mget(names)).await?;
        if values.len() != keys.len() {
            return Err(RevocationError::new(
                "Redis: the answer is of another length than the question",
            ));
        }

        let parse = |value: Option<String>| value.map(|value| value.parse()).transpose();
        let parsed: Result<_, _> = values.into_iter().map(parse).collect();
        parsed.map_err(|_| {
            RevocationError::new(format!(
                "Redis: a value below `{PREFIX}` is not a revocation of this crate"
            ))
        })
    }

    /// Sets an entry and publishes it. `now` is in seconds since 1970.
    pub(super) async fn set(&self, entry: &Entry, now: u64) -> Result<(), RevocationError> {
        let value = entry.issued_before.to_string();
        let time_to_live = entry.ends_at.saturating_sub(now).max(1).to_string();
        let message = format!("{} {value}", entry.key);
        let arguments = vec![value, time_to_live, self.channel.clone(), message];
        self.run(self.client.eval(REVOKE, name(&entry.key), arguments))
            .await
    }
}

/// Parses a message of [`RedisClient::set`].
pub(super) fn parse_message(message: &Message) -> Option<(EntryKey, IssuedBefore)> {
    let text = message.value.as_str()?;
    let (key, value) = text.split_once(' ')?;
    Some((key.parse().ok()?, value.parse().ok()?))
}

fn name(key: &EntryKey) -> String {
    format!("{PREFIX}{key}")
}

fn parse(url: &str) -> Result<Config, RevocationError> {
    // Without the feature the driver would connect without TLS.
    let wants_tls = ["rediss", "valkeys"]
        .iter()
        .any(|scheme| url.trim_start().to_ascii_lowercase().starts_with(scheme));
    if wants_tls && cfg!(not(feature = "redis_tls")) {
        return Err(RevocationError::new(
            "Redis: a URL with TLS needs the feature `redis_tls` of socketioxide-jwt-auth",
        ));
    }

    let mut config = Config::from_url(url).map_err(failed)?;
    // Commands and messages share one connection.
    config.version = RespVersion::RESP3;
    Ok(config)
}

fn build(config: Config) -> Result<Client, Error> {
    Builder::from_config(config)
        .with_performance_config(|performance| {
            performance.default_command_timeout = COMMAND_TIMEOUT;
            performance.broadcast_channel_capacity = MESSAGE_BUFFER;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = CONNECT_TIMEOUT;
            connection.internal_command_timeout = UNRESPONSIVE_AFTER;
            connection.max_command_buffer_len = COMMAND_BUFFER;
            connection.unresponsive = UnresponsiveConfig {
                max_timeout: Some(UNRESPONSIVE_AFTER),
                interval: UNRESPONSIVE_AFTER / 4,
            };
        })
        .set_policy(ReconnectPolicy::new_exponential(
            0,
            RECONNECT_PAUSE_MS,
            LONGEST_RECONNECT_PAUSE_MS,
            2,
        ))
        .build()
}

fn failed(error: Error) -> RevocationError {
    match error.kind() {
        ErrorKind::Timeout => no_answer(),
        _ => RevocationError::new(format!("Redis: {error}")),
    }
}

fn no_answer() -> RevocationError {
    RevocationError::new(format!("Redis did not answer within {COMMAND_TIMEOUT:?}"))
}

/// Returns whether an error came from Redis, and not in its place.
fn was_answered(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Timeout | ErrorKind::IO | ErrorKind::Canceled | ErrorKind::Backpressure
    )
}

impl Drop for RedisClient {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_tls_is_never_connected_to_without() {
        for url in [
            "rediss://localhost",
            "REDISS-cluster://localhost:1",
            "valkeys://localhost",
        ] {
            let parsed = parse(url);
            #[cfg(feature = "redis_tls")]
            assert!(parsed.unwrap().tls.is_some(), "{url}");
            #[cfg(not(feature = "redis_tls"))]
            assert!(
                parsed.unwrap_err().to_string().contains("`redis_tls`"),
                "{url}"
            );
        }
        assert!(parse("redis://localhost").is_ok());
    }

    #[test]
    fn an_error_does_not_show_the_password() {
        for url in [
            "redis://:hunter2@",
            "hunter2",
            "redis://u:hunter2@host:x",
            "redis://:hunter2@host/a/b",
        ] {
            let error = parse(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
