"""Analytics: folds the history of every complaint into facts, and answers what is asked of them.

Owns: one DuckDB file of facts (a projection: it may be thrown away and comes back from the log),
and a copy of it, a day old at most.
Consumes: everything said of complaints and of messages about them (`handlers.py`).
Publishes: nothing yet; hot spots come with `signals/`.
Promises: every complaint counts exactly once, whatever is replayed or killed; every answer says
how new it is (`as_of`); percentiles are exact; no personal data comes in, so none goes out.

| room | what is in it |
|---|---|
| `projections/` | the facts: how an event changes them, the file they lie in, the loop, `rebuild` |
| `metrics/` | heat map, places, times, deadlines, trend: one question, one statement |
| `reports/` | the fact rows as Parquet for analysts |
| `dashboard/` | the page `/dashboard` and the lists behind its figures |
"""
