"""The few writes that every login makes: one SQL statement each on PostgreSQL, the portable form beside it for SQLite.

Each module holds both forms of one write behind one function; one set of tests runs over both. The rest of the
app uses the ORM.
"""
