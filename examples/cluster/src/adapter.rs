//! The connection to Redis, through which the nodes reach each other's sockets.

use std::time::Duration;

use socketioxide::adapter::Emitter;
use socketioxide_redis::{
    FredAdapter, RedisAdapterConfig, RedisAdapterCtr,
    drivers::fred::{
        FredDriver,
        fred_client::{
            clients::SubscriberClient,
            prelude::{Builder, Config, Error, EventInterface, PubsubInterface, ReconnectPolicy},
            types::RespVersion,
        },
    },
};

pub(crate) type Adapter = FredAdapter<Emitter>;

/// The time limit for an answer of Redis.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);

/// How many messages of other nodes are buffered. Further ones are lost, with a warning in the log.
/// The defaults are 32 in the driver, which loses most of 1,000 broadcasts at once, and 1,024 in
/// the adapter.
const MESSAGE_BUFFER: usize = 16_384;

const RECONNECT_PAUSE_MS: u32 = 100;
const LONGEST_RECONNECT_PAUSE_MS: u32 = 5_000;

/// Connects to Redis. Fails if the first connection fails; a connection that is lost later is tried
/// again for ever.
pub(crate) async fn connect(url: &str) -> Result<RedisAdapterCtr<FredDriver>, Error> {
    let mut config = Config::from_url(url)?;
    // The adapter subscribes on the connection on which it publishes, which needs RESP3.
    config.version = RespVersion::RESP3;

    let client = Builder::from_config(config)
        .with_performance_config(|performance| {
            performance.default_command_timeout = COMMAND_TIMEOUT;
            performance.broadcast_channel_capacity = MESSAGE_BUFFER;
        })
        .set_policy(ReconnectPolicy::new_exponential(
            0,
            RECONNECT_PAUSE_MS,
            LONGEST_RECONNECT_PAUSE_MS,
            2,
        ))
        .build_subscriber_client()?;
    keep_subscribed(&client);

    let config = RedisAdapterConfig::new().with_stream_buffer(MESSAGE_BUFFER);
    RedisAdapterCtr::new_with_fred_config(client, config).await
}

/// Renews the subscriptions after a reconnect. `manage_subscriptions` of fred 10.1 does so only if
/// there are subscriptions that are not sharded, and the adapter has sharded ones only.
fn keep_subscribed(client: &SubscriberClient) {
    let subscriber = client.clone();
    client.on_reconnect(move |_| {
        let subscriber = subscriber.clone();
        async move {
            for channel in subscriber.tracked_shard_channels() {
                // If it fails because the connection is lost again, the next reconnect tries again.
                subscriber.ssubscribe(channel).await.ok();
            }
            Ok(())
        }
    });
}
