// What this tab's connections have sent and received: the newest frames.
import { signal } from "../../vendor/signals/signals.js";
import { Ring } from "./ring.js";

/** Frames that are kept. */
export const KEPT = 2000;

/** Bytes of the frames that are kept: large ones push out more of the older ones. */
export const BUDGET = 8 * 1024 * 1024;

/** Milliseconds between two drawings, however many frames come. */
const PACE = 200;

/** A frame, with what is looked at often taken out.
 * @typedef {{
 *   number: number, at: number, label: string, direction: "in" | "out", type: string, session: string | null,
 *   channel: string | null, seq: number | null, runId: string | null, bytes: number, message: any,
 * }} Entry */

/**
 * @param {number} number @param {string} label
 * @param {{direction: "in" | "out", message: any, bytes: number, at: number}} frame
 * @returns {Entry}
 */
export function entryOf(number, label, { direction, message, bytes, at }) {
  return {
    number,
    at,
    label,
    direction,
    type: String(message?.type ?? "?"),
    session: message?.session_id ?? null,
    channel: message?.channel ?? null,
    seq: message?.seq ?? null,
    runId: message?.run_id ?? null,
    bytes,
    message,
  };
}

/** The message on one line, written when somebody looks: kept, it would double what is counted. @param {Entry} entry @returns {string} */
export function lineOf(entry) {
  return JSON.stringify(entry.message);
}

/** Follows clients and keeps their newest frames. While it is paused, nothing is kept. */
export class Recorder {
  constructor() {
    /** @type {Ring<Entry>} */
    this.ring = new Ring(KEPT, BUDGET, (entry) => entry.bytes);
    /** Rises when there is something new to draw. */
    this.version = signal(0);
    this.isPaused = signal(false);
    this.missed = 0;
    this.count = 0;
    this.timer = 0;
    /** Rises whenever somebody else comes; frames of older clients are then nobody's. */
    this.era = 0;
  }

  /** @param {{on: (name: "frame", handler: (frame: any) => void) => unknown}} client @param {string} label */
  follow(client, label) {
    const { era } = this;
    client.on("frame", (frame) => era === this.era && this.take(label, frame));
  }

  /** @param {string} label @param {any} frame */
  take(label, frame) {
    if (this.isPaused.value) {
      this.missed += 1;
    } else {
      this.count += 1;
      this.ring.push(entryOf(this.count, label, frame));
    }
    this.timer ||= window.setTimeout(() => this.tell(), PACE);
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.version.value += 1;
  }

  /** @param {boolean} isPaused */
  pause(isPaused) {
    this.isPaused.value = isPaused;
    this.missed = 0;
    this.tell();
  }

  /** Begin anew for somebody else: neither what was heard is kept, nor what clients still hear while they close. */
  forget() {
    this.era += 1;
    this.isPaused.value = false;
    this.clear();
  }

  clear() {
    this.ring.clear();
    this.missed = 0;
    this.tell();
  }
}
