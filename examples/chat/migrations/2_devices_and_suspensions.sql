-- The browser that a session belongs to, and when it logged in.
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT 'Unknown browser';
ALTER TABLE sessions ADD COLUMN begun_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET begun_at = unixepoch(expires_at, 'unixepoch', '-30 days');

-- Why a user is suspended. NULL if the user is not.
ALTER TABLE users ADD COLUMN suspended_because TEXT;
