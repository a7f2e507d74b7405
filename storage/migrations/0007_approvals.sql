-- Questions whether a gadget may run. While one of a turn has no verdict and has not expired, the turn is paused: nobody
-- claims it. `round` and `call` name the call in the turn's journal, `arguments` is what people are shown of it.
-- `remote_id` is where the question stands, NULL until it was shown; `pauses` counts the attempts at the turn that ended
-- with this question.

CREATE TABLE approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    round INTEGER NOT NULL,
    call INTEGER NOT NULL,
    gadget TEXT NOT NULL,
    arguments TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    pauses INTEGER NOT NULL DEFAULT 1,
    remote_id TEXT,
    verdict TEXT CHECK (verdict IN ('approved', 'declined', 'expired', 'withdrawn')),
    decided_by TEXT,
    decided_at TEXT,
    UNIQUE (turn, round, call)
);
