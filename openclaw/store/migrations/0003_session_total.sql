-- All sessions together, under the agent that cannot be: the total costs the same however many agents there are.
INSERT INTO session_counts (agent_id, count) SELECT '', coalesce(sum(count), 0) FROM session_counts;
