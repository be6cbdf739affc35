"""The Message Router (seed): where a client's message goes. It has no state of its own."""

from __future__ import annotations

import traceback
from functools import partial
from typing import Any, TypeAlias

import attrs
import structlog
import trio

from .commands import COMMANDS, CommandContext, Services
from .errors import AgentError, ErrorCode, GatewayError, InvalidMessageError, UnknownToolError, explain
from .idempotency import Once, Operation
from .ports import Agent, ToolAgent
from .principal import Principal, Scope
from .protocol import codec, strict_json
from .protocol.messages import (
    ChannelMessage,
    Chat,
    Command,
    CommandError,
    CommandResult,
    GatewayEvent,
    Json,
    Ping,
    Pong,
)
from .session.outcomes import Answer, MessageKey
from .session.requests import Caller, GetSession
from .token_record import scope_names

log = structlog.get_logger(__name__)

_CHAT = frozenset({Scope.CHAT})
"""What it takes to talk with the agent; to call its tools, too, for they are the agent at work."""

_CHANNELS = frozenset({Scope.CHANNELS})


@attrs.frozen
class ToAgent:
    """The caller's session shall answer *chat*."""

    chat: Chat


@attrs.frozen
class ToChannel:
    """*message* goes to the channel that it names."""

    message: ChannelMessage


@attrs.frozen
class Response:
    """The client is answered at once."""

    event: GatewayEvent | None
    """None: the same is being carried out for another connection; the answer comes when it is."""


RouteResult: TypeAlias = ToAgent | ToChannel | Response
IncomingMessage: TypeAlias = Chat | Command | Ping


@attrs.frozen
class MessageRouter:
    """Decides by kind: chats go to the agent or a channel, commands to the table, pings come back."""

    _services: Services
    _agent: Agent
    _command_timeout: float
    """Seconds that the agent's tool may take to answer a command."""

    async def route(self, caller: Caller, message: IncomingMessage) -> RouteResult:
        """
        Decide where *message* goes.

        Raises:
            GatewayError: It can go nowhere.
        """
        match message:
            case Chat():
                return await self.handle_chat(caller, message)
            case Command():
                return await self.handle_command(caller, message)
            case Ping(timestamp):
                return Response(Pong(timestamp))

    async def handle_chat(self, caller: Caller, chat: Chat) -> ToAgent | ToChannel:
        """
        A chat whose `metadata.channel` names a channel goes there, any other to the agent.

        Raises:
            GatewayError: The channel is none, or not the session's; the session is not the caller's; or the
                caller has not the scope (`FORBIDDEN`).
        """
        channel = (chat.metadata or {}).get("channel")
        if channel is None:
            _demand(caller.principal, _CHAT, "a chat")
            return ToAgent(chat)
        _demand(caller.principal, _CHANNELS, "a message to a channel")
        if not isinstance(channel, str):
            raise GatewayError(ErrorCode.INVALID_MESSAGE, "expected a string @ $.metadata.channel")
        session = await self._services.registry.ask(GetSession(caller))
        if session.id != chat.session_id:
            raise GatewayError(ErrorCode.SESSION_MISMATCH, f"this connection watches session {session.id!r}")
        message = await self._services.channels.address(
            caller, channel, chat.content, message_id=chat.id, metadata=chat.metadata
        )
        return ToChannel(message)

    async def handle_command(self, caller: Caller, command: Command) -> Response:
        """Run a command of the table, or offer it to the agent as a tool; the result tells of any failure."""
        refuse = partial(_refusal, command)
        once = Once(self._services.registry, caller, MessageKey.of(command), refuse)
        try:
            return Response(await self._run(once, command))
        except GatewayError as error:
            return Response(refuse(error))

    async def _run(self, once: Once, command: Command) -> Answer | None:
        spec = COMMANDS.get(command.name)
        if spec is None:
            _demand(once.caller.principal, _CHAT, "an agent's tool")
            return await self._offer_to_agent(once, command)
        # Before the arguments are read: who may not ask learns nothing of what could be asked.
        if not spec.is_open_to(once.caller.principal):
            raise _forbidden(spec.scopes, command.name)
        try:
            args: Any = codec.structure({} if command.args is None else command.args, spec.arguments)
        except InvalidMessageError as error:
            raise GatewayError(ErrorCode.INVALID_ARGUMENTS, f"{command.name}: {error}") from None
        result = await spec.run(CommandContext(self._services, once.caller, command.session_id), args)
        if not isinstance(result, Operation):
            return _success(command, result)
        describe = result.describe
        return await once.perform(
            attrs.evolve(result, describe=lambda reply: _success(command, describe(reply)))
        )

    async def _offer_to_agent(self, once: Once, command: Command) -> Answer | None:
        if not isinstance(self._agent, ToolAgent):
            raise _unknown(command)
        return await once.run(partial(self._answer_by_tool, self._agent, command))

    async def _answer_by_tool(self, agent: ToolAgent, command: Command) -> Answer:
        try:
            return _success(command, await self._call_tool(agent, command))
        except GatewayError as error:
            return _refusal(command, error)

    async def _call_tool(self, agent: ToolAgent, command: Command) -> Json:
        """The agent is foreign code: whatever it does, this client is answered in time, and only this one."""
        try:
            with trio.move_on_after(self._command_timeout):
                return _sendable(await agent.call_tool(command.name, command.args))
        except UnknownToolError:
            raise _unknown(command) from None
        except AgentError as error:
            raise GatewayError(ErrorCode.COMMAND_FAILED, explain(error, "the tool")) from error
        except (Exception, SystemExit) as error:
            log.error("tool raised", exception=traceback.format_exc(), tool=command.name)
            raise GatewayError(ErrorCode.COMMAND_FAILED, explain(error, "the tool")) from error
        raise GatewayError(
            ErrorCode.COMMAND_FAILED, f"the tool took longer than {self._command_timeout:g} seconds"
        )


def _demand(principal: Principal, scopes: frozenset[Scope], purpose: str) -> None:
    if not principal.may(scopes):
        raise _forbidden(scopes, purpose)


def _forbidden(scopes: frozenset[Scope], purpose: str) -> GatewayError:
    names = " or ".join(scope_names(scopes))
    return GatewayError(ErrorCode.FORBIDDEN, f"{purpose} takes the scope {names}, which this token has not")


def _success(command: Command, result: object) -> CommandResult:
    value = codec.unstructure(result)
    return CommandResult(command.name, ok=True, id=command.id, session_id=command.session_id, result=value)


def _refusal(command: Command, error: GatewayError) -> CommandResult:
    refusal = CommandError(
        error.code, error.message, retryable=error.retryable or None, retry_after=error.retry_after
    )
    return CommandResult(command.name, ok=False, id=command.id, session_id=command.session_id, error=refusal)


def _unknown(command: Command) -> GatewayError:
    return GatewayError(
        ErrorCode.UNKNOWN_COMMAND, f"no command or tool {command.name!r:.80}; `help` lists the commands"
    )


def _sendable(result: Json) -> Json:
    """
    What a tool returned, as it fits into a frame.

    Raises:
        AgentError: It does not.
    """
    try:
        value = codec.unstructure(result)
        strict_json.dump([value])  # one level deeper, as in `command_result`
    except InvalidMessageError as error:
        raise AgentError(f"the tool's result cannot be sent: {error}") from None
    return value
