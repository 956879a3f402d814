"""Everything in Postgres: tables, claims, and a module of named queries for each kind of row.

Every function takes an open connection: the caller decides where a transaction begins and ends (``Database.begin``).
No transaction is ever open while something outside Postgres is asked.
"""
