-- An answer can be asked for again. A turn that was is no more what the model remembers: the later one is.

ALTER TABLE turns ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0;
