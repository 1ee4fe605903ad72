"""
The one way out for what the gateway fetches on someone's behalf: only public addresses, checked at every step.
"""
