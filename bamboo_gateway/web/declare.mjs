// Writes the declarations of the browser client, for programs that are checked with TypeScript: `npm run declare`.
// With --check it writes nothing, and exits with 1 if they are not what the client's comments say.
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const committed = join(here, "client", "types");

/** @param {string} folder */
async function filesOf(folder) {
  const names = await readdir(folder).catch(() => []);
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])));
}

const made = await mkdtemp(join(tmpdir(), "bamboo-types-"));
try {
  const options = ["--allowJs", "--declaration", "--emitDeclarationOnly", "--strict", "--skipLibCheck"];
  const target = ["--target", "es2022", "--lib", "es2023,dom,esnext.disposable", "--module", "esnext", "--moduleResolution", "bundler"];
  execFileSync(
    process.execPath,
    [join(here, "node_modules", "typescript", "bin", "tsc"), ...options, ...target, "--outDir", made, "--rootDir", "client", "--ignoreConfig", "client/bamboo.js"],
    { cwd: here, stdio: "inherit" },
  );
  // What is made of the comments names it as if it lay beside.
  await writeFile(join(made, "messages.d.ts"), 'export * from "../messages.js";\n');
  const [wanted, now] = [await filesOf(made), await filesOf(committed)];
  const stale = [...new Set([...wanted.keys(), ...now.keys()])].filter((name) => wanted.get(name) !== now.get(name));
  if (stale.length && process.argv.includes("--check")) {
    console.error(`client/types/ is stale: ${stale.join(", ")}; run npm run declare`);
    process.exitCode = 1;
  } else if (stale.length) {
    await rm(committed, { recursive: true, force: true });
    await cp(made, committed, { recursive: true });
  }
} finally {
  await rm(made, { recursive: true });
}
