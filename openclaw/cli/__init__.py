"""
The command line. One-shot commands import no Twisted.
"""
