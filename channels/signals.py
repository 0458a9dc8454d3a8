"""What others may want to know of senders. Sent inside the transaction that changes it."""

from django.dispatch import Signal

# row: the channels.models.Sender; health: its channels.breaker.Health; over: whether it is over
sender_alert = Signal()
