"""Plans of PostgreSQL, as for tables that hold a year."""

from django.db import connection

from core.ids import new_id
from otp.models import Challenge, Delivery


def plan_of(act: object) -> str:
    """The plans of all statements of `act`, with sequential scans made unattractive as on a large table."""
    plans: list[str] = []

    def explain(execute: object, sql: str, params: object, many: object, context: object) -> object:
        if (
            sql.lstrip().split()[0] in ("WITH", "UPDATE", "SELECT", "INSERT", "DELETE")
            and "EXPLAIN" not in sql
        ):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {sql}", params)  # type: ignore[arg-type] # as given
                plans.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)  # type: ignore[operator] # Django's wrapper protocol

    from django.db import transaction

    with transaction.atomic(), connection.execute_wrapper(explain):
        act()  # type: ignore[operator] # a callable
    return "\n".join(plans)


def remember_a_quiet_year(like: Challenge) -> None:
    """Thousands of deliveries of which nothing is due, and a planner that knows it."""
    delivery_like = Delivery.objects.get(challenge=like)
    rows = [{"id": new_id(), "start_key": None} for _ in range(3000)]
    Challenge.objects.bulk_create(Challenge(**{**columns_of(like), **row}) for row in rows)
    Delivery.objects.bulk_create(
        Delivery(**{**columns_of(delivery_like), "id": new_id(), "challenge_id": row["id"], "due_at": None})
        for row in rows
    )
    Delivery.objects.update(due_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def columns_of(row: Challenge | Delivery) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
