"""What beat rings for is there, and rings in the queue of sweeps."""

from django.conf import settings

from authsvc.celery import app


def test_every_task_of_the_schedule_exists_and_has_its_queue() -> None:
    app.loader.import_default_modules()
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert wanted <= set(app.tasks)
    assert wanted == set(settings.CELERY_TASK_ROUTES)
