//! A channel from an `on_event` hook to its test.

use socketioxide_jwt_auth::AuthEvent;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::within;

/// Receives the events of a hook.
#[derive(Debug)]
pub struct AuditLog(UnboundedReceiver<AuthEvent>);

/// Returns a hook, and what receives its events.
pub fn audit() -> (impl Fn(&AuthEvent) + Send + Sync + 'static, AuditLog) {
    let (sender, receiver) = unbounded_channel();
    let hook = move |event: &AuthEvent| {
        // The test may be over.
        sender.send(event.clone()).ok();
    };
    (hook, AuditLog(receiver))
}

impl AuditLog {
    /// Waits for the next event.
    ///
    /// # Panics
    ///
    /// If there is none in time.
    pub async fn next(&mut self) -> AuthEvent {
        within("an event of the hook", self.0.recv())
            .await
            .expect("the server is still there")
    }

    /// Waits for the next event, and returns it in one line: kind, namespace, user key or `-`, code
    /// or `-`, and whether it is of a guest.
    pub async fn line(&mut self) -> String {
        line(&self.next().await)
    }

    /// Returns the lines of the events that are there already.
    pub fn unread(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok())
            .map(|event| line(&event))
            .collect()
    }
}

fn line(event: &AuthEvent) -> String {
    format!(
        "{:?} {} {} {}{}",
        event.kind(),
        event.namespace(),
        event.user_key().unwrap_or("-"),
        event.code().map_or("-", |code| code.as_str()),
        if event.is_guest() { " guest" } else { "" },
    )
}
