// Made by docs/generate.py; edit the gateway's own classes instead.
// The types of what goes over the wire, for whoever checks a program with TypeScript.

/** A JSON value. */
export type Json = any;

/** Open a session, or come back to one. */
export interface Connect {
  type: "connect";
  /** The session to come back to. Left out, or unknown: a new one. */
  session_id?: string | null;
  /** The token, where the gateway asks for one. */
  auth?: string | null;
  /** 1 (also when left out): the original gateway's seven events and no more. 2: all. */
  protocol?: number | null;
  /** The last `seq` seen; what came after it is sent again. */
  last_seq?: number | null;
  /** The `connected.epoch` in which `last_seq` was counted. */
  epoch?: string | null;
  /** Close every other connection of the session (4003). */
  exclusive?: boolean | null;
  /** A session that opens for this `connect` goes with its last watcher, and counts towards no limit. */
  temporary?: boolean | null;
  /** `exact`: a replay keeps tokens as they were; otherwise it may join neighbours of one turn. */
  replay?: "exact" | "merged" | null;
  /** Channel name → last `seq` seen there (protocol 2). */
  channels?: Record<string, number> | null;
  /** Shown to others in `presence`. */
  client?: ClientInfo | null;
}

/** What a client says of itself; shown, never trusted. */
export interface ClientInfo {
  /** The name of the program, such as `bamboo-chat`. */
  name: string;
  /** The version of that program. */
  version?: string | null;
}

/** A message for the session's agent, or for a channel (`metadata.channel`). */
export interface Chat {
  type: "chat";
  /** What the user says. */
  content: string;
  /** The connection's own session (`connected.session_id`). */
  session_id: string;
  /** The client's own key for this chat; echoed in `chat_accepted` and `user_message`. */
  id?: string | null;
  /** Kept with the message and given to the agent; `channel` names a channel to send it to instead. */
  metadata?: Record<string, Json> | null;
}

/** Run a command of the gateway, or a tool of the agent. */
export interface Command {
  type: "command";
  /** The name of the command or tool. */
  name: string;
  /** The command's arguments: an object; null stands for none. */
  args: Json;
  /** The client's own key; echoed in `command_result`. */
  id?: string | null;
  /** The session meant, where it is not the connection's own. */
  session_id?: string | null;
}

/** Ask for a `pong` with the same timestamp. */
export interface Ping {
  type: "ping";
  /** Unix milliseconds by the client's clock; echoed, not read. */
  timestamp: number;
}

/** The answer to `connect`: events of `session_id` follow. */
export interface Connected {
  type: "connected";
  /** Send it with each chat, and with `connect` to come back. */
  session_id: string;
  /** Did the session exist before? */
  resumed: boolean;
  /** Changes whenever the log could have lost anything; send it back with `last_seq`. */
  epoch?: string | null;
  /** The newest `seq` of the session when the connection joined it. */
  last_seq?: number | null;
  /** The protocol spoken from here on. */
  protocol?: number | null;
  /** What the gateway holds this connection to. */
  limits?: Limits | null;
  /** The name of this connection in `presence`. */
  connection_id?: string | null;
  /** Channel name → its newest `seq`: the channels that the session has joined, and `"*"` (protocol 2). */
  channels?: Record<string, number> | null;
}

/** What the gateway holds a connection to. */
export interface Limits {
  /** Of one message from a client; more closes the socket (1009). */
  max_message_bytes: number;
  /** Chats of one session that may wait while a turn runs; more is `QUEUE_FULL`. */
  max_queued_chats: number;
  /** Seconds between the gateway's pings. */
  heartbeat_interval: number;
}

/** A piece of the agent's answer. */
export interface AgentToken {
  type: "agent_token";
  /** Whose agent speaks. */
  session_id: string;
  /** Text to append to what came before. */
  token: string;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** The agent has called a tool. */
export interface AgentToolStart {
  type: "agent_tool_start";
  /** Whose agent it is. */
  session_id: string;
  /** The name of the tool. */
  tool: string;
  /** The same in the matching `agent_tool_complete`. */
  tool_call_id?: string | null;
  /** What it was called with. */
  args?: Json;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** A tool has answered. */
export interface AgentToolComplete {
  type: "agent_tool_complete";
  /** Whose agent it is. */
  session_id: string;
  /** The name of the tool. */
  tool: string;
  /** What it answered, as text; what is no text is JSON. */
  result: string;
  /** The same as in the matching `agent_tool_start`. */
  tool_call_id?: string | null;
  /** False: `result` says what went wrong. */
  ok?: boolean | null;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** The turn is over and all went well. */
export interface AgentComplete {
  type: "agent_complete";
  /** Whose agent has answered. */
  session_id: string;
  /** What it has cost. */
  usage: TokenUsage;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** What a turn has cost, in the model's tokens. */
export interface TokenUsage {
  /** What the agent has read. */
  prompt_tokens: number;
  /** What it has written. */
  completion_tokens: number;
  /** Both, as the model counts them. */
  total_tokens: number;
}

/** Something was refused or failed; inside a log (with `seq`) it ends a turn. */
export interface Error {
  type: "error";
  /** A row of the table of error codes. */
  code: string;
  /** What, where and how to fix it, for people. */
  message: string;
  /** The session concerned, where there is one. */
  session_id?: string | null;
  /** The id of the chat or command that this answers. */
  id?: string | null;
  /** May the same request succeed later, unchanged? */
  retryable?: boolean | null;
  /** Seconds to wait before that. */
  retry_after?: number | null;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** The answer to `ping`. */
export interface Pong {
  type: "pong";
  /** The ping's own. */
  timestamp: number;
}

/** The chat is in a log: its session's, where `run_id` will answer it, or its channel's. */
export interface ChatAccepted {
  type: "chat_accepted";
  /** The sender's session. */
  session_id: string;
  /** The turn that answers it; null: it went to `channel`. */
  run_id?: string | null;
  /** Turns that come before it; 0: it has begun. */
  queued: number;
  /** The id of the chat. */
  id?: string | null;
  /** The channel that it went to. */
  channel?: string | null;
}

/** A turn has begun. */
export interface AgentStart {
  type: "agent_start";
  /** Whose agent answers. */
  session_id: string;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** A chat that the session has accepted, for every watcher. */
export interface UserMessage {
  type: "user_message";
  /** The session that it was said in. */
  session_id: string;
  /** What was said. */
  content: string;
  /** The id of the chat. */
  id?: string | null;
  /** The metadata of the chat. */
  metadata?: Record<string, Json> | null;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
  /** Set when `seq` counts in a channel's log (`"*"`: broadcasts), not in the session's. */
  channel?: string | null;
}

/** The answer to `command`. */
export interface CommandResult {
  type: "command_result";
  /** The name of the command. */
  name: string;
  /** Was it carried out? */
  ok: boolean;
  /** The id of the command. */
  id?: string | null;
  /** The session that the command meant. */
  session_id?: string | null;
  /** Shaped as the table of commands says. */
  result?: Json;
  /** Present if and only if `ok` is false. */
  error?: CommandError | null;
}

/** Why a command was refused. */
export interface CommandError {
  /** A row of the table of error codes. */
  code: string;
  /** What, where and how to fix it, for people. */
  message: string;
  /** May the same command succeed later, unchanged? */
  retryable?: boolean | null;
  /** Seconds to wait before that. */
  retry_after?: number | null;
}

/** A message sent to a channel that the session has joined. */
export interface ChannelMessage {
  type: "channel_message";
  /** Where it was sent; `seq` counts there. */
  channel: string;
  /** What was said. */
  content: string;
  /** The sender's session; null: it came from outside. */
  session_id?: string | null;
  /** Who sent it. */
  user_id?: string | null;
  /** The id of the chat, or the key given to `channel.send`. */
  id?: string | null;
  /** What came with it. */
  metadata?: Record<string, Json> | null;
  /** The place in the log: from 1, without holes. */
  seq?: number | null;
  /** The turn that this event belongs to. */
  run_id?: string | null;
  /** Unix milliseconds when it was appended. */
  ts?: number | null;
}

/** Events are missing here: the log no longer holds them. */
export interface Gap {
  type: "gap";
  /** The first `seq` that was wanted. */
  requested: number;
  /** The first that can still be had; `latest + 1` where there is none. */
  earliest: number;
  /** The newest that can be had. */
  latest: number;
  /** The log's, now. */
  epoch: string;
  /** Set when the gap is in a session's log. */
  session_id?: string | null;
  /** Set when the gap is in a channel's log. */
  channel?: string | null;
}

/** The session is no more; the connection may `connect` to another. */
export interface SessionEnded {
  type: "session_ended";
  /** The session that was. */
  session_id: string;
  /** For people. */
  reason: string;
}

/** Somebody else began or ceased to watch the session. */
export interface Presence {
  type: "presence";
  /** The session watched. */
  session_id: string;
  /** Which of the two. */
  event: "joined" | "left";
  /** Whose: see `connected.connection_id`. */
  connection_id: string;
  /** Who. */
  user_id: string;
  /** How many watch it now. */
  watchers: number;
  /** What the client said of itself in `connect`. */
  client?: ClientInfo | null;
}

/** The gateway is about to close; sessions outlive it if their storage does. */
export interface Shutdown {
  type: "shutdown";
  /** For people. */
  reason: string;
  /** Seconds until it is worth while to come back, from the end of the connection on. */
  retry_after?: number | null;
  /** Seconds behind those over which all clients shall spread, each at random. */
  jitter?: number | null;
}

/** What to echo. */
export interface PingArgs {
  /** Unix milliseconds; the gateway's own time, where left out. */
  timestamp?: number | null;
}

/** The echo. */
export interface PingResult {
  timestamp: number;
}

/** Nothing. */
export type NoArgs = Record<string, never>;

/** How this connection's session is. */
export interface Status {
  session_id: string;
  state: "idle" | "running";
  run_id: string | null;
  queued: number;
  watchers: number;
  last_seq: number;
  epoch: string;
  /** Spoken with this connection. */
  protocol: number;
}

/** Which command. */
export interface HelpArgs {
  /** All of them, where left out. */
  name?: string | null;
}

/** The commands that you may run. */
export interface Help {
  commands: Array<CommandHelp>;
}

/** One command. */
export interface CommandHelp {
  name: string;
  summary: string;
  /** Argument → its type, as Python writes it, and its default. */
  args: Record<string, string>;
  /** The names of the result's fields. */
  result: Array<string>;
  /** Is a repeat under the same `id` answered with the first result? Otherwise it reads anew. */
  changes: boolean;
  /** One of them is needed to run it; empty: none is. */
  scopes: Array<string>;
}

/** The new token. */
export interface RefreshArgs {
  /** Of the same user; the connection keeps what it had if it is not. */
  auth: string;
}

/** Who this connection is. */
export interface Identity {
  user_id: string;
  scopes: Array<string>;
  /** Unix milliseconds: when the connection closes (4006); null: never. */
  expires_at: number | null;
}

/** Which page. */
export interface ListArgs {
  limit?: number;
  /** `next` of the page before, in the same order; 0: from the first on. */
  after?: number;
  /** Which come first, by when they were made. */
  order?: "oldest" | "newest";
  /**
   * Only those in whose id, name or owner's id this text stands, in upper or lower case. No character of it
   * means anything but itself.
   */
  search?: string;
}

/** Sessions in the order that was asked for, without temporary ones (`connect.temporary`). */
export interface SessionList {
  sessions: Array<SessionInfo>;
  /** `after` for the next page; null: this is the last. */
  next: number | null;
}

/** A session. */
export interface SessionInfo {
  session_id: string;
  user_id: string;
  name: string | null;
  /** Unix milliseconds. */
  created_at: number;
  /** Unix milliseconds. */
  last_activity: number;
  state: "idle" | "running";
  run_id: string | null;
  queued: number;
  watchers: number;
  channels: Array<string>;
  metadata: Record<string, Json>;
  last_seq: number;
  epoch: string;
  /** What you may do with it: all, read it and chat in it, or read it. */
  access: "own" | "chat" | "read";
  /** User id → what is granted to them; null where you do not own it. */
  shares: Record<string, "chat" | "read"> | null;
  /** Does it go with its last watcher? */
  temporary: boolean;
}

/** Which session. */
export interface SessionArgs {
  /** The connection's own, where left out. */
  session_id?: string | null;
}

/** What the session begins with. */
export interface CreateArgs {
  name?: string | null;
  metadata?: Record<string, Json> | null;
}

/** The new name. */
export interface RenameArgs {
  /** Null takes the name away. */
  name: string | null;
  /** The connection's own, where left out. */
  session_id?: string | null;
}

/** What to change. */
export interface MetadataArgs {
  /** Keys to set; a null takes its key away. */
  metadata: Record<string, Json>;
  /** The connection's own, where left out. */
  session_id?: string | null;
}

/** What is no more. */
export interface Deleted {
  session_id: string;
}

/** Which session, and which page. */
export interface HistoryArgs {
  /** The connection's own, where left out. */
  session_id?: string | null;
  limit?: number;
  /** `first` of the page after it; the newest page, where left out. */
  before?: number | null;
}

/** Messages of the conversation, oldest first. */
export interface HistoryList {
  messages: Array<HistoryMessage>;
  /** The number of the first of them. */
  first: number;
  /** Are there older ones? */
  has_more: boolean;
  /**
   * The last event of the session's log that is in this answer, also in the message that is still `running`.
   * Who connects first, and asks then, passes over the events up to it, and misses and doubles nothing.
   */
  seq: number;
  /** Those that wait for their turn, in order: their `user_message` was before `seq`, too. */
  queued: Array<QueuedChat>;
}

/** One message of the conversation. */
export interface HistoryMessage {
  role: "user" | "assistant";
  content: string;
  run_id: string;
  /** Unix milliseconds when it began. */
  ts: number;
  /**
   * `failed`: the content is partial; the turn was aborted or its agent raised.
   * `interrupted`: the same, because the gateway ended in the midst of it.
   */
  status: "running" | "complete" | "failed" | "interrupted";
  tool_calls: Array<ToolRecord>;
  /** It was longer than an answer may be: its end is missing here. */
  truncated: boolean;
  /** What a complete answer has cost; left out where an older version has stored it. */
  usage?: TokenUsage | null;
  /** Why an answer failed or was interrupted; left out where an older version has stored it. */
  error?: TurnError | null;
}

/** One tool call of an assistant message. */
export interface ToolRecord {
  id: string;
  tool: string;
  args?: Json;
  /** None: it has not come back. */
  result?: string | null;
  ok?: boolean | null;
  /** Unix milliseconds; left out: nobody knows, as in what an older version has stored. */
  started_at?: number | null;
  /** Unix milliseconds; left out: it has not come back, or nobody knows. */
  completed_at?: number | null;
  /** Characters (code points) of `content` that came before the call; left out: nobody knows. */
  position?: number | null;
}

/** Why a turn did not come to its end. */
export interface TurnError {
  /** A row of the table of error codes. */
  code: string;
  /** For people; cut, if it is very long. */
  message: string;
}

/** A chat that waits for its turn. */
export interface QueuedChat {
  /** The turn that will answer it. */
  run_id: string;
  /** What was said. */
  content: string;
  /** The id of the chat. */
  id: string | null;
}

/** Which session, and which of its turns. */
export interface AbortArgs {
  /** The connection's own, where left out. */
  session_id?: string | null;
  /** All that run or wait, where left out. */
  run_id?: string | null;
}

/** The turns that are no more. */
export interface Aborted {
  /** Their `run_id`s. */
  aborted: Array<string>;
}

/** With whom, and how far. */
export interface ShareArgs {
  /** To whom it is granted; they need not be connected. */
  user_id: string;
  /** To read it; to chat in it as well; null: no longer anything. */
  access: "read" | "chat" | null;
  /** The connection's own, where left out. */
  session_id?: string | null;
}

/** The channels, oldest first. */
export interface ChannelList {
  channels: Array<ChannelInfo>;
}

/** A channel inside the gateway. */
export interface ChannelInfo {
  name: string;
  /** Sessions that have joined. */
  members: number;
  /** Is the caller's session one of them? */
  joined: boolean;
  last_seq: number;
  /** May the caller delete it? */
  owned: boolean;
}

/** Its name. */
export interface CreateChannelArgs {
  name: string;
}

/** Which channel, and which session. */
export interface MembershipArgs {
  name: string;
  /** The connection's own, where left out. */
  session_id?: string | null;
}

/** Which channel, from which session, and what. */
export interface SendArgs {
  name: string;
  content: string;
  /** The connection's own, where left out. */
  session_id?: string | null;
  /** The client's own key; it is in the `channel_message`. */
  id?: string | null;
  metadata?: Record<string, Json> | null;
}

/** Where the message went. */
export interface Sent {
  name: string;
}

/** Which channel. */
export interface ChannelArgs {
  name: string;
}

/** What is no more. */
export interface ChannelDeleted {
  name: string;
}

/** What everybody shall read. */
export interface BroadcastArgs {
  content: string;
  metadata?: Record<string, Json> | null;
}

/** Where it stands. */
export interface BroadcastSent {
  /** Its place in the log of broadcasts. */
  seq: number;
}

/** Who watches a session. */
export interface PresenceList {
  session_id: string;
  watchers: Array<Watcher>;
}

/** One connection of a session. */
export interface Watcher {
  connection_id: string;
  user_id: string;
  protocol: number;
  client: ClientInfo | null;
  /** Unix milliseconds. */
  connected_at: number;
}

/** Which page. */
export interface ConnectionArgs {
  limit?: number;
  /** `next` of the page before; 0: from the oldest on. */
  after?: number;
}

/** Connections, oldest first. */
export interface ConnectionList {
  connections: Array<ConnectionInfo>;
  /** `after` for the next page; null: this is the last. */
  next: number | null;
}

/** A connection whose `connect` was accepted. */
export interface ConnectionInfo {
  connection_id: string;
  /** Whose it is. */
  user_id: string;
  /** The session that it was last connected to. */
  session_id: string | null;
  protocol: number;
  /** What it says of itself. */
  client: ClientInfo | null;
  /** Whence it came: an IP address, or `unix`; empty: unknown. */
  address: string;
  /** Unix milliseconds: its last `connect`. */
  connected_at: number;
  /** Has it all that was said, or is it catching up? */
  state: "live" | "behind";
  /** What its socket has yet to take, of what was given to it. */
  waiting_bytes: number;
}

/** What this gateway is. */
export interface GatewayInfo {
  name: string;
  version: string;
  protocols: Array<number>;
  /** Seconds. */
  uptime: number;
  limits: Limits;
}

/** What beside the statistics. */
export interface StatsArgs {
  /** Also how long things took? */
  histograms?: boolean;
}

/** How the gateway does: `Gateway.statistics()` as JSON. */
export interface GatewayStats {
  statistics: Json;
  /**
   * How many seconds things took: `delivery_lag`, `commit_time`, `loop_lag`, `turn_duration`. They count from
   * the gateway's start on: the difference of two answers is what was between them. Null where not asked for.
   */
  histograms: Record<string, HistogramSnapshot> | null;
}

/** A histogram as it was at one time. */
export interface HistogramSnapshot {
  /** Of the buckets, rising; each includes its own. A last bucket takes all that is above them. */
  bounds: Array<number>;
  /** Observations by bucket, since the start of the gateway: one more than there are bounds. */
  counts: Array<number>;
  /** Of all observations. */
  sum: number;
}

/** Name of each event of the gateway → its message. */
export interface GatewayEvents {
  "connected": Connected;
  "agent_token": AgentToken;
  "agent_tool_start": AgentToolStart;
  "agent_tool_complete": AgentToolComplete;
  "agent_complete": AgentComplete;
  "error": Error;
  "pong": Pong;
  "chat_accepted": ChatAccepted;
  "agent_start": AgentStart;
  "user_message": UserMessage;
  "command_result": CommandResult;
  "channel_message": ChannelMessage;
  "gap": Gap;
  "session_ended": SessionEnded;
  "presence": Presence;
  "shutdown": Shutdown;
}

/** Whatever the gateway says. */
export type GatewayEvent = GatewayEvents[keyof GatewayEvents];

/** Name of each command → its arguments and its result. */
export interface Commands {
  "ping": { args: PingArgs; result: PingResult };
  "status": { args: NoArgs; result: Status };
  "help": { args: HelpArgs; result: Help };
  "auth.refresh": { args: RefreshArgs; result: Identity };
  "session.list": { args: ListArgs; result: SessionList };
  "session.get": { args: SessionArgs; result: SessionInfo };
  "session.create": { args: CreateArgs; result: SessionInfo };
  "session.rename": { args: RenameArgs; result: SessionInfo };
  "session.set_metadata": { args: MetadataArgs; result: SessionInfo };
  "session.delete": { args: SessionArgs; result: Deleted };
  "session.history": { args: HistoryArgs; result: HistoryList };
  "session.abort": { args: AbortArgs; result: Aborted };
  "session.share": { args: ShareArgs; result: SessionInfo };
  "channel.list": { args: NoArgs; result: ChannelList };
  "channel.create": { args: CreateChannelArgs; result: ChannelInfo };
  "channel.join": { args: MembershipArgs; result: ChannelInfo };
  "channel.leave": { args: MembershipArgs; result: ChannelInfo };
  "channel.send": { args: SendArgs; result: Sent };
  "channel.delete": { args: ChannelArgs; result: ChannelDeleted };
  "broadcast.send": { args: BroadcastArgs; result: BroadcastSent };
  "presence.list": { args: SessionArgs; result: PresenceList };
  "connection.list": { args: ConnectionArgs; result: ConnectionList };
  "gateway.info": { args: NoArgs; result: GatewayInfo };
  "gateway.stats": { args: StatsArgs; result: GatewayStats };
}
