// Copies the libraries of the console from node_modules into vendor/, each with its licence: `npm run vendor`.
// With --check it writes nothing, and exits with 1 if a file there is not what the lock file's version has.
//
// Browsers find modules by their address alone (an import map is an inline script, which the page's policy
// forbids), so the names by which the libraries import each other become relative paths.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** Name of the module → [its file in node_modules, its file in vendor]. */
const MODULES = {
  "preact": ["preact/dist/preact.mjs", "preact/preact.js"],
  "preact/hooks": ["preact/hooks/dist/hooks.mjs", "preact/hooks.js"],
  "@preact/signals-core": ["@preact/signals-core/dist/signals-core.mjs", "signals/signals-core.js"],
  "@preact/signals": ["@preact/signals/dist/signals.mjs", "signals/signals.js"],
  "htm": ["htm/dist/htm.mjs", "htm/htm.js"],
  "marked": ["marked/lib/marked.esm.js", "marked/marked.js"],
  "uplot": ["uplot/dist/uPlot.esm.js", "uplot/uplot.js"],
};

/** What is copied as it is. */
const FILES = {
  "uplot/dist/uPlot.min.css": "uplot/uplot.css",
  "preact/LICENSE": "preact/LICENSE",
  "@preact/signals/LICENSE": "signals/LICENSE",
  "htm/LICENSE": "htm/LICENSE",
  "marked/LICENSE": "marked/LICENSE",
  "uplot/LICENSE": "uplot/LICENSE",
};

function relink(source, own) {
  const named = Object.entries(MODULES).reduce((text, [name, [, file]]) => {
    let path = relative(dirname(own), file);
    if (!path.startsWith(".")) path = `./${path}`;
    return text.replaceAll(new RegExp(`(from\\s*)(["'])${name}\\2`, "g"), `$1$2${path}$2`);
  }, source);
  return named.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"); // the maps are not served
}

const wanted = new Map();
for (const [name, [from, to]] of Object.entries(MODULES)) {
  const source = await readFile(join(here, "node_modules", from), "utf8");
  wanted.set(to, relink(source, to));
  wanted.set(to.replace(/js$/, "d.ts"), `export * from "${name}";\nexport { default } from "${name}";\n`);
}
for (const name of ["preact", "preact/hooks", "@preact/signals-core", "@preact/signals", "marked"]) {
  const [, to] = MODULES[name]; // these have no default export
  wanted.set(to.replace(/js$/, "d.ts"), `export * from "${name}";\n`);
}
for (const [from, to] of Object.entries(FILES)) {
  wanted.set(to, await readFile(join(here, "node_modules", from), "utf8"));
}

const check = process.argv.includes("--check");
const stale = [];
for (const [file, text] of wanted) {
  const path = join(here, "vendor", file);
  const now = await readFile(path, "utf8").catch(() => null);
  if (now === text) continue;
  stale.push(file);
  if (!check) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}
if (check && stale.length) {
  console.error(`vendor/ is stale: ${stale.join(", ")}; run npm run vendor`);
  process.exit(1);
}
