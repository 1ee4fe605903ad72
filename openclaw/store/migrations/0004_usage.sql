-- What was said by models in the last days, for usage.cost.
CREATE INDEX entries_said ON entries (timestamp_ms) WHERE role = 'assistant';
