-- How far a conversation's summary reaches: the id of the last turn it tells of; 0 = of none.

ALTER TABLE conversations ADD COLUMN summarised_to INTEGER NOT NULL DEFAULT 0;
