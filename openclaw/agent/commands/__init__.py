"""
Slash commands: answered without a model, or turned into what the model is to read.
"""
