"""
Leave to run commands: the file of rules, what a command line really runs, and the questions that people answer.
"""
