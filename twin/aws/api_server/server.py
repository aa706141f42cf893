"""The middleware: one request through injected errors, intents, rules, journal and moto (or our EKS)."""

from __future__ import annotations

import json
import logging
import threading
import time
from importlib import metadata
from typing import Any

from twin.aws.api_server.deterministic_moto import DeterministicMoto
from twin.aws.api_server.fault_injection import InjectedFaults
from twin.aws.api_server.journal import Journal, Replay
from twin.aws.api_server.recorded_randomness import Draws
from twin.aws.api_server.request import Answer, Call, Refusal, refusal
from twin.aws.services.ec2.operations import prices
from twin.aws.services.servicequotas import operations as servicequotas
from twin.aws.services.sqs import operations as sqs
from twin.instances import Instance

LOG = logging.getLogger(__name__)
UNAVAILABLE_HEADER = "HTTP_X_TWIN_UNAVAILABLE"
SERVICE_HEADER = "HTTP_X_TWIN_SERVICE"
REPORTED = 20
"""Calls of a kind that a start's log names."""


class ApiServer:
    """One instance's AWS."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        folder = instance.folder / "aws"
        self.journal = Journal(folder / "journal.db")
        self.faults = InjectedFaults(folder / "faults.json")
        epoch = float(self.journal.meta("epoch", lambda: repr(float(int(time.time())))))
        self.moto = DeterministicMoto(instance.account, instance.region, epoch)
        from twin.aws.api_server import admin_api, initial_state, inventory, rules
        from twin.aws.iam import authorization
        from twin.aws.iam.identity import Identity
        from twin.aws.services.athena.queries.service import Athena
        from twin.aws.services.ecr.registry import EcrRegistry
        from twin.aws.services.eks.operations import auth
        from twin.aws.services.eks.operations.service import Eks
        from twin.aws.services.events.operations import Notices
        from twin.aws.services.firehose.delivery import Streams
        from twin.aws.services.glue.iceberg_rest import Rest
        from twin.aws.services.lakeformation import credential_vending
        from twin.aws.services.lambdas import deliveries
        from twin.aws.services.lambdas.invoke import Functions
        from twin.aws.services.lambdas.urls import FunctionUrls
        from twin.aws.services.stepfunctions.executions import Executions

        _patch_moto()
        self._rules = rules
        self._vending = credential_vending
        self._pods = auth
        self._authorize = authorization
        self._inventory = inventory
        self._baseline = initial_state
        self._private = admin_api
        self._creating = threading.RLock()
        self.identity = Identity(instance, self.moto)
        initial_state.make(self.moto)
        self.replayed = self._remember()
        self.eks = Eks(self)
        self._rest = Rest(self)
        self._registry = EcrRegistry(self)
        if not self._inventory.of(self) and len(self.journal):
            self.journal.clear()
            self.journal.set_meta("epoch", repr(epoch))
            self.moto.forget()
            initial_state.make(self.moto)
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
        replay = self.replayed
        return (
            f"{replay.calls} calls remembered in {replay.seconds:.2f} s, {replay.finished} finished, "
            f"{len(replay.differing)} answered otherwise than before, {len(replay.renamed)} with other ids"
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
            # A defect of the twin: its words must reach who asked, and the log reports where.
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
        handled = (
            self.identity.answer(call)
            or self.athena.answer(call)
            or self._registry.token(call)
            or self._vending.answer(call, self)
            or self._pods.answer(call, self)
            or self.functions.answer(call)
            or self.executions.answer(call)
            or servicequotas.answer(call, self)
            or prices.answer(call)
        )
        if handled:
            return handled
        if not call.mutating:
            return self._read(call)
        awaited = sqs.awaited(call, self)
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
        """Close the files."""
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
        from twin.aws.api_server.deterministic_moto import deterministic
        from twin.aws.services.autoscaling import capacity

        with self.moto.lock, capacity.missing(call.environ.get(UNAVAILABLE_HEADER)):
            with deterministic(chance.seed, at, chance):
                answer = self._rules.extension(call, self.moto)
            return answer or self.moto.write(call, chance, at)

    def _remember(self) -> Replay:
        replay = self.journal.replay(self._write)
        for line in replay.renamed[:REPORTED]:
            LOG.error("other ids than before: call %s", line)
        for line in replay.differing[:REPORTED]:
            LOG.warning("answered otherwise than before: call %s", line)
        self.journal.set_meta("moto", metadata.version("moto"))
        return replay


def _patch_moto() -> None:
    from twin.aws.api_server import moto_patches
    from twin.aws.services.autoscaling import capacity
    from twin.aws.services.lambdas import deliveries

    for module in (capacity, moto_patches, sqs, deliveries):
        module.install()
