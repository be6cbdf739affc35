// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Shortcuts } from "./shortcuts.js";

const press = (shortcuts, key, more = {}) =>
  shortcuts.press({ key, ctrlKey: false, metaKey: false, altKey: false, target: null, preventDefault() {}, ...more });

test("keys run what they stand for, alone or after g", () => {
  const shortcuts = new Shortcuts();
  const ran = [];
  shortcuts.add("?", () => ran.push("help"));
  shortcuts.add("g s", () => ran.push("sessions"));
  shortcuts.add("s", () => ran.push("s"));
  for (const key of ["?", "g", "s", "s", "g", "x", "s"]) press(shortcuts, key);
  assert.deepEqual(ran, ["help", "sessions", "s", "s"]);
});

test("while somebody types, and with modifiers, a key is a key", () => {
  const shortcuts = new Shortcuts();
  shortcuts.add("n", () => assert.fail("it ran"));
  press(shortcuts, "n", { target: { closest: () => ({}) } });
  press(shortcuts, "n", { ctrlKey: true });
});

test("who takes a shortcut away takes only its own", () => {
  const shortcuts = new Shortcuts();
  const remove = shortcuts.add("/", () => {});
  let ran = 0;
  shortcuts.add("/", () => (ran += 1));
  remove();
  press(shortcuts, "/");
  assert.equal(ran, 1);
});
