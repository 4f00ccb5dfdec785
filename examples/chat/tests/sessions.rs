//! Sessions that are ended by their users and by moderators: over HTTP and with real clients.

use std::{collections::HashMap, env, error::Error, fs, path::PathBuf, process::Stdio};

use reqwest::{
    Client, Response, StatusCode,
    header::{COOKIE, SET_COOKIE, USER_AGENT},
};
use serde_json::{Value, json};
use socketioxide_jwt_auth::testing::{TestClient, TestIssuer};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// The chat with a new database, on a free port.
struct Server {
    http: Client,
    url: String,
    folder: PathBuf,
    passwords: HashMap<String, String>,
    // Killed when dropped.
    _child: Child,
    // The pipe stays open, because writing to a closed one would end the process.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Server {
    async fn start() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let folder = env::temp_dir().join(format!("chat-{:032x}", rand::random::<u128>()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat"))
            .env_clear()
            .env("CHAT_ADDR", "127.0.0.1:0")
            .env("CHAT_DATA", &folder)
            .env("JWT_SECRET", "a secret of thirty-two bytes or more")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let said = child.stdout.take().ok_or("its output is piped")?;
        let mut said = BufReader::new(said).lines();

        let mut passwords = HashMap::new();
        let url = loop {
            let line = said.next_line().await?.ok_or("it ended")?;
            if let Some(url) = line.strip_prefix("The chat is open: ") {
                break url.to_owned();
            }
            let words: Vec<_> = line.split_whitespace().collect();
            if let [name, password, _role] = words[..] {
                passwords.insert(name.to_owned(), password.to_owned());
            }
        };

        Ok(Self {
            http: Client::new(),
            url,
            folder,
            passwords,
            _child: child,
            _said: said,
        })
    }

    async fn post_login(&self, name: &str, cookie: &str) -> reqwest::Result<Response> {
        let body = json!({ "name": name, "password": self.passwords[name] });
        self.http
            .post(format!("{}/login", self.url))
            .header("content-type", "application/json")
            .header(COOKIE, cookie)
            .header(USER_AGENT, "Firefox/143.0 (Linux)")
            .body(body.to_string())
            .send()
            .await
    }

    /// Logs in, in a browser that has a cookie or none.
    async fn log_in_with(
        &self,
        name: &str,
        cookie: &str,
    ) -> Result<Login, Box<dyn Error + Send + Sync>> {
        let response = self.post_login(name, cookie).await?.error_for_status()?;
        let cookie = response.headers()[SET_COOKIE].to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let answer: Value = serde_json::from_str(&response.text().await?)?;
        let token = answer["token"].as_str().ok_or("no token")?.to_owned();
        Ok(Login { cookie, token })
    }

    async fn log_in(&self, name: &str) -> Result<Login, Box<dyn Error + Send + Sync>> {
        self.log_in_with(name, "").await
    }

    async fn connect(&self, login: &Login) -> Result<TestClient, Box<dyn Error + Send + Sync>> {
        let mut client = TestClient::connect(&self.url).token(&login.token).await?;
        client.next_event("presence").await?;
        Ok(client)
    }

    /// Returns the devices of a user.
    async fn devices(&self, login: &Login) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let request = self.http.get(format!("{}/devices", self.url));
        let response = request.bearer_auth(&login.token).send().await?;
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        let answer: Value = serde_json::from_str(&response.text().await?)?;
        assert_eq!(is_refused, answer["code"].is_string(), "{answer}");
        Ok(answer)
    }

    /// Returns the id of a login's session.
    async fn session(&self, login: &Login) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let devices = self.devices(login).await?;
        let mut devices = devices.as_array().ok_or("a list")?.iter();
        let own = devices.find(|device| device["is_this"] == true);
        Ok(own.ok_or("it is in its own list")?["id"].clone())
    }

    /// Asserts that a login has ended: it gets no more tokens, and the one that it has is refused.
    async fn assert_ended(&self, login: &Login) -> Outcome {
        self.assert_ended_with(login, "token_revoked").await
    }

    /// Asserts that a login has ended. `code` is the refusal of its token by an HTTP route.
    async fn assert_ended_with(&self, login: &Login, code: &str) -> Outcome {
        let request = self.http.post(format!("{}/token", self.url));
        let renewed = request.header(COOKIE, &login.cookie).send().await?;
        assert_eq!(renewed.text().await?, "null");

        assert_eq!(self.devices(login).await?["code"], code);
        let refusal = TestClient::connect(&self.url)
            .token(&login.token)
            .await
            .expect_err("the token is refused");
        assert!(
            ["token_revoked", "user_not_found"].contains(&refusal.code()),
            "{refusal:?}"
        );
        Ok(())
    }

    async fn assert_goes_on(&self, login: &Login) -> Outcome {
        assert!(self.devices(login).await?.is_array());
        self.connect(login).await?.disconnect().await?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

struct Login {
    cookie: String,
    token: String,
}

/// Asserts that the server ends a socket with this code.
async fn assert_is_ended(client: &mut TestClient, code: &str) -> Outcome {
    assert_eq!(client.next_event("unauthorized").await?[0]["code"], code);
    client.disconnected().await?;
    Ok(())
}

/// The ids of the users, in the order in which they are made.
const MAYA: i64 = 1;
const JONAS: i64 = 2;
const PRIYA: i64 = 3;

#[tokio::test]
async fn a_device_is_ended_by_its_user() -> Outcome {
    let server = Server::start().await?;
    let (desktop, phone) = (server.log_in("Maya").await?, server.log_in("Maya").await?);
    let mut on_desktop = server.connect(&desktop).await?;
    let mut on_phone = server.connect(&phone).await?;
    let devices = server.devices(&desktop).await?;
    assert_eq!(devices.as_array().map(Vec::len), Some(2));
    assert_eq!(devices[0]["browser"], "Firefox on Linux");
    assert_eq!(devices[0]["is_connected"], true);

    let phone_session = server.session(&phone).await?;
    let answer = on_desktop
        .emit_with_ack("end_device", [&phone_session])
        .await?;
    assert_eq!(answer, json!([null]));
    assert_is_ended(&mut on_phone, "session_ended").await?;
    server.assert_ended(&phone).await?;
    server.assert_goes_on(&desktop).await?;

    let answer = on_desktop
        .emit_with_ack("end_device", [&phone_session])
        .await?;
    assert_eq!(answer[0]["error"]["code"], "denied");
    Ok(())
}

#[tokio::test]
async fn a_device_is_not_ended_by_another_user() -> Outcome {
    let server = Server::start().await?;
    let (maya, priya) = (server.log_in("Maya").await?, server.log_in("Priya").await?);
    let session = server.session(&maya).await?;
    let mut admin = server.connect(&priya).await?;
    let answer = admin.emit_with_ack("end_device", [&session]).await?;
    assert_eq!(answer[0]["error"]["code"], "denied");
    admin.emit_with_ack("end_other_devices", json!([])).await?;
    server.assert_goes_on(&maya).await?;

    let mut guest = TestClient::connect(&server.url).await?;
    guest.next_event("presence").await?;
    for event in ["end_device", "end_other_devices"] {
        let answer = guest.emit_with_ack(event, [&session]).await?;
        assert_eq!(answer[0]["error"]["code"], "login_required", "{event}");
    }
    server.assert_goes_on(&maya).await
}

#[tokio::test]
async fn all_other_devices_are_ended() -> Outcome {
    let server = Server::start().await?;
    let desktop = server.log_in("Maya").await?;
    let others = [server.log_in("Maya").await?, server.log_in("Maya").await?];
    let mut on_desktop = server.connect(&desktop).await?;
    let mut second_window = server.connect(&desktop).await?;
    let mut elsewhere = server.connect(&others[0]).await?;

    let answer = on_desktop
        .emit_with_ack("end_other_devices", json!([]))
        .await?;
    assert_eq!(answer, json!([null]));
    assert_is_ended(&mut elsewhere, "session_ended").await?;
    for other in &others {
        server.assert_ended(other).await?;
    }
    server.assert_goes_on(&desktop).await?;
    second_window.emit_with_ack("post", "still here").await?;
    Ok(())
}

#[tokio::test]
async fn a_second_login_of_a_browser_ends_the_first() -> Outcome {
    let server = Server::start().await?;
    let first = server.log_in("Maya").await?;
    let second = server.log_in_with("Jonas", &first.cookie).await?;
    server.assert_ended_with(&first, "session_ended").await?;
    server.assert_goes_on(&second).await
}

#[tokio::test]
async fn a_login_without_the_right_password_is_refused() -> Outcome {
    let mut server = Server::start().await?;

    for name in ["Maya", "nobody"] {
        server.passwords.insert(name.to_owned(), "wrong".to_owned());
        let refusal = server.post_login(name, "").await?;
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        assert!(!refusal.headers().contains_key(SET_COOKIE));
        let refusal: Value = serde_json::from_str(&refusal.text().await?)?;
        assert_eq!(
            refusal,
            json!({ "code": "wrong_password", "message": "Wrong name or password.", "action": "login" })
        );
    }

    Ok(())
}

#[tokio::test]
async fn devices_are_listed_for_users_only() -> Outcome {
    let server = Server::start().await?;
    let guest = Login {
        cookie: String::new(),
        token: String::new(),
    };
    assert_eq!(server.devices(&guest).await?["code"], "login_required");

    let forger = Login {
        token: TestIssuer::new().token(MAYA.to_string()).sign(),
        ..guest
    };
    assert_eq!(
        server.devices(&forger).await?["code"],
        "token_signature_invalid"
    );
    Ok(())
}

#[tokio::test]
async fn a_suspended_user_is_out_until_the_suspension_is_lifted() -> Outcome {
    let server = Server::start().await?;
    let (maya, jonas) = (server.log_in("Maya").await?, server.log_in("Jonas").await?);
    let mut member = server.connect(&maya).await?;
    let mut moderator = server.connect(&jonas).await?;
    assert_eq!(moderator.next_event("suspensions").await?, json!([[]]));

    let answer = moderator
        .emit_with_ack("suspend", (MAYA, " Advertising. "))
        .await?;
    assert_eq!(answer, json!([null]));
    let told = member.next_event("unauthorized").await?;
    assert_eq!(told[0]["message"], "Jonas suspended you: Advertising.");
    member.disconnected().await?;
    server.assert_ended(&maya).await?;
    let refusal = server.post_login("Maya", "").await?;
    assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
    let refusal: Value = serde_json::from_str(&refusal.text().await?)?;
    assert_eq!(
        refusal["message"],
        "Your account is suspended: Advertising."
    );
    let suspended = moderator.next_event("suspensions").await?;
    assert_eq!(
        suspended,
        json!([[{ "id": MAYA, "name": "Maya", "role": "member", "reason": "Advertising." }]])
    );

    let answer = moderator.emit_with_ack("lift_suspension", MAYA).await?;
    assert_eq!(answer, json!([null]));
    assert_eq!(moderator.next_event("suspensions").await?, json!([[]]));
    server.assert_ended(&maya).await?;
    assert_eq!(
        server.post_login("Maya", "").await?.status(),
        StatusCode::OK
    );
    Ok(())
}

#[tokio::test]
async fn only_moderators_suspend_and_only_those_below_them() -> Outcome {
    let server = Server::start().await?;
    let (maya, jonas) = (server.log_in("Maya").await?, server.log_in("Jonas").await?);
    let mut member = server.connect(&maya).await?;
    for event in ["suspend", "lift_suspension"] {
        let answer = member.emit_with_ack(event, (JONAS, "Because.")).await?;
        assert_eq!(answer[0]["error"]["code"], "forbidden", "{event}");
    }

    let mut moderator = server.connect(&jonas).await?;
    for user in [JONAS, PRIYA, 4] {
        let answer = moderator
            .emit_with_ack("suspend", (user, "Because."))
            .await?;
        assert_eq!(answer[0]["error"]["code"], "denied", "user {user}");
    }
    let answer = moderator.emit_with_ack("suspend", (MAYA, "  ")).await?;
    assert_eq!(answer[0]["error"]["message"], "Write 1 to 200 characters.");
    server.assert_goes_on(&maya).await?;
    server.assert_goes_on(&jonas).await
}
