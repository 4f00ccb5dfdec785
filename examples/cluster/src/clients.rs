//! Clients that print what the server sends.

use std::time::Duration;

use serde_json::{Value, json};
use socketioxide_jwt_auth::testing::TestClient;

use crate::Failure;

/// More than two nodes need to agree on a logout while the machine is busy.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    name: &'static str,
    client: TestClient,
}

impl Client {
    /// Connects a client, as a guest if `token` is `None`.
    pub(crate) async fn connect(
        name: &'static str,
        node: &str,
        token: Option<String>,
    ) -> Result<Self, Failure> {
        let auth = token.map_or_else(|| json!({}), |token| json!({ "token": token }));
        let client = TestClient::connect(node).auth(auth).limit(LIMIT).await?;
        let mut client = Self { name, client };
        client.print_next("welcome").await?;
        Ok(client)
    }

    /// Prints why a connection is refused.
    pub(crate) async fn print_refusal(name: &str, node: &str, token: &str) -> Result<(), Failure> {
        let connection = TestClient::connect(node).token(token).limit(LIMIT).await;
        let refusal = connection.err().ok_or("it should have been refused")?;
        println!("  {name}: refused with {}", refusal.code());
        Ok(())
    }

    pub(crate) async fn emit(&mut self, event: &str, data: Value) -> Result<(), Failure> {
        Ok(self.client.emit(event, data).await?)
    }

    /// Emits an event, and prints the answer.
    pub(crate) async fn ask(&mut self, event: &str, data: Value) -> Result<(), Failure> {
        let answer = self.client.emit_with_ack(event, data).await?;
        println!("  {}: answered {answer}", self.name);
        Ok(())
    }

    /// Waits for an event, and prints it.
    pub(crate) async fn print_next(&mut self, event: &str) -> Result<(), Failure> {
        let arguments = self.client.next_event(event).await?;
        println!("  {}: {event} {arguments}", self.name);
        Ok(())
    }

    /// Waits until the server disconnects the client, and prints that.
    pub(crate) async fn print_end(&mut self) -> Result<(), Failure> {
        self.client.disconnected().await?;
        println!("  {}: disconnected", self.name);
        Ok(())
    }

    pub(crate) async fn leave(self) -> Result<(), Failure> {
        Ok(self.client.disconnect().await?)
    }
}

/// Asks the HTTP route of a node who the user of a token is, and prints the answer.
pub(crate) async fn print_who_am_i(name: &str, node: &str, token: &str) -> Result<(), Failure> {
    let request = reqwest::Client::new().get(format!("{node}/me"));
    let response = request.bearer_auth(token).timeout(LIMIT).send().await?;
    let status = response.status().as_u16();
    println!("  {name}: GET /me: {status} {}", response.text().await?);
    Ok(())
}
