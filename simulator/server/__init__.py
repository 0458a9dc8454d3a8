"""The HTTP server, the state of one simulator, its reports, and the API that controls it."""
