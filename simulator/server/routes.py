"""Every route of the simulator: the one list where a further provider is added."""

from simulator.gateway import messages as gateway_messages
from simulator.handsets import phone_page
from simulator.meta import routes as meta_routes
from simulator.server import control
from simulator.server.routing import Router
from simulator.server.simulator import Simulator
from simulator.twilio import account_calls as twilio_account
from simulator.twilio import messages as twilio_messages
from simulator.vonage import messages as vonage_messages


def make_router(simulator: Simulator) -> Router:
    return Router(
        [
            *meta_routes.routes(simulator),
            *twilio_messages.routes(simulator),
            *twilio_account.routes(simulator),
            *gateway_messages.routes(simulator),
            *vonage_messages.routes(simulator),
            *control.routes(simulator),
            *phone_page.routes(),
        ]
    )
