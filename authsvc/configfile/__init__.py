"""Configuration as a file (interface.md section 3): read it, compare it with the database, make them match, write it.

reading     YAML text → wishes, or problems with their paths
applying    wishes → changes, in one transaction
exporting   database → the same YAML, without secrets
clients     all three for OpenID Connect clients
"""
