-- People who were forgotten, so that neither a restored backup, nor an import, nor a platform that repeats an event brings
-- anything of them back. Nobody is named: a mark is a hash of a person (`discord:123`) or of an event's key, keyed with a
-- salt. There is one salt, and more only where lists of several databases were put together.
-- `until`: what of the person is from then or before is erased. `expires`: a mark of an event is needed no longer.

CREATE TABLE forgotten_salts (
    salt BLOB PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE forgotten_people (
    mark BLOB PRIMARY KEY,
    until TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE forgotten_events (
    mark BLOB PRIMARY KEY,
    expires TEXT NOT NULL
) WITHOUT ROWID;

-- How often somebody was forgotten in a conversation: a summary that was begun before is not kept.
ALTER TABLE conversations ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;

-- Turns that were imported, or are older than the place they know, by author; the others are found by turn_sender.
CREATE INDEX turn_author ON turns (author) WHERE platform IS NULL;
