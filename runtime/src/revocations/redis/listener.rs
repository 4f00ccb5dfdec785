//! The task that hears of revocations, and makes up for what a lost connection lost.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use fred::types::Message;
use futures_util::future::try_join_all;
use tokio::{
    sync::broadcast::error::{RecvError, TryRecvError},
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use super::{
    Shared,
    client::{Events, parse_message},
};
use crate::revocations::{RevocationError, entry::Entry, memory::since_1970};

/// How often open sockets are asked about, in case a message was lost without a sign.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// How often something is asked of Redis, so that a connection which is gone is noticed even if no
/// client connects.
const PING_EVERY: Duration = Duration::from_secs(15);

/// The pause before another try to resume.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How many entries are looked up, or set again, at once.
const BATCH: usize = 200;

pub(super) struct Listener {
    shared: Arc<Shared>,
    events: Events,
}

impl Listener {
    pub(super) fn new(shared: Arc<Shared>, events: Events) -> Self {
        Self { shared, events }
    }

    /// Runs until it is aborted.
    pub(super) async fn run(mut self) {
        let mut sweeps = interval_at(Instant::now() + SWEEP_EVERY, SWEEP_EVERY);
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_resumed = true;

        loop {
            tokio::select! {
                message = self.events.messages.recv() => match message {
                    Ok(message) => self.hear(&message),
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "too many revocations at once: asking about every open socket");
                        self.shared.notifier.sweep();
                    }
                    Err(RecvError::Closed) => return,
                },
                connection = self.events.connections.recv() => match connection {
                    Ok(_) | Err(RecvError::Lagged(_)) => is_resumed = self.resume().await,
                    Err(RecvError::Closed) => return,
                },
                () = sleep(RETRY_AFTER), if !is_resumed => is_resumed = self.resume().await,
                _ = pings.tick() => self.shared.client.ping().await,
                _ = sweeps.tick() => self.shared.notifier.sweep(),
            }
        }
    }

    fn hear(&self, message: &Message) {
        if let Some((key, issued_before)) = parse_message(message) {
            self.shared.notifier.tell(key, issued_before);
        } else {
            tracing::warn!("a message on the channel of revocations is not of this crate");
            self.shared.notifier.sweep();
        }
    }

    /// Makes up for what a lost connection lost. Returns whether it did.
    async fn resume(&mut self) -> bool {
        // In a cluster there is one event for each node.
        while !matches!(
            self.events.connections.try_recv(),
            Err(TryRecvError::Empty | TryRecvError::Closed)
        ) {}

        match self.try_resume().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "revocations cannot be heard of; trying again");
                false
            }
        }
    }

    async fn try_resume(&self) -> Result<(), RevocationError> {
        self.shared.client.subscribe().await?;
        // After the subscription, so that nothing is missed in between.
        self.shared.notifier.sweep();
        self.restore().await
    }

    /// Sets those of the own entries again that Redis does not have.
    async fn restore(&self) -> Result<(), RevocationError> {
        let now = since_1970(SystemTime::now());
        let own = self.shared.own().all(now);
        let mut restored = 0;

        for batch in own.chunks(BATCH) {
            let lost = self.lost_of(batch).await?;
            let sets = lost.iter().map(|entry| self.shared.client.set(entry, now));
            try_join_all(sets).await?;
            restored += lost.len();
        }

        if restored > 0 {
            tracing::warn!(
                restored,
                "Redis had lost revocations, and has those of this process again"
            );
        }
        Ok(())
    }

    async fn lost_of(&self, entries: &[Entry]) -> Result<Vec<Entry>, RevocationError> {
        let keys: Vec<_> = entries.iter().map(|entry| entry.key).collect();
        let found = self.shared.client.get(&keys).await?;
        let lost = entries
            .iter()
            .zip(found)
            .filter(|(entry, found)| found.is_none_or(|found| found < entry.issued_before));
        Ok(lost.map(|(entry, _)| *entry).collect())
    }
}
