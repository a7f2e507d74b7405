-- Who did what to other people's missions or took them out: written in the transaction of the act itself, so that there
-- is no act without its row and no row without its act. Nothing of what was said is in it.

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    role TEXT NOT NULL,
    act TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL DEFAULT '{}'
);

-- What operators look at (storage/overview.py) is found without reading what they do not ask for. Conversations are
-- written to these when they begin and end; turns only when they fail or are rated badly.

CREATE INDEX conversation_platform ON conversations (platform, number);
CREATE INDEX conversation_status ON conversations (status, number);
CREATE INDEX conversation_agent ON conversations (agent, number);
CREATE INDEX turn_failed ON turns (id) WHERE status = 'failed';
CREATE INDEX turn_disliked ON turns (id) WHERE rating < 0;

-- How many conversations there are.

CREATE TABLE conversation_tally (
    platform TEXT NOT NULL,
    status TEXT NOT NULL,
    conversations INTEGER NOT NULL,
    PRIMARY KEY (platform, status)
) WITHOUT ROWID;

INSERT INTO conversation_tally SELECT platform, status, count(*) FROM conversations GROUP BY platform, status;

CREATE TRIGGER conversation_begun AFTER INSERT ON conversations BEGIN
    INSERT INTO conversation_tally VALUES (new.platform, new.status, 1)
        ON CONFLICT (platform, status) DO UPDATE SET conversations = conversations + 1;
END;
CREATE TRIGGER conversation_changed AFTER UPDATE OF status ON conversations WHEN old.status <> new.status BEGIN
    UPDATE conversation_tally SET conversations = conversations - 1
        WHERE platform = old.platform AND status = old.status;
    INSERT INTO conversation_tally VALUES (new.platform, new.status, 1)
        ON CONFLICT (platform, status) DO UPDATE SET conversations = conversations + 1;
END;
CREATE TRIGGER conversation_gone AFTER DELETE ON conversations BEGIN
    UPDATE conversation_tally SET conversations = conversations - 1
        WHERE platform = old.platform AND status = old.status;
END;

-- What was done on each day (UTC): turns that ended, and what they cost. It is history: it stays when turns are erased,
-- and turns that are imported are none of this bot's days.

CREATE TABLE turn_tally (
    day TEXT NOT NULL,
    platform TEXT NOT NULL,
    outcome TEXT NOT NULL,
    turns INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (day, platform, outcome)
) WITHOUT ROWID;

INSERT INTO turn_tally
    SELECT substr(finished_at, 1, 10), platform, status, count(*), sum(prompt_tokens), sum(completion_tokens)
    FROM turns WHERE platform IS NOT NULL AND finished_at IS NOT NULL GROUP BY 1, 2, 3;

CREATE TRIGGER turn_ended AFTER UPDATE OF finished_at ON turns
    WHEN old.finished_at IS NULL AND new.finished_at IS NOT NULL AND new.platform IS NOT NULL BEGIN
    INSERT INTO turn_tally VALUES
        (substr(new.finished_at, 1, 10), new.platform, new.status, 1, new.prompt_tokens, new.completion_tokens)
        ON CONFLICT (day, platform, outcome) DO UPDATE SET turns = turns + 1,
            prompt_tokens = prompt_tokens + new.prompt_tokens,
            completion_tokens = completion_tokens + new.completion_tokens;
END;
