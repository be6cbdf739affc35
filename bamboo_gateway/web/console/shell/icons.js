// Icons: strokes on a grid of 24, drawn in the colour of the text around them and never read aloud.
import { html } from "../html.js";

/** @type {Record<string, string>} */
const PATHS = {
  sessions: "M4 6h16M4 12h16M4 18h10",
  chat: "M20 12a7.500 7.500 0 0 1-7.500 7.500H5l1.700-2.800A7.500 7.500 0 1 1 20 12z",
  channels: "M9 4 7 20M17 4l-2 16M4.500 9h16M3.500 15h16",
  overview: "M4 20V10M10 20V4M16 20v-8M21 20H3",
  events: "M3 12h4l3-8 4 16 3-8h4",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  close: "M6 6l12 12M18 6 6 18",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.500 6.500l4 4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 13l4 4L19 7",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  chevron: "M9 6l6 6-6 6",
  back: "M15 6l-6 6 6 6",
  tool: "M14.500 6.500a4 4 0 0 1 5-1l-2.500 2.500 1 2 2 .5 2-2.300a4 4 0 0 1-5.500 5L9 20.500a2 2 0 0 1-3-3l7.500-7.500a4 4 0 0 1 1-3.500z",
  warning: "M12 4 2.500 20h19zM12 10v4.500M12 17.200v.3",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 7.800v.2",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  offline:
    "M3 3l18 18M5 12.500a10 10 0 0 1 5-2.700M14.500 10a10 10 0 0 1 4.500 2.500M8.500 16a5 5 0 0 1 6.500-.3M2 9a15 15 0 0 1 4-2.500M11 5.100A15 15 0 0 1 22 9M12 19.500v.5",
  resumed: "M4 12a8 8 0 1 0 2.500-5.800L4 8.500M4 4v4.500h4.500",
  gap: "M4 12h5M15 12h5M11 7l2 10",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  keyboard: "M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M8 14.500h8",
  signout: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  people:
    "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c0-3.600 2.900-6 6.500-6s6.500 2.400 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6.300M18 14.500c2.200.8 3.500 2.800 3.500 5.500",
  share: "M12 15V4M8 7.500 12 4l4 3.500M5 13v7h14v-7",
  more: "M5 12h.01M12 12h.01M19 12h.01",
};

/** @param {{name: string, size?: number}} props */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
    <path d=${PATHS[name] ?? ""} />
  </svg>`;
}

/** The mark of the product. @param {{size?: number}} props */
export function Mark({ size = 28 }) {
  return html`<svg class="mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect class="mark-ground" width="32" height="32" rx="8" />
    <path class="mark-stem" d="M12 5.500v5.500M12 15v5M12 24v2.500M9.500 13h5M9.500 22h5" />
    <path class="mark-leaf" d="M17 14c0-4 2.600-6.400 7.500-6.500.2 4.600-2.400 7.200-7.500 6.500zM17 23.500c-.2-3.200 1.800-5.200 6-5.500.4 3.700-1.800 5.900-6 5.500z" />
  </svg>`;
}
