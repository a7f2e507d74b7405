-- Conversations, their turns (which are the queue), the steps of a turn (its checkpoint journal), what was posted where.
-- Times are UTC, ISO-8601 text; order is the id.

CREATE TABLE conversations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    owner TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    agent TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'completed')),
    started_at TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT '{}',
    summary TEXT NOT NULL DEFAULT '',
    extras TEXT NOT NULL DEFAULT '{}'
);

-- One place holds at most one active conversation: two first messages at once open one.
CREATE UNIQUE INDEX conversation_active ON conversations (platform, workspace, channel, thread)
    WHERE status = 'active';
CREATE INDEX conversation_place ON conversations (platform, workspace, channel, number);
CREATE INDEX conversation_owner ON conversations (platform, owner, number);

CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations (number) ON DELETE CASCADE,
    event_key TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    author_name TEXT NOT NULL,
    shared INTEGER NOT NULL DEFAULT 0,
    user_message TEXT NOT NULL,
    attachments TEXT NOT NULL DEFAULT '[]',
    status TEXT NOT NULL
        CHECK (status IN ('queued', 'running', 'answered', 'failed', 'stopped', 'cancelled')),
    attempt INTEGER NOT NULL DEFAULT 0,
    stop_requested INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    agent_response TEXT,
    llm_raw_response TEXT,
    model TEXT,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    rating INTEGER,
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    extras TEXT NOT NULL DEFAULT '{}'
);

CREATE INDEX turn_order ON turns (conversation, id);
CREATE INDEX turn_open ON turns (conversation, id) WHERE status IN ('queued', 'running');

CREATE TABLE steps (
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (turn, seq)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (turn, part)
) WITHOUT ROWID;

CREATE TABLE watermarks (
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    channel TEXT NOT NULL,
    position TEXT NOT NULL,
    PRIMARY KEY (platform, workspace, channel)
) WITHOUT ROWID;

-- Values the program makes once and keeps, such as the key that signs the web page's cookies.
CREATE TABLE keepsakes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
