"""Every method as a plain function from request to response, used by the server and by the local mode.

One module per service. Nothing is imported here: quoting a single line must not import what runs need.
"""
