// Made by docs/generate.py; edit the gateway's own classes instead.
// The types of what goes over the wire, for whoever checks a program with TypeScript.

/**
 * A JSON value.
 * @typedef {any} Json
 */

/**
 * Open a session, or come back to one.
 *
 * @typedef {object} Connect
 * @property {"connect"} type
 * @property {string | null} [session_id] The session to come back to. Left out, or unknown: a new one.
 * @property {string | null} [auth] The token, where the gateway asks for one.
 * @property {number | null} [protocol] 1 (also when left out): the original gateway's seven events and no more. 2: all.
 * @property {number | null} [last_seq] The last `seq` seen; what came after it is sent again.
 * @property {string | null} [epoch] The `connected.epoch` in which `last_seq` was counted.
 * @property {boolean | null} [exclusive] Close every other connection of the session (4003).
 * @property {boolean | null} [temporary] A session that opens for this `connect` goes with its last watcher, and counts towards no limit.
 * @property {"exact" | "merged" | null} [replay] `exact`: a replay keeps tokens as they were; otherwise it may join neighbours of one turn.
 * @property {Record<string, number> | null} [channels] Channel name → last `seq` seen there (protocol 2).
 * @property {ClientInfo | null} [client] Shown to others in `presence`.
 */

/**
 * What a client says of itself; shown, never trusted.
 *
 * @typedef {object} ClientInfo
 * @property {string} name The name of the program, such as `bamboo-chat`.
 * @property {string | null} [version] The version of that program.
 */

/**
 * A message for the session's agent, or for a channel (`metadata.channel`).
 *
 * @typedef {object} Chat
 * @property {"chat"} type
 * @property {string} content What the user says.
 * @property {string} session_id The connection's own session (`connected.session_id`).
 * @property {string | null} [id] The client's own key for this chat; echoed in `chat_accepted` and `user_message`.
 * @property {Record<string, Json> | null} [metadata] Kept with the message and given to the agent; `channel` names a channel to send it to instead.
 */

/**
 * Run a command of the gateway, or a tool of the agent.
 *
 * @typedef {object} Command
 * @property {"command"} type
 * @property {string} name The name of the command or tool.
 * @property {Json} args The command's arguments: an object; null stands for none.
 * @property {string | null} [id] The client's own key; echoed in `command_result`.
 * @property {string | null} [session_id] The session meant, where it is not the connection's own.
 */

/**
 * Ask for a `pong` with the same timestamp.
 *
 * @typedef {object} Ping
 * @property {"ping"} type
 * @property {number} timestamp Unix milliseconds by the client's clock; echoed, not read.
 */

/**
 * The answer to `connect`: events of `session_id` follow.
 *
 * @typedef {object} Connected
 * @property {"connected"} type
 * @property {string} session_id Send it with each chat, and with `connect` to come back.
 * @property {boolean} resumed Did the session exist before?
 * @property {string | null} [epoch] Changes whenever the log could have lost anything; send it back with `last_seq`.
 * @property {number | null} [last_seq] The newest `seq` of the session when the connection joined it.
 * @property {number | null} [protocol] The protocol spoken from here on.
 * @property {Limits | null} [limits] What the gateway holds this connection to.
 * @property {string | null} [connection_id] The name of this connection in `presence`.
 * @property {Record<string, number> | null} [channels] Channel name → its newest `seq`: the channels that the session has joined, and `"*"` (protocol 2).
 */

/**
 * What the gateway holds a connection to.
 *
 * @typedef {object} Limits
 * @property {number} max_message_bytes Of one message from a client; more closes the socket (1009).
 * @property {number} max_queued_chats Chats of one session that may wait while a turn runs; more is `QUEUE_FULL`.
 * @property {number} heartbeat_interval Seconds between the gateway's pings.
 */

/**
 * A piece of the agent's answer.
 *
 * @typedef {object} AgentToken
 * @property {"agent_token"} type
 * @property {string} session_id Whose agent speaks.
 * @property {string} token Text to append to what came before.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * The agent has called a tool.
 *
 * @typedef {object} AgentToolStart
 * @property {"agent_tool_start"} type
 * @property {string} session_id Whose agent it is.
 * @property {string} tool The name of the tool.
 * @property {string | null} [tool_call_id] The same in the matching `agent_tool_complete`.
 * @property {Json} [args] What it was called with.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * A tool has answered.
 *
 * @typedef {object} AgentToolComplete
 * @property {"agent_tool_complete"} type
 * @property {string} session_id Whose agent it is.
 * @property {string} tool The name of the tool.
 * @property {string} result What it answered, as text; what is no text is JSON.
 * @property {string | null} [tool_call_id] The same as in the matching `agent_tool_start`.
 * @property {boolean | null} [ok] False: `result` says what went wrong.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * The turn is over and all went well.
 *
 * @typedef {object} AgentComplete
 * @property {"agent_complete"} type
 * @property {string} session_id Whose agent has answered.
 * @property {TokenUsage} usage What it has cost.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * What a turn has cost, in the model's tokens.
 *
 * @typedef {object} TokenUsage
 * @property {number} prompt_tokens What the agent has read.
 * @property {number} completion_tokens What it has written.
 * @property {number} total_tokens Both, as the model counts them.
 */

/**
 * Something was refused or failed; inside a log (with `seq`) it ends a turn.
 *
 * @typedef {object} Error
 * @property {"error"} type
 * @property {string} code A row of the table of error codes.
 * @property {string} message What, where and how to fix it, for people.
 * @property {string | null} [session_id] The session concerned, where there is one.
 * @property {string | null} [id] The id of the chat or command that this answers.
 * @property {boolean | null} [retryable] May the same request succeed later, unchanged?
 * @property {number | null} [retry_after] Seconds to wait before that.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * The answer to `ping`.
 *
 * @typedef {object} Pong
 * @property {"pong"} type
 * @property {number} timestamp The ping's own.
 */

/**
 * The chat is in a log: its session's, where `run_id` will answer it, or its channel's.
 *
 * @typedef {object} ChatAccepted
 * @property {"chat_accepted"} type
 * @property {string} session_id The sender's session.
 * @property {string | null} [run_id] The turn that answers it; null: it went to `channel`.
 * @property {number} queued Turns that come before it; 0: it has begun.
 * @property {string | null} [id] The id of the chat.
 * @property {string | null} [channel] The channel that it went to.
 */

/**
 * A turn has begun.
 *
 * @typedef {object} AgentStart
 * @property {"agent_start"} type
 * @property {string} session_id Whose agent answers.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * A chat that the session has accepted, for every watcher.
 *
 * @typedef {object} UserMessage
 * @property {"user_message"} type
 * @property {string} session_id The session that it was said in.
 * @property {string} content What was said.
 * @property {string | null} [id] The id of the chat.
 * @property {Record<string, Json> | null} [metadata] The metadata of the chat.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 * @property {string | null} [channel] Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's.
 */

/**
 * The answer to `command`.
 *
 * @typedef {object} CommandResult
 * @property {"command_result"} type
 * @property {string} name The name of the command.
 * @property {boolean} ok Was it carried out?
 * @property {string | null} [id] The id of the command.
 * @property {string | null} [session_id] The session that the command meant.
 * @property {Json} [result] Shaped as the table of commands says.
 * @property {CommandError | null} [error] Present if and only if `ok` is false.
 */

/**
 * Why a command was refused.
 *
 * @typedef {object} CommandError
 * @property {string} code A row of the table of error codes.
 * @property {string} message What, where and how to fix it, for people.
 * @property {boolean | null} [retryable] May the same command succeed later, unchanged?
 * @property {number | null} [retry_after] Seconds to wait before that.
 */

/**
 * A message sent to a channel that the session has joined.
 *
 * @typedef {object} ChannelMessage
 * @property {"channel_message"} type
 * @property {string} channel Where it was sent; `seq` counts there.
 * @property {string} content What was said.
 * @property {string | null} [session_id] The sender's session; null: it came from outside.
 * @property {string | null} [user_id] Who sent it.
 * @property {string | null} [id] The id of the chat, or the key given to `channel.send`.
 * @property {Record<string, Json> | null} [metadata] What came with it.
 * @property {number | null} [seq] The place in the log: from 1, without holes.
 * @property {string | null} [run_id] The turn that this event belongs to.
 * @property {number | null} [ts] Unix milliseconds when it was appended.
 */

/**
 * Events are missing here: the log no longer holds them.
 *
 * @typedef {object} Gap
 * @property {"gap"} type
 * @property {number} requested The first `seq` that was wanted.
 * @property {number} earliest The first that can still be had; `latest + 1` where there is none.
 * @property {number} latest The newest that can be had.
 * @property {string} epoch The log's, now.
 * @property {string | null} [session_id] Set when the gap is in a session's log.
 * @property {string | null} [channel] Set when the gap is in a channel's log.
 */

/**
 * The session is no more; the connection may `connect` to another.
 *
 * @typedef {object} SessionEnded
 * @property {"session_ended"} type
 * @property {string} session_id The session that was.
 * @property {string} reason For people.
 */

/**
 * Somebody else began or ceased to watch the session.
 *
 * @typedef {object} Presence
 * @property {"presence"} type
 * @property {string} session_id The session watched.
 * @property {"joined" | "left"} event Which of the two.
 * @property {string} connection_id Whose: see `connected.connection_id`.
 * @property {string} user_id Who.
 * @property {number} watchers How many watch it now.
 * @property {ClientInfo | null} [client] What the client said of itself in `connect`.
 */

/**
 * The gateway is about to close; sessions outlive it if their storage does.
 *
 * @typedef {object} Shutdown
 * @property {"shutdown"} type
 * @property {string} reason For people.
 * @property {number | null} [retry_after] Seconds until it is worth while to come back, from the end of the connection on.
 * @property {number | null} [jitter] Seconds behind those over which all clients shall spread, each at random.
 */

/**
 * What to echo.
 *
 * @typedef {object} PingArgs
 * @property {number | null} [timestamp] Unix milliseconds; the gateway's own time, where left out.
 */

/**
 * The echo.
 *
 * @typedef {object} PingResult
 * @property {number} timestamp
 */

/**
 * Nothing.
 *
 * @typedef {object} NoArgs
 */

/**
 * How this connection's session is.
 *
 * @typedef {object} Status
 * @property {string} session_id
 * @property {"idle" | "running"} state
 * @property {string | null} run_id
 * @property {number} queued
 * @property {number} watchers
 * @property {number} last_seq
 * @property {string} epoch
 * @property {number} protocol Spoken with this connection.
 */

/**
 * Which command.
 *
 * @typedef {object} HelpArgs
 * @property {string | null} [name] All of them, where left out.
 */

/**
 * The commands that you may run.
 *
 * @typedef {object} Help
 * @property {Array<CommandHelp>} commands
 */

/**
 * One command.
 *
 * @typedef {object} CommandHelp
 * @property {string} name
 * @property {string} summary
 * @property {Record<string, string>} args Argument → its type, as Python writes it, and its default.
 * @property {Array<string>} result The names of the result's fields.
 * @property {boolean} changes Is a repeat under the same `id` answered with the first result? Otherwise it reads anew.
 * @property {Array<string>} scopes One of them is needed to run it; empty: none is.
 */

/**
 * The new token.
 *
 * @typedef {object} RefreshArgs
 * @property {string} auth Of the same user; the connection keeps what it had if it is not.
 */

/**
 * Who this connection is.
 *
 * @typedef {object} Identity
 * @property {string} user_id
 * @property {Array<string>} scopes
 * @property {number | null} expires_at Unix milliseconds: when the connection closes (4006); null: never.
 */

/**
 * Which page.
 *
 * @typedef {object} ListArgs
 * @property {number} [limit]
 * @property {number} [after] `next` of the page before.
 */

/**
 * Sessions, oldest first.
 *
 * @typedef {object} SessionList
 * @property {Array<SessionInfo>} sessions
 * @property {number | null} next `after` for the next page; null: this is the last.
 */

/**
 * A session.
 *
 * @typedef {object} SessionInfo
 * @property {string} session_id
 * @property {string} user_id
 * @property {string | null} name
 * @property {number} created_at Unix milliseconds.
 * @property {number} last_activity Unix milliseconds.
 * @property {"idle" | "running"} state
 * @property {string | null} run_id
 * @property {number} queued
 * @property {number} watchers
 * @property {Array<string>} channels
 * @property {Record<string, Json>} metadata
 * @property {number} last_seq
 * @property {string} epoch
 * @property {"own" | "chat" | "read"} access What you may do with it: all, read it and chat in it, or read it.
 * @property {Record<string, "chat" | "read"> | null} shares User id → what is granted to them; null where you do not own it.
 */

/**
 * Which session.
 *
 * @typedef {object} SessionArgs
 * @property {string | null} [session_id] The connection's own, where left out.
 */

/**
 * What the session begins with.
 *
 * @typedef {object} CreateArgs
 * @property {string | null} [name]
 * @property {Record<string, Json> | null} [metadata]
 */

/**
 * The new name.
 *
 * @typedef {object} RenameArgs
 * @property {string | null} name Null takes the name away.
 * @property {string | null} [session_id] The connection's own, where left out.
 */

/**
 * What to change.
 *
 * @typedef {object} MetadataArgs
 * @property {Record<string, Json>} metadata Keys to set; a null takes its key away.
 * @property {string | null} [session_id] The connection's own, where left out.
 */

/**
 * What is no more.
 *
 * @typedef {object} Deleted
 * @property {string} session_id
 */

/**
 * Which session, and which page.
 *
 * @typedef {object} HistoryArgs
 * @property {string | null} [session_id] The connection's own, where left out.
 * @property {number} [limit]
 * @property {number | null} [before] `first` of the page after it; the newest page, where left out.
 */

/**
 * Messages of the conversation, oldest first.
 *
 * @typedef {object} HistoryList
 * @property {Array<HistoryMessage>} messages
 * @property {number} first The number of the first of them.
 * @property {boolean} has_more Are there older ones?
 */

/**
 * One message of the conversation.
 *
 * @typedef {object} HistoryMessage
 * @property {"user" | "assistant"} role
 * @property {string} content
 * @property {string} run_id
 * @property {number} ts Unix milliseconds when it began.
 * @property {"running" | "complete" | "failed" | "interrupted"} status `failed`: the content is partial; the turn was aborted or its agent raised. `interrupted`: the same, because the gateway ended in the midst of it.
 * @property {Array<ToolRecord>} tool_calls
 * @property {boolean} truncated It was longer than an answer may be: its end is missing here.
 */

/**
 * One tool call of an assistant message.
 *
 * @typedef {object} ToolRecord
 * @property {string} id
 * @property {string} tool
 * @property {Json} [args]
 * @property {string | null} [result] None: it has not come back.
 * @property {boolean | null} [ok]
 */

/**
 * Which session, and which of its turns.
 *
 * @typedef {object} AbortArgs
 * @property {string | null} [session_id] The connection's own, where left out.
 * @property {string | null} [run_id] All that run or wait, where left out.
 */

/**
 * The turns that are no more.
 *
 * @typedef {object} Aborted
 * @property {Array<string>} aborted Their `run_id`s.
 */

/**
 * With whom, and how far.
 *
 * @typedef {object} ShareArgs
 * @property {string} user_id To whom it is granted; they need not be connected.
 * @property {"read" | "chat" | null} access To read it; to chat in it as well; null: no longer anything.
 * @property {string | null} [session_id] The connection's own, where left out.
 */

/**
 * The channels, oldest first.
 *
 * @typedef {object} ChannelList
 * @property {Array<ChannelInfo>} channels
 */

/**
 * A channel inside the gateway.
 *
 * @typedef {object} ChannelInfo
 * @property {string} name
 * @property {number} members Sessions that have joined.
 * @property {boolean} joined Is the caller's session one of them?
 * @property {number} last_seq
 * @property {boolean} owned May the caller delete it?
 */

/**
 * Its name.
 *
 * @typedef {object} CreateChannelArgs
 * @property {string} name
 */

/**
 * Which channel, and which session.
 *
 * @typedef {object} MembershipArgs
 * @property {string} name
 * @property {string | null} [session_id] The connection's own, where left out.
 */

/**
 * Which channel, from which session, and what.
 *
 * @typedef {object} SendArgs
 * @property {string} name
 * @property {string} content
 * @property {string | null} [session_id] The connection's own, where left out.
 * @property {string | null} [id] The client's own key; it is in the `channel_message`.
 * @property {Record<string, Json> | null} [metadata]
 */

/**
 * Where the message went.
 *
 * @typedef {object} Sent
 * @property {string} name
 */

/**
 * Which channel.
 *
 * @typedef {object} ChannelArgs
 * @property {string} name
 */

/**
 * What is no more.
 *
 * @typedef {object} ChannelDeleted
 * @property {string} name
 */

/**
 * What everybody shall read.
 *
 * @typedef {object} BroadcastArgs
 * @property {string} content
 * @property {Record<string, Json> | null} [metadata]
 */

/**
 * Where it stands.
 *
 * @typedef {object} BroadcastSent
 * @property {number} seq Its place in the log of broadcasts.
 */

/**
 * Who watches a session.
 *
 * @typedef {object} PresenceList
 * @property {string} session_id
 * @property {Array<Watcher>} watchers
 */

/**
 * One connection of a session.
 *
 * @typedef {object} Watcher
 * @property {string} connection_id
 * @property {string} user_id
 * @property {number} protocol
 * @property {ClientInfo | null} client
 * @property {number} connected_at Unix milliseconds.
 */

/**
 * What this gateway is.
 *
 * @typedef {object} GatewayInfo
 * @property {string} name
 * @property {string} version
 * @property {Array<number>} protocols
 * @property {number} uptime Seconds.
 * @property {Limits} limits
 */

/**
 * How the gateway does: `Gateway.statistics()` as JSON.
 *
 * @typedef {object} GatewayStats
 * @property {Json} statistics
 */

/**
 * Name of each event of the gateway → its message.
 *
 * @typedef {{
 *   "connected": Connected,
 *   "agent_token": AgentToken,
 *   "agent_tool_start": AgentToolStart,
 *   "agent_tool_complete": AgentToolComplete,
 *   "agent_complete": AgentComplete,
 *   "error": Error,
 *   "pong": Pong,
 *   "chat_accepted": ChatAccepted,
 *   "agent_start": AgentStart,
 *   "user_message": UserMessage,
 *   "command_result": CommandResult,
 *   "channel_message": ChannelMessage,
 *   "gap": Gap,
 *   "session_ended": SessionEnded,
 *   "presence": Presence,
 *   "shutdown": Shutdown,
 * }} GatewayEvents
 */

/**
 * Whatever the gateway says.
 * @typedef {GatewayEvents[keyof GatewayEvents]} GatewayEvent
 */

/**
 * Name of each command → its arguments and its result.
 *
 * @typedef {{
 *   "ping": {args: PingArgs, result: PingResult},
 *   "status": {args: NoArgs, result: Status},
 *   "help": {args: HelpArgs, result: Help},
 *   "auth.refresh": {args: RefreshArgs, result: Identity},
 *   "session.list": {args: ListArgs, result: SessionList},
 *   "session.get": {args: SessionArgs, result: SessionInfo},
 *   "session.create": {args: CreateArgs, result: SessionInfo},
 *   "session.rename": {args: RenameArgs, result: SessionInfo},
 *   "session.set_metadata": {args: MetadataArgs, result: SessionInfo},
 *   "session.delete": {args: SessionArgs, result: Deleted},
 *   "session.history": {args: HistoryArgs, result: HistoryList},
 *   "session.abort": {args: AbortArgs, result: Aborted},
 *   "session.share": {args: ShareArgs, result: SessionInfo},
 *   "channel.list": {args: NoArgs, result: ChannelList},
 *   "channel.create": {args: CreateChannelArgs, result: ChannelInfo},
 *   "channel.join": {args: MembershipArgs, result: ChannelInfo},
 *   "channel.leave": {args: MembershipArgs, result: ChannelInfo},
 *   "channel.send": {args: SendArgs, result: Sent},
 *   "channel.delete": {args: ChannelArgs, result: ChannelDeleted},
 *   "broadcast.send": {args: BroadcastArgs, result: BroadcastSent},
 *   "presence.list": {args: SessionArgs, result: PresenceList},
 *   "gateway.info": {args: NoArgs, result: GatewayInfo},
 *   "gateway.stats": {args: NoArgs, result: GatewayStats},
 * }} Commands
 */

export {};
