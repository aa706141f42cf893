"""The middleware: one request through faults, intents, rules, journal and moto (or our EKS)."""

from __future__ import annotations

import json
import logging
import threading
import time
from importlib import metadata
from typing import Any

from twin.aws import prices, queues, service_quotas
from twin.aws.call import Answer, Call, Refusal, refusal
from twin.aws.draws import Draws
from twin.aws.faults import Faults
from twin.aws.journal import Journal, Replay
from twin.aws.pinned import Pinned
from twin.world import World

LOG = logging.getLogger(__name__)
UNAVAILABLE_HEADER = "HTTP_X_TWIN_UNAVAILABLE"
SERVICE_HEADER = "HTTP_X_TWIN_SERVICE"
TOLD = 20
"""Calls of a kind that a start's log names."""


class Front:
    """One world's AWS."""

    def __init__(self, world: World) -> None:
        self.world = world
        folder = world.folder / "aws"
        self.journal = Journal(folder / "journal.db")
        self.faults = Faults(folder / "faults.json")
        epoch = float(self.journal.meta("epoch", lambda: repr(float(int(time.time())))))
        self.moto = Pinned(world.account, world.region, epoch)
        from twin.aws import authorize, baseline, capacity, inventory, mends, private, rules, vending
        from twin.aws.athena.service import Athena
        from twin.aws.eks import auth
        from twin.aws.eks.service import Eks
        from twin.aws.iceberg_rest import Rest
        from twin.aws.identity import Identity
        from twin.aws.lambdas import deliveries
        from twin.aws.lambdas.invoke import Functions
        from twin.aws.lambdas.urls import FunctionUrls
        from twin.aws.notices import Notices
        from twin.aws.registry import EcrRegistry
        from twin.aws.state_machines.executions import Executions
        from twin.aws.streams import Streams

        capacity.install()
        mends.install()
        queues.install()
        deliveries.install()
        self._rules = rules
        self._vending = vending
        self._pods = auth
        self._authorize = authorize
        self._inventory = inventory
        self._baseline = baseline
        self._private = private
        self._creating = threading.RLock()
        self.identity = Identity(world, self.moto)
        baseline.make(self.moto)
        self.replayed = self._remember()
        self.eks = Eks(self)
        self._rest = Rest(self)
        self._registry = EcrRegistry(self)
        if not self._inventory.of(self) and len(self.journal):
            self.journal.clear()
            self.journal.set_meta("epoch", repr(epoch))
            self.moto.forget()
            baseline.make(self.moto)
        self.athena = Athena(self)
        self.functions = Functions(self)
        self.executions = Executions(self)
        self.deliveries = deliveries.Deliveries(self)
        self._urls = FunctionUrls(self)
        self.streams = Streams(self)
        self.notices = Notices(self)
        self.eks.recover()

    @property
    def greeting(self) -> str:
        """One line on what the start found."""
        found = self.replayed
        return (
            f"{found.calls} calls remembered in {found.seconds:.2f} s, {found.finished} finished, "
            f"{len(found.differing)} answered otherwise than before, {len(found.renamed)} with other ids"
        )

    def handle(self, environ: dict[str, Any]) -> Answer:
        """A WSGI request."""
        if environ.get("PATH_INFO", "").startswith("/_twin/"):
            return self._private.handle(self, environ)
        environ.pop(SERVICE_HEADER, None)  # only this process speaks for an AWS service
        if self._registry.serves(environ):
            return self._registry.answer(environ)
        if self._urls.serves(environ):
            return self._urls.answer(environ)
        call = Call.of(environ)
        try:
            if not self._rest.serves(call):  # which looks for itself
                self.identity.signed(call)
            return self.call(call)
        except Refusal as error:
            return refusal(call, error)
        except NotImplementedError as error:
            text = f"{call.service}:{call.operation} is not in the twin: {error}"
            return refusal(call, Refusal("UnsupportedOperation", text, 501))
        except Exception:
            # A defect of the twin: its words must reach who asked, and the log tells where.
            LOG.exception("%s:%s failed in the twin", call.service, call.operation)
            text = f"{call.service}:{call.operation} failed in the twin itself; see its log"
            return refusal(call, Refusal("TwinDefect", text, 501))

    def call(self, call: Call, *, trusted: bool = False) -> Answer:
        """An AWS call. trusted: from this process, in the name of an AWS service. Raises Refusal."""
        if not trusted and self._rest.serves(call):
            return self._rest.answer(call)
        if not trusted:
            self.faults.strike(call)
            self.identity.known(call)
            self._authorize.check(call, self)
        if call.service == "eks":
            return self.eks.call(call)
        own = (
            self.identity.answer(call)
            or self.athena.answer(call)
            or self._registry.token(call)
            or self._vending.answer(call, self)
            or self._pods.answer(call, self)
            or self.functions.answer(call)
            or self.executions.answer(call)
            or service_quotas.answer(call, self)
            or prices.answer(call)
        )
        if own:
            return own
        if not call.mutating:
            return self._read(call)
        awaited = queues.awaited(call, self)
        if isinstance(awaited, Answer):
            return awaited
        call = awaited
        with self.moto.lock:
            before = self.journal.answered(call.key)
            if before:
                return before
            self._rules.check(call, self)
            short = self.faults.shortage()
            if short:
                call.environ[UNAVAILABLE_HEADER] = json.dumps(short)
            answer = self.journal.perform(call, self._write)
            if call.service == "athena":
                self.athena.begin(call, answer)
            self.streams.take(call)
        self.notices.take(call, answer)
        self.executions.take(call, answer)
        self.deliveries.take(call, answer)
        if (call.service, call.operation) == ("logs", "DeleteLogGroup"):
            self.eks.log_group_deleted(str(call.params.get("logGroupName")))
        return answer

    def close(self) -> None:
        """Let go of the files."""
        self.notices.close()
        self.streams.close()
        self.executions.close()
        self.deliveries.close()
        self.functions.close()
        self.athena.close()
        self.eks.close()
        self.journal.close()

    def _read(self, call: Call) -> Answer:
        with self.moto.lock:
            self._rules.check(call, self)
            answer = self._rules.extension(call, self.moto) or self.moto.read(call)
            return self._rules.seen(call, self, answer)

    def _write(self, call: Call, chance: Draws, at: float) -> Answer:
        from twin.aws import capacity
        from twin.aws.pinned import pinned

        with self.moto.lock, capacity.missing(call.environ.get(UNAVAILABLE_HEADER)):
            with pinned(chance.seed, at, chance):
                own = self._rules.extension(call, self.moto)
            return own or self.moto.write(call, chance, at)

    def _remember(self) -> Replay:
        found = self.journal.replay(self._write)
        for line in found.renamed[:TOLD]:
            LOG.error("other ids than before: call %s", line)
        for line in found.differing[:TOLD]:
            LOG.warning("answered otherwise than before: call %s", line)
        self.journal.set_meta("moto", metadata.version("moto"))
        return found
