"""
Looks after what a gateway keeps while none runs, or beside one that does.
"""
