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

    pub(crate) async fn begin_session(&self, id: &str, user: i64) -> sqlx::Result<()> {
        query("DELETE FROM sessions WHERE expires_at < unixepoch()")
            .execute(&self.0)
            .await?;
        let insert = query("INSERT INTO sessions VALUES (?, ?, unixepoch('now', '+30 days'))");
        insert.bind(id).bind(user).execute(&self.0).await.map(drop)
    }

    /// Returns the user of a session, or `None` if the session has ended.
    pub(crate) async fn user_of_session(&self, id: &str) -> sqlx::Result<Option<User>> {
        let user = query_as(
            "SELECT users.* FROM users JOIN sessions ON users.id = user_id
             WHERE sessions.id = ? AND expires_at > unixepoch()",
        );
        user.bind(id).fetch_optional(&self.0).await
    }

    /// Ends a session. Returns the id of its user.
    pub(crate) async fn end_session(&self, id: &str) -> sqlx::Result<Option<i64>> {
        query_scalar("DELETE FROM sessions WHERE id = ? RETURNING user_id")
            .bind(id)
            .fetch_optional(&self.0)
            .await
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
