"""The configuration file (docs/contract.md, section 3): read it, compare it with the database, apply it, write it.

document    YAML text → plain values
section     what all sections of the file have in common
schema      plain values → FileSpec, or every problem with its path
apply       FileSpec → changes, in one transaction; report: what changed
export      database → the same YAML, without secrets
senders     all three for senders; clients: the latter two for OpenID Connect clients
"""
