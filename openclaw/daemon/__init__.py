"""
The gateway as a service of the system: systemd, launchd, Windows' task scheduler. No Twisted in here.
"""
