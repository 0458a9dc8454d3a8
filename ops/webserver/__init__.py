"""The web server: granian, with request bodies read before a thread of Django is used.

`bodies` has the limits of bodies, `reader` receives requests and bodies, `environ` passes them to the WSGI application.
"""
