//! Users, their logins and their messages, in `SQLite`.

use std::path::Path;

use serde::Serialize;
use socketioxide_jwt_auth::AuthError;
use sqlx::{
    query, query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

#[derive(Clone)]
pub(crate) struct Db(SqlitePool);

/// Later ones may do what earlier ones may.
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
    #[serde(skip)]
    password_hash: String,
    #[serde(skip)]
    blocked_because: Option<String>,
}

impl User {
    pub(crate) fn password_hash(&self) -> &str {
        &self.password_hash
    }

    /// Why a moderator keeps this user out, in words for the user.
    pub(crate) fn check_blocked(self) -> Result<Self, AuthError> {
        match self.blocked_because {
            Some(reason) => Err(AuthError::denied(reason)),
            None => Ok(self),
        }
    }
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
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Wal)).await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self(pool))
    }

    pub(crate) async fn has_users(&self) -> sqlx::Result<bool> {
        query_scalar("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(&self.0).await
    }

    pub(crate) async fn add_user(&self, name: &str, role: Role, password_hash: &str) -> sqlx::Result<()> {
        let insert = query("INSERT INTO users (name, role, password_hash) VALUES (?, ?, ?)");
        insert.bind(name).bind(role).bind(password_hash).execute(&self.0).await.map(drop)
    }

    pub(crate) async fn user(&self, id: i64) -> sqlx::Result<Option<User>> {
        query_as("SELECT * FROM people WHERE id = ?").bind(id).fetch_optional(&self.0).await
    }

    pub(crate) async fn user_by_name(&self, name: &str) -> sqlx::Result<Option<User>> {
        query_as("SELECT * FROM people WHERE name = ?").bind(name).fetch_optional(&self.0).await
    }

    pub(crate) async fn user_of_session(&self, session: &str) -> sqlx::Result<Option<User>> {
        let user = query_as(
            "SELECT people.* FROM people JOIN sessions ON people.id = user_id
             WHERE sessions.id = ? AND expires_at > unixepoch()",
        );
        user.bind(session).fetch_optional(&self.0).await
    }

    pub(crate) async fn block(&self, user: i64, because: &str) -> sqlx::Result<()> {
        let update = query("UPDATE users SET blocked_because = ?, blocked_until = unixepoch() + 600 WHERE id = ?");
        update.bind(because).bind(user).execute(&self.0).await.map(drop)
    }

    pub(crate) async fn add_session(&self, id: &str, user: i64, secret_hash: &str) -> sqlx::Result<()> {
        query("DELETE FROM sessions WHERE expires_at < unixepoch()").execute(&self.0).await?;
        let insert = query(
            "INSERT INTO sessions (id, user_id, secret_hash, rotated_at, expires_at)
             VALUES (?, ?, ?, unixepoch(), unixepoch() + 30 * 86400)",
        );
        insert.bind(id).bind(user).bind(secret_hash).execute(&self.0).await.map(drop)
    }

    /// Replaces the secret of a session. The one before it counts for another 30 seconds, because an answer can get
    /// lost on its way. Any other is a stolen one, or the thief has the real one: nobody goes on with that session.
    pub(crate) async fn rotate_session(&self, id: &str, secret_hash: &str, next_hash: &str) -> sqlx::Result<bool> {
        let update = query(
            "UPDATE sessions SET secret_hash = ?3, previous_hash = ?2, expires_at = unixepoch() + 30 * 86400,
                 rotated_at = iif(secret_hash = ?2, unixepoch(), rotated_at)
             WHERE id = ?1 AND expires_at > unixepoch()
                 AND (secret_hash = ?2 OR (previous_hash = ?2 AND rotated_at > unixepoch() - 30))",
        );
        let rotated = update.bind(id).bind(secret_hash).bind(next_hash).execute(&self.0).await?.rows_affected() == 1;
        if !rotated {
            query("DELETE FROM sessions WHERE id = ?").bind(id).execute(&self.0).await?;
        }
        Ok(rotated)
    }

    /// Returns whose it was.
    pub(crate) async fn end_session(&self, id: &str, secret_hash: &str) -> sqlx::Result<Option<i64>> {
        let delete = query_scalar("DELETE FROM sessions WHERE id = ? AND secret_hash = ? RETURNING user_id");
        delete.bind(id).bind(secret_hash).fetch_optional(&self.0).await
    }

    pub(crate) async fn add_message(&self, user: i64, text: &str) -> sqlx::Result<Message> {
        let insert = query_scalar("INSERT INTO messages (user_id, text) VALUES (?, ?) RETURNING id");
        let id: i64 = insert.bind(user).bind(text).fetch_one(&self.0).await?;
        query_as("SELECT * FROM history WHERE id = ?").bind(id).fetch_one(&self.0).await
    }

    /// The latest messages, oldest first.
    pub(crate) async fn history(&self) -> sqlx::Result<Vec<Message>> {
        query_as("SELECT * FROM (SELECT * FROM history ORDER BY id DESC LIMIT 100) ORDER BY id")
            .fetch_all(&self.0)
            .await
    }

    pub(crate) async fn delete_message(&self, id: i64) -> sqlx::Result<bool> {
        let deleted = query("DELETE FROM messages WHERE id = ?").bind(id).execute(&self.0).await?;
        Ok(deleted.rows_affected() == 1)
    }
}
