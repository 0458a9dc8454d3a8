"""What beat does: keep the rollups, and ask providers for the prices that they do not report."""

from celery import shared_task

from stats import reported_prices, rollup

# Beat enqueues both every minute; each must be over by the next one. The last call for prices may begin at the end.
KEEP_SECONDS = 30.0
PRICES_SECONDS = 20.0


@shared_task(name="stats.tasks.keep")  # type: ignore[untyped-decorator] # Celery is not annotated
def keep() -> None:
    rollup.keep(seconds=KEEP_SECONDS)


@shared_task(name="stats.tasks.read_prices")  # type: ignore[untyped-decorator] # Celery is not annotated
def read_prices() -> None:
    reported_prices.read(seconds=PRICES_SECONDS)
