"""
The set-up wizard: questions one after the other, whoever shows them.
"""
