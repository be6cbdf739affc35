// The channels: which there are, who speaks in them, and what is said there now.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { AskName, Confirm } from "../dialogs/ask.js";
import { ViewHead } from "../shell/frame.js";
import { Icon } from "../shell/icons.js";
import { usePoll } from "../shell/poll.js";
import { hashOf } from "../shell/route.js";
import { Broken, Empty, Loading, Withheld } from "../shell/state_panel.js";
import { plural } from "../text/format.js";
import { ChannelPane } from "./pane.js";

/** Milliseconds. */
const INTERVAL = 2000;

/** @param {{id: string | null}} props */
export function ChannelsView({ id }) {
  const { gate } = useDesk();
  const lack = gate.permissions.value.lack("channel.list");
  return html`<main class="view view-channels" id="main" tabindex="-1" data-view="channels" data-state=${id ? "channel" : "none"}>
    ${lack ? html`<${ViewHead} title="Channels" />
    <${Withheld} what="Channels are not for you to see" reason=${lack} />` : html`<${Channels} openName=${id} />`}</main>`;
}

/** @param {{openName: string | null}} props */
function Channels({ openName }) {
  const { gate, route, toasts } = useDesk();
  const [channels, setChannels] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [dialog, setDialog] = useState(/** @type {{kind: "create"} | {kind: "delete", channel: any} | null} */ (null));
  const ask = usePoll(
    async () => {
      try {
        setChannels((await gate.command("channel.list")).channels);
        setError(null);
      } catch (failure) {
        setError(failure);
      }
    },
    INTERVAL,
    [],
  );
  const close = () => setDialog(null);
  const create = async (/** @type {string} */ name) => {
    await gate.command("channel.create", { name });
    close();
    ask();
    route.go("channels", name);
  };
  const remove = async (/** @type {any} */ channel) => {
    await gate.command("channel.delete", { name: channel.name });
    toasts.done(`The channel ${channel.name} was deleted.`);
    close();
    ask();
    route.go("channels");
  };
  const newButton = html`<button class="button button-primary" onClick=${() => setDialog({ kind: "create" })}>
    <${Icon} name="plus" /><span>New channel</span></button>`;
  const open = channels?.find((each) => each.name === openName);
  return html`<${ViewHead} title="Channels" count=${channels ? plural(channels.length, "channel") : undefined}>
    ${newButton}</${ViewHead}>
    ${
      error && channels === null
        ? html`<${Broken} error=${error} onRetry=${ask} />`
        : channels === null
          ? html`<${Loading} what="Reading the channels…" />`
          : channels.length === 0
            ? html`<${NoChannels} button=${newButton} />`
            : html`<div class="channels-split">
      <nav class="card channel-list" aria-label="Channels"><ul>
      ${channels.map((channel) => html`<${ChannelRow} key=${channel.name} channel=${channel}
      isOpen=${channel.name === openName} />`)}</ul></nav>
      ${openName !== null && open ? html`<${ChannelPane} key=${openName} channel=${open} onChanged=${ask}
      onDelete=${() => setDialog({ kind: "delete", channel: open })} />` : html`<div class="card channel-none">
        <${Empty} icon="channels" title=${openName === null ? "No channel is open" : "No such channel"}>
        <p class="muted">Choose one to see its members and what is said in it.</p></${Empty}></div>`}
    </div>`
    }
    ${dialog?.kind === "create" && html`<${AskName} title="New channel" label="Name" hint="Sessions join a channel by this name."
    action="Create" isRequired onClose=${close} onSubmit=${create} />`}
    ${dialog?.kind === "delete" && html`<${Confirm} title="Delete channel?" action="Delete channel" onClose=${close}
    onConfirm=${() => remove(dialog.channel)}><p><strong>
      ${dialog.channel.name}</strong> will be gone for good, with all that was said in it; ${plural(dialog.channel.members, "session")} will no longer follow it.</p></${Confirm}>`}`;
}

/** @param {{channel: any, isOpen: boolean}} props */
function ChannelRow({ channel, isOpen }) {
  return html`<li><a href=${hashOf("channels", channel.name)} aria-current=${isOpen ? "page" : null} data-channel=${channel.name}>
    <span class="channel-name"><span class="muted" aria-hidden="true">#</span>${channel.name}</span>
    <span class="muted">${plural(channel.members, "member")} · ${plural(channel.last_seq, "message")}</span></a></li>`;
}

/** @param {{button: any}} props */
function NoChannels({ button }) {
  return html`<${Empty} icon="channels" title="No channels yet">
    <p class="muted">A channel joins sessions: what one of them says in it, everybody who watches any of them hears.</p>
    ${button}</${Empty}>`;
}
