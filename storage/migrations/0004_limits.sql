-- What the limits count. A turn knows whose it is and where, so that one index walk tells how many came last; turns that
-- are older than this, or imported, have no place here (NULL) and count for nothing.
-- One row of `spending` is what one person, or one workspace, has spent on its latest day: it is replaced on the next.

ALTER TABLE turns ADD COLUMN platform TEXT;
ALTER TABLE turns ADD COLUMN workspace TEXT;
CREATE INDEX turn_sender ON turns (platform, author, id) WHERE platform IS NOT NULL;
CREATE INDEX turn_workspace ON turns (platform, workspace, id) WHERE platform IS NOT NULL;

CREATE TABLE spending (
    platform TEXT NOT NULL,
    whose TEXT NOT NULL CHECK (whose IN ('user', 'workspace')),
    id TEXT NOT NULL,
    day TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (platform, whose, id)
) WITHOUT ROWID;
