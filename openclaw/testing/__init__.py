"""
Test doubles that ship with the package, for our own tests and our users' suites.
"""
