"""The few writes that every login makes: one SQL statement each on PostgreSQL, the portable form beside it for SQLite.

Each module holds both forms of one write behind one function; the statement is in the `.sql` file of the same name.
One set of tests runs over both, and another compares what they write. The rest of the app uses the ORM.
"""
