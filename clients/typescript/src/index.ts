// The client: openapi-fetch over the types in schema.ts, which `npm run generate` makes of docs/openapi.json. Owns how requests are
// authorised, and the error that a refusal becomes for callers who want one thrown.

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

/** A type of the API by its name: `Schema<"CheckIns">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** A client whose paths, parameters, bodies and answers are those of the API. */
export type Rollbook = Client<paths>;

export interface Options {
  /** Where the service is, such as `http://127.0.0.1:7350`. */
  baseUrl: string;
  /** A bearer token or an API key, or what gives the one that is valid now; it is asked at every request. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** In place of the platform's `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
}

/** A client of one service. Nothing is sent yet. */
export function rollbook({ baseUrl, token, fetch }: Options): Rollbook {
  const client = createClient<paths>({ baseUrl, ...(fetch && { fetch }) });
  if (token !== undefined) {
    client.use({
      async onRequest({ request }) {
        const bearer = typeof token === "function" ? await token() : token;
        if (bearer !== undefined) request.headers.set("authorization", `Bearer ${bearer}`);
        return request;
      },
    });
  }
  return client;
}

/** Why the service did not do what was asked. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    message: string,
    readonly status: number,
    /** The stable code; the endpoints under `/api` have none. */
    readonly code: string | undefined,
    /** After how many seconds asking again makes sense. */
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(message);
  }
}

/** The body of an answer; a refusal is thrown as `Refused`, whichever of its two forms it has. */
export function answered<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  const { data, error, response } = answer;
  if (response.ok) return data as T;
  const said = (typeof error === "object" && error !== null ? error : {}) as { message?: unknown; detail?: unknown; code?: unknown };
  const message = [said.message, said.detail].find((text) => typeof text === "string") ?? `the service answered ${response.status}`;
  const wait = response.headers.get("retry-after");
  throw new Refused(message, response.status, typeof said.code === "string" ? said.code : undefined, wait === null ? undefined : Number(wait));
}

/** The position that an answer is of, or that a write was given; `undefined` where it has none. */
export function positionOf({ response }: { response: Response }): number | undefined {
  const position = response.headers.get("x-rollbook-position");
  return position === null ? undefined : Number(position);
}

/** Events one by one, from an answer that was asked with `parseAs: "text"`. */
export function lines<T = Schema<"RecordedEvent">>(text: string): T[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}
