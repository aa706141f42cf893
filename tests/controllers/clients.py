"""Clients of a team's service, who send requests through the gateway all the time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.controllers.envoy import Answer, GatewayClient, Tokens

TOKENS: Final = Tokens()


@dataclass
class Clients:
    """Requests to a service of a team, ten a second. answers: in their order."""

    client: GatewayClient
    team: str
    service: str
    answers: list[Answer] = field(default_factory=list[Answer])

    def ask(self, token: str) -> Answer:
        """Ask for the prediction of two customers: one with few orders, and one with many."""
        return self.predict(token, [[1.0, 2.0], [9.0, 19.0]])

    def predict(self, token: str, rows: list[list[float]]) -> Answer:
        """Ask for the predictions of customers. Status 0: there was no answer."""
        path = f"/{self.team}/{self.service}/v1/models/{self.service}:predict"
        try:
            return self.client.ask(path, token, body={"instances": rows})
        except OSError as error:
            return Answer(0, str(error))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests until the end."""
        stop = threading.Event()

        def send() -> None:
            while not stop.wait(0.2):
                self.answers.append(self.ask(TOKENS.token(self.team)))

        threads = [threading.Thread(target=send, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    def recent(self, count: int, known: int) -> list[Answer] | None:
        """Return the last answers, all of them after a number of them; None until there are so many."""
        answers = self.answers[known:]
        return answers[-count:] if len(answers) >= count else None
