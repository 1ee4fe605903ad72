"""
Programs of others in the gateway's process: installed packages that add HTTP routes.
"""
