"""Drift as a JSON document, for scripts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from llm_contracts.drift.report import ComparedRecording, DriftReport
from llm_contracts.parity.divergence import Severity


def drift_document(report: DriftReport) -> dict[str, Any]:
    """The whole report. `totals` counts differences of each severity, over all recordings."""
    counts = Counter(drift.severity for one in report.compared for drift in one.drifts)
    return {
        "what": report.what,
        "drifted": report.drifted,
        "totals": {str(severity): counts[severity] for severity in Severity},
        "stale": [one.scenario for one in report.stale],
        "compared": [_compared(one, report) for one in report.compared],
    }


def _compared(one: ComparedRecording, report: DriftReport) -> dict[str, Any]:
    return {
        "scenario": one.scenario,
        "state": one.state,
        "severity": one.severity,
        "detail": one.detail,
        "recorded_on": one.recorded_on.isoformat() if one.recorded_on else None,
        "age_days": (report.today - one.recorded_on).days if one.recorded_on else None,
        "before": one.before,
        "after": one.after,
        "asked": list(one.asked),
        "drifts": [asdict(drift) for drift in one.drifts],
    }
