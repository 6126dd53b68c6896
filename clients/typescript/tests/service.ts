// The built service on a store of its own, started on a free port and ended with the test. ROLLBOOK_BIN names the program
// (`cargo xtask test-clients` sets it).

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

export class Service {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    readonly url: string,
    /** An API key with the scope `admin`. */
    readonly key: string,
  ) {}

  /** Imports the fixture `clean` and serves it at a fixed instant. */
  static async start(): Promise<Service> {
    const program = process.env["ROLLBOOK_BIN"];
    if (program === undefined) throw new Error("ROLLBOOK_BIN names no program: run `cargo xtask test-clients`");
    const directory = mkdtempSync(join(tmpdir(), "rollbook-client-"));
    const store = ["--data", join(directory, "store"), "--json"];
    const run = (...words: string[]) => JSON.parse(execFileSync(program, [...store, ...words], { encoding: "utf8" })) as Record<string, unknown>;
    run("import", join(root, "tests/fixtures/clean/export"));
    const { key } = run("key", "create", "--name", "client-tests", "--scope", "admin");
    const clock = ["--fixed-clock", "2026-02-04T12:00:00Z", "--allow-fixed-clock"];
    const child = spawn(program, [...store, "serve", "--listen", "127.0.0.1:0", ...clock], { stdio: ["ignore", "pipe", "ignore"] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { listening } = JSON.parse(line) as { listening: string };
      return new Service(child, directory, listening, String(key));
    }
    throw new Error("the service did not start");
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
    rmSync(this.directory, { recursive: true });
  }
}
