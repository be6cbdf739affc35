// Begins: puts the console together and shows it.
import { h, render } from "../vendor/preact/preact.js";
import { connect } from "../client/bamboo.js";
import { App } from "./app.js";
import { Gate } from "./gate/gate.js";
import { diagnose, socketAddress } from "./gate/reach.js";
import { Address } from "./shell/address.js";
import { Announcer } from "./shell/announcer.js";
import { Network } from "./shell/network.js";
import { Shelf } from "./shell/shelf.js";
import { Shortcuts } from "./shell/shortcuts.js";
import { ThemeSwitch } from "./shell/theme.js";
import { Toasts } from "./shell/toasts.js";
import { Recorder } from "./events/recorder.js";
import { Stats } from "./overview/stats.js";

const shelf = new Shelf(() => sessionStorage);
const frames = new Recorder();
const stats = new Stats();
const announcer = new Announcer();
const toasts = new Toasts();
const gate = new Gate({
  url: socketAddress(location),
  connect,
  diagnose: () => diagnose(fetch, "readyz"),
  shelf,
  onClient: (client, label) => frames.follow(client, label),
  onForget: () => {
    for (const each of [frames, stats, announcer, toasts]) each.forget();
  },
});
const desk = {
  gate,
  route: new Address(window),
  network: new Network(window),
  theme: new ThemeSwitch(new Shelf(() => localStorage), document.documentElement),
  shelf,
  announcer,
  toasts,
  shortcuts: new Shortcuts(),
  frames,
  stats,
};

document.addEventListener("keydown", (event) => desk.shortcuts.press(event));
render(h(App, { desk }), /** @type {HTMLElement} */ (document.getElementById("app")));
void gate.enter();
