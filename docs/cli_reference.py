"""The reference of the command line, from click's own objects; `docs/generate.py` writes it to `cli.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

import click

from bamboo_gateway.cli import main
from bamboo_gateway.cli.line_commands import LINE_COMMANDS
from bamboo_gateway.cli.settings import SETTINGS

_HEAD = """\
# Command line

`bamboo-gateway COMMAND`, or `python -m bamboo_gateway COMMAND`. Each command has `--help`.

```sh
bamboo-gateway serve                          # a gateway on ws://127.0.0.1:18790
bamboo-gateway chat                           # talk with its agent
bamboo-gateway chat --last                    # go on where you were; --pick shows a list
echo "hello" | bamboo-gateway chat > answer   # the same in a script
bamboo-gateway call session.list '{"limit": 5}'
bamboo-gateway sessions export --all --output all.jsonl
bamboo-gateway token create --user ann        # from now on, clients have to show a token
bamboo-gateway status                         # is it well?
bamboo-gateway top                            # what is it doing?
bamboo-gateway doctor                         # what would keep it from its work?
```

| exit code | meaning |
|---|---|
| 0 | All went well. |
| 1 | It failed: a port is taken, a gateway cannot be reached or said no, a line of a pipe was not answered. |
| 2 | It was called wrongly: an option, a variable, the settings file or one of its values. |
| 70 | A bug of ours ended it. |
| 130 | It was interrupted (Ctrl-C) before it was through. |

What goes wrong is told in one line on stderr. `bamboo-gateway --debug COMMAND`, or the variable
`BAMBOO_DEBUG=1`, shows the traceback before it.
"""

_AFTER: dict[str, str] = {
    "serve": """\
**Where a setting comes from.** What is typed goes before the environment, and that before the file, setting
by setting. An empty variable counts as unset. A list is given item by item on the command line, in a
variable with spaces between, and as a list in the file. A duration is a number of seconds, or a number with
a unit: `90s`, `15m`, `24h`, `7d`. A secret may stand in a file of its own, which `BAMBOO_AUTH_TOKEN_FILE`
names in place of `BAMBOO_AUTH_TOKEN`; that is read again at a reload, too.

**The file** (`--config`) is TOML. A key that is none is refused, and the nearest one is named; so is a
value of the wrong type:

```toml
bind = "0.0.0.0:18790"
auth_token = "a long random text"
allowed_origins = ["https://chat.example"]
max_connections = 5000
session_max_age = "7d"
log_format = "json"
```

**Output.** One line on stdout, `listening on ws://HOST:PORT`, once it accepts connections: with port 0 it
has the port that the system chose. Log lines go to stderr: for people, in colours on a terminal unless
`NO_COLOR` is set, or one JSON object a line. What libraries log is shown from warning on. At a terminal it
says, on stderr, too, where the web console is, how to chat, which agent and storage it has, and whether it
asks for tokens. `--open` opens the console in a browser; where there is none, it says the URL.

**Signals.** SIGINT or SIGTERM [stops it](operations.md#stop): nothing new is taken in, every client is told
(`shutdown`), turns that run get `--drain-timeout` to come to their end, then the clients are let go of (1012)
and it exits with 0. A second signal ends it at once. SIGHUP has it [read its settings
again](operations.md#reload).
""",
    "chat": """\
**At a terminal** answers are laid out as Markdown while they come: what is finished scrolls away, and only
the block that grows is drawn anew. Tool calls are cards with their arguments, their result and how long they
took (`✗`: it failed); at the end of an answer stands what it has cost. Who comes back to a session sees its
last messages, and an answer that is under way goes on to grow. A lost connection is told, and so is its
return: `… reconnected, nothing was lost`, or which events are missing.

| keys | |
|---|---|
| Enter | says what is typed; while an answer comes, it waits for its end |
| Alt-Enter, or `\\` and Enter | a line break; what is pasted keeps its own |
| Ctrl-C | aborts the answer; where there is none, empties the input line; where that is empty, leaves |
| Ctrl-D | leaves |
| Up, Down, Ctrl-R | what was said before, also in earlier talks |
| Tab | completes a word that begins with `:`, or with `/` and was said before |

| line | |
|---|---|
@commands@

What else begins with `:` and a word is refused and not said; with a blank before it, it is said. Commands
that begin with `/` are the agent's own.

What was typed is kept in `chat-history.jsonl` in this user's state folder (`~/.local/state/bamboo-gateway` on
Linux), a thousand entries, readable for them alone. An entry with the token in use, or with something that
looks like a token, is not kept.

**`--plain`**, or a terminal with `TERM=dumb`, gets the words as they come. `NO_COLOR` leaves out the colours.
Control characters of an agent do nothing at a terminal; into a file or a pipe its words go to the letter.
""".replace("@commands@", "\n".join(f"| `{name}` | {does} |" for name, does in LINE_COMMANDS.items())),
    "sessions": """\
Without `--storage` the gateway at `--url` is asked, and what you may see there is what there is. `--storage`
opens the file itself, which a gateway must not be using at the time; nor can one begin until it is closed.
Nothing of an answer is lost with a gateway that was killed: its file shows it as `interrupted`, with all that
had been said.

```sh
bamboo-gateway sessions list
bamboo-gateway sessions list --storage sqlite:                        # the gateway does not run
bamboo-gateway sessions export --all --output backup/                 # a file for each
bamboo-gateway sessions list --json | jq -r 'select(.name == null).session_id' |
    xargs -r bamboo-gateway sessions delete --yes
```
""",
    "token": """\
Without `--tokens`, it is the file that `serve` looks for by itself; see [who may come
in](operations.md#who-may-come-in).

```sh
TOKEN=$(bamboo-gateway token create --user ann --expires 90d)
BAMBOO_TOKEN=$TOKEN bamboo-gateway chat
bamboo-gateway token create --user ci --scope metrics --toml 2>> bamboo.toml   # no file but the settings
```
""",
    "call": """\
The gateway itself passes over arguments that it does not know, for the sake of newer clients. Here they are
refused, and the nearest one is named: whoever types one by hand has mistyped it.
""",
    "top": """\
In a terminal it takes the whole screen, and draws it anew at most ten times a second:

| key | |
|---|---|
| `q`, Ctrl-C | quit |
| `s`, `c` | show the sessions, or the connections |
| ↑ ↓, Page Up, Page Down, Home | scroll |
| `p`, space | pause: nothing is asked any more until it is pressed again |

**Sessions** that run come first, then those with most events a second, then those that were last active;
of the newest hundred. **Connections** that are behind come first, those with most to be sent; of the
oldest five hundred. A narrow terminal shows a session's name or else its id, one of 110 columns both.

**Rates and delays** are those of the last interval. Of a delay, the median and the 99th percentile are
told, read from a [histogram](metrics.md): exact to its buckets. The curves go back 240 intervals, each
from nothing to its own largest value.

**`--once`, `--json`, or no terminal**: it looks twice, `--interval` apart, and prints one report. In
JSON, `delays` has seconds; a percentile beyond the largest bucket is that bucket's bound; `missing` has
what was not told, and why.

```sh
bamboo-gateway top --json | jq '.delays.delivery_lag.p99'
```
""",
    "status": """\
Whether it is ready is asked by plain HTTP (`/readyz`), which takes no token; the rest over a connection
of its own, which leaves nothing behind. As JSON, `is_reachable`, `is_ready`, `reason`, `fault` and
`remedy` say how it is, `info` and `stats` are the answers of [`gateway.info`](commands.md) and
`gateway.stats`; what is not known is null.

```sh
bamboo-gateway status --timeout 2s > /dev/null || systemctl restart bamboo-gateway
```
""",
    "doctor": """\
A wrong value in the file or the environment is a finding here, and the next one is looked for; `serve`
stops at the first. What is typed wrongly is told as `serve` tells it (exit code 2).

It changes nothing: it listens on the port for a moment, reads the file of the sessions without bringing
it forward (for ten seconds at most, and not while a gateway uses it), and asks the endpoint of the agent
`openai` for its list of models, which costs nothing. With `--json`, each line is an object: `about`,
`verdict` (`well`, `warning`, `fault`), `text` and `remedy`.
""",
    "config show": """\
With `--json`, each setting by its name has `value`, `from` (`typed`, `environment`, `file` or `default`) and
`where`: the option, the variable or the file.
""",
    "completion": """\
```sh
eval "$(bamboo-gateway completion bash)"      # in ~/.bashrc
eval "$(bamboo-gateway completion zsh)"       # in ~/.zshrc, behind compinit
bamboo-gateway completion fish > ~/.config/fish/completions/bamboo-gateway.fish
```
""",
    "sessions list": """\
With `--json`, each line is a session as [`session.get`](commands.md#sessioninfo-type) shows it. There are
more than `--limit` lets through: the last line, on stderr, says what to give as `--after`.
""",
    "sessions show": """\
With `--json`, one object: `session`, `messages` (as [`session.history`](commands.md#historymessage-type)
shows them), and `first`, the number of the first of them in the conversation.
""",
    "sessions delete": """\
A gateway that runs cancels the session's turn, and tells who watches it. What was deleted is never told
again; on the disk its bytes may stay in unused parts of the file until they are written over.
""",
    "sessions export": """\
**jsonl.** For each session a line that begins it, and behind it as many lines of messages as that says,
oldest first; so what was cut off on its way is known. A session is as
[`session.get`](commands.md#sessioninfo-type) shows it, a message as
[`session.history`](commands.md#historymessage-type) does:

```json
{"session":{"session_id":"6fa50729","user_id":"local","name":null},"messages":2}
{"message":{"role":"user","content":"Hello bamboo","ts":1795417142392,"status":"complete"}}
{"message":{"role":"assistant","content":"Hello bamboo","ts":1795417142392,"status":"complete"}}
```

(Each has more fields than are shown here.)

**markdown.** A heading for each session and each message, with what is not `complete` marked; no program is
meant to read it back.

**At a terminal**, stderr shows how many sessions of how many are done, how many a second, and how long the
rest will take.

**Files** are made for this user alone, and named for the session in a folder. Messages that come while a
session is being exported are not in it.
""",
}


def render() -> str:
    """Write the whole page."""
    context = main.make_context("bamboo-gateway", [], resilient_parsing=True)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    parts = [_HEAD, *(_command(context, command) for command in commands if command is not None)]
    return "\n".join(parts)


def _command(parent: click.Context, command: click.Command) -> str:
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    level = "#" * (2 + bool(parent.parent))
    sections = [
        f"{level} {context.command_path.partition(' ')[2]}",
        f"```sh\n{usage}\n```",
        inspect.cleandoc(command.help or ""),
        "\n".join(_table(command.params)) if command.params else "",
        _after(context).rstrip(),
        *(_command(context, each).rstrip() for each in _parts(command)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _after(context: click.Context) -> str:
    """By the whole path: two commands may have parts of one name."""
    return _AFTER.get(context.command_path.partition(" ")[2], "")


def _parts(command: click.Command) -> Iterable[click.Command]:
    return command.commands.values() if isinstance(command, click.Group) else ()


def _table(params: Iterable[click.Parameter]) -> Iterator[str]:
    """The options; where there is a settings file, an option's key there is its name."""
    options = [param for param in params if isinstance(param, click.Option)]
    has_keys = any(option.name == "config" for option in options)
    columns = ["option", "variable", *["key"] * has_keys, "default", "meaning"]
    yield _row(columns)
    yield "|" + "---|" * len(columns)
    for option in options:
        key = [_code(option.name if option.name in SETTINGS else None)] if has_keys else []
        cells = [_usage(option), _code(option.envvar), *key, _default(option), option.help or ""]
        yield _row(cells)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _usage(option: click.Option) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    names = ", ".join(_code(f"{name}{value}") for name in [*option.opts[:1], *option.secondary_opts])
    return names + (", repeated" if option.multiple else "")


def _default(option: click.Option) -> str:
    if option.is_flag:
        return _code(option.opts[0]) if option.default is True else ""
    return _code(option.default) if isinstance(option.default, str | int) else ""


def _code(text: object) -> str:
    return f"`{text}`" if text else ""
