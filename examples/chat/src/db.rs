//! Users, their sessions and their messages, in `SQLite`.

use std::path::Path;

use serde::Serialize;
use sqlx::{
    query, query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

pub(crate) struct Db(SqlitePool);

/// The role of a user. Each role includes the rights of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub(crate) enum Role {
    Member,
    Moderator,
    Admin,
}

#[derive(Serialize, sqlx::FromRow)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The id of the session by which the user was found.
    #[serde(skip)]
    #[sqlx(default)]
    pub(crate) session: Option<String>,
}

/// A user who is suspended, and why.
#[derive(Serialize, sqlx::FromRow)]
pub(crate) struct Suspension {
    id: i64,
    name: String,
    role: Role,
    reason: String,
}

/// A session as its user sees it.
#[derive(Serialize, sqlx::FromRow)]
pub(crate) struct Device {
    pub(crate) id: String,
    browser: String,
    begun_at: i64,
}

#[derive(Serialize, sqlx::FromRow)]
pub(crate) struct Message {
    id: i64,
    author: String,
    role: Role,
    text: String,
    sent_at: i64,
}

impl Db {
    pub(crate) async fn open(file: &Path) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self(pool))
    }

    pub(crate) async fn has_users(&self) -> sqlx::Result<bool> {
        query_scalar("SELECT EXISTS (SELECT 1 FROM users)")
            .fetch_one(&self.0)
            .await
    }

    pub(crate) async fn add_user(
        &self,
        name: &str,
        role: Role,
        password_hash: &str,
    ) -> sqlx::Result<()> {
        let insert = query("INSERT INTO users (name, role, password_hash) VALUES (?, ?, ?)");
        insert
            .bind(name)
            .bind(role)
            .bind(password_hash)
            .execute(&self.0)
            .await
            .map(drop)
    }

    pub(crate) async fn user(&self, id: i64) -> sqlx::Result<Option<User>> {
        query_as("SELECT * FROM users WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.0)
            .await
    }

    /// Returns a user's id and the hash of its password.
    pub(crate) async fn credentials(&self, name: &str) -> sqlx::Result<Option<(i64, String)>> {
        query_as("SELECT id, password_hash FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.0)
            .await
    }

    /// Returns why a user is suspended, or `None` if the user is not.
    pub(crate) async fn suspension(&self, user: i64) -> sqlx::Result<Option<String>> {
        query_scalar("SELECT suspended_because FROM users WHERE id = ?")
            .bind(user)
            .fetch_one(&self.0)
            .await
    }

    /// Returns the users who are suspended.
    pub(crate) async fn suspensions(&self) -> sqlx::Result<Vec<Suspension>> {
        let suspended = query_as(
            "SELECT id, name, role, suspended_because AS reason FROM users
             WHERE suspended_because IS NOT NULL ORDER BY name",
        );
        suspended.fetch_all(&self.0).await
    }

    /// Suspends a user, or lifts the suspension if there is no reason.
    pub(crate) async fn set_suspension(&self, user: i64, reason: Option<&str>) -> sqlx::Result<()> {
        query("UPDATE users SET suspended_because = ? WHERE id = ?")
            .bind(reason)
            .bind(user)
            .execute(&self.0)
            .await
            .map(drop)
    }

    pub(crate) async fn begin_session(
        &self,
        id: &str,
        user: i64,
        browser: &str,
    ) -> sqlx::Result<()> {
        query("DELETE FROM sessions WHERE expires_at < unixepoch()")
            .execute(&self.0)
            .await?;
        let insert = query(
            "INSERT INTO sessions (id, user_id, browser, begun_at, expires_at)
             VALUES (?, ?, ?, unixepoch(), unixepoch('now', '+30 days'))",
        );
        insert
            .bind(id)
            .bind(user)
            .bind(browser)
            .execute(&self.0)
            .await
            .map(drop)
    }

    /// Returns the user of a session, or `None` if the session has ended or the user is suspended.
    pub(crate) async fn user_of_session(&self, id: &str) -> sqlx::Result<Option<User>> {
        let user = query_as(
            "SELECT users.*, sessions.id AS session FROM users JOIN sessions ON users.id = user_id
             WHERE sessions.id = ? AND expires_at > unixepoch() AND suspended_because IS NULL",
        );
        user.bind(id).fetch_optional(&self.0).await
    }

    /// Returns the sessions of a user, the latest first.
    pub(crate) async fn devices(&self, user: i64) -> sqlx::Result<Vec<Device>> {
        let devices = query_as(
            "SELECT id, browser, begun_at FROM sessions
             WHERE user_id = ? AND expires_at > unixepoch() ORDER BY begun_at DESC, id",
        );
        devices.bind(user).fetch_all(&self.0).await
    }

    /// Ends a session. Returns whether there was one.
    pub(crate) async fn end_session(&self, id: &str) -> sqlx::Result<bool> {
        let delete = query("DELETE FROM sessions WHERE id = ?").bind(id);
        Ok(delete.execute(&self.0).await?.rows_affected() > 0)
    }

    /// Ends a session if it belongs to the user. Returns whether it did.
    pub(crate) async fn end_session_of(&self, user: i64, id: &str) -> sqlx::Result<bool> {
        let delete = query("DELETE FROM sessions WHERE id = ? AND user_id = ?");
        let ended = delete.bind(id).bind(user).execute(&self.0).await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Ends all sessions of a user but one, and returns their ids. Ends none if that one has ended
    /// itself: of two devices that end each other at once, one remains.
    pub(crate) async fn end_other_sessions(
        &self,
        user: i64,
        kept: &str,
    ) -> sqlx::Result<Vec<String>> {
        let delete = query_scalar(
            "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2
             AND EXISTS (SELECT 1 FROM sessions WHERE id = ?2 AND user_id = ?1) RETURNING id",
        );
        delete.bind(user).bind(kept).fetch_all(&self.0).await
    }

    pub(crate) async fn end_sessions_of(&self, user: i64) -> sqlx::Result<()> {
        query("DELETE FROM sessions WHERE user_id = ?")
            .bind(user)
            .execute(&self.0)
            .await
            .map(drop)
    }

    pub(crate) async fn add_message(&self, user: i64, text: &str) -> sqlx::Result<Message> {
        let insert =
            query_scalar("INSERT INTO messages (user_id, text) VALUES (?, ?) RETURNING id");
        let id: i64 = insert.bind(user).bind(text).fetch_one(&self.0).await?;
        query_as("SELECT * FROM history WHERE id = ?")
            .bind(id)
            .fetch_one(&self.0)
            .await
    }

    pub(crate) async fn delete_message(&self, id: i64) -> sqlx::Result<()> {
        query("DELETE FROM messages WHERE id = ?")
            .bind(id)
            .execute(&self.0)
            .await
            .map(drop)
    }

    /// Returns the latest messages, oldest first.
    pub(crate) async fn history(&self) -> sqlx::Result<Vec<Message>> {
        let latest = query_as(
            "SELECT * FROM (SELECT * FROM history ORDER BY id DESC LIMIT 100) ORDER BY id",
        );
        latest.fetch_all(&self.0).await
    }
}
