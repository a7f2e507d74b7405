-- What the author of a message could do when it was taken in; a turn that is answered later, perhaps after a crash, has
-- that and no more. Turns that are older than this give no rights.

ALTER TABLE turns ADD COLUMN role TEXT NOT NULL DEFAULT 'everyone';

-- What people asked to be remembered. `owner` is a platform and its id of the person, such as `discord:123`.

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX note_owner ON notes (owner, id);
