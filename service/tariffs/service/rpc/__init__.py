"""Every call as a plain function from request to answer: the one path behind the server and the local mode.

One module per service; a single line must not pay for importing what runs need, so nothing is gathered here.
"""
