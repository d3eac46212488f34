"""What an upgrade or a rollback did, step by step, for people and for programs."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(slots=True)
class Step:
    """One step: its name, how many seconds it took, and what there is to say about it."""

    name: str
    seconds: float = 0.0
    detail: str = ""


@dataclass(slots=True)
class Report:
    """The whole of it; `findings` want a person's attention although the work is done."""

    outcome: Literal["done", "nothing to do", "checked", "failed"] = "done"
    steps: list[Step] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    error: str = ""
    paused_seconds: float = 0.0
    say: Callable[[str], None] = field(default=lambda _: None, repr=False)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step and tell it when it is over, or that it failed."""
        step = Step(name)
        started = time.monotonic()
        try:
            yield step
        finally:
            step.seconds = round(time.monotonic() - started, 3)
            self.steps.append(step)
            self.say(f"{name:28}{step.seconds:8.2f} s  {step.detail}".rstrip())

    @property
    def exit_code(self) -> int:
        """0 done, 1 done with findings, 3 failed and rolled back."""
        return 3 if self.outcome == "failed" else 1 if self.findings else 0

    def as_json(self) -> str:
        """The same for programs."""
        shown = {
            "outcome": self.outcome, "steps": [asdict(step) for step in self.steps], "findings": self.findings,
            "error": self.error, "paused_seconds": round(self.paused_seconds, 3),
        }  # fmt: skip
        return json.dumps(shown, indent=2)
