"""
Skills: folders that teach an agent something, and what they need.
"""
