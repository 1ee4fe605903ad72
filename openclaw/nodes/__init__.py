"""
Nodes: machines that run commands for the agent, as phones, desktops and headless hosts do.
"""
