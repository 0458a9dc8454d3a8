"""The guided set-up page of a sender: what its provider says of each step, and buttons for what can be done here."""
