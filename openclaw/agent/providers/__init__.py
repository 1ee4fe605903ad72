"""
Model providers: one interface, one module for each way of speaking to a model.
"""
