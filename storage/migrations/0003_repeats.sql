-- An answer can be asked for again: the turn that was answered anew, so that the model remembers one answer only.

ALTER TABLE turns ADD COLUMN repeated_by INTEGER;
