-- Pictures that came with a message, apart from the turns' JSON: they are read only to answer a turn and to export it.
-- `number` is what `turns.attachments` calls the picture.

CREATE TABLE images (
    turn INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (turn, number)
);
