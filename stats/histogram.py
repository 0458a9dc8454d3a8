"""Durations in buckets that grow by a quarter, so that percentiles of any span come from sums of counts. Pure."""

from collections.abc import Mapping

# Upper bounds in seconds, from half a second to a little over a quarter of an hour. The bucket after the last has no
# bound.
BOUNDS: tuple[float, ...] = tuple(round(0.5 * 1.25**step, 2) for step in range(35))
BEYOND = len(BOUNDS)


def bucket_of(seconds: float) -> int:
    """The bucket of a duration; negative ones (two clocks) are in the first."""
    return next((bucket for bucket, bound in enumerate(BOUNDS) if seconds <= bound), BEYOND)


def case_of(column: str) -> str:
    """`bucket_of` as an SQL expression of a column that holds seconds."""
    whens = " ".join(f"WHEN {column} <= {bound} THEN {bucket}" for bucket, bound in enumerate(BOUNDS))
    return f"CASE {whens} ELSE {BEYOND} END"


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Seconds within which this share of the durations lies, within a quarter; None: there are none.

    Between the bounds of a bucket it is interpolated. What lies beyond the last bound counts as that bound.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted, below = share * total, 0
    for bucket in sorted(counts):
        if below + counts[bucket] >= wanted:
            lower = BOUNDS[bucket - 1] if bucket else 0.0
            upper = BOUNDS[min(bucket, BEYOND - 1)]
            return round(lower + (upper - lower) * (wanted - below) / counts[bucket], 2)
        below += counts[bucket]
    return BOUNDS[-1]
