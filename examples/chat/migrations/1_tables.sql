CREATE TABLE users (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role            TEXT NOT NULL CHECK (role IN ('member', 'moderator', 'admin')),
    password_hash   TEXT NOT NULL,
    blocked_until   INTEGER NOT NULL DEFAULT 0,
    blocked_because TEXT NOT NULL DEFAULT ''
) STRICT;

-- One login of one browser. The browser keeps `id.secret`; only a hash of the secret is here, and every renewal
-- replaces it.
CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    user_id       INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    secret_hash   TEXT NOT NULL,
    previous_hash TEXT,
    rotated_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    text    TEXT NOT NULL,
    sent_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE VIEW people AS
    SELECT id, name, role, password_hash,
        CASE WHEN blocked_until > unixepoch() THEN blocked_because END AS blocked_because
    FROM users;

CREATE VIEW history AS
    SELECT messages.id, users.name AS author, users.role, text, sent_at
    FROM messages JOIN users ON users.id = user_id;
