CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role          TEXT NOT NULL CHECK (role IN ('member', 'moderator', 'admin')),
    password_hash TEXT NOT NULL
) STRICT;

-- One login of one browser, which keeps a refresh token. Here is only its hash.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    text    TEXT NOT NULL,
    sent_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE VIEW history AS
    SELECT messages.id, users.name AS author, users.role, text, sent_at
    FROM messages JOIN users ON users.id = user_id;
