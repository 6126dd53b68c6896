import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { answered, lines, positionOf, Refused, rollbook, type Rollbook, type Schema } from "../src/index.js";
import { Service } from "./service.js";

// Of the fixture `clean`: a client with one answered week of a series of 52.
const CLIENT = "YALubyNLOidOOvDwR6wMTrVFbLd9";
const COACH = "3joOj37HyVaQXekW9LctXb03rEMU";
const BASE = "assignment-1767420180000-f1bwya5l4";
const FORM = "form-1765694942359-rssdwugus";

describe("the client against the built service", () => {
  let service: Service;
  let client: Rollbook;

  before(async () => {
    service = await Service.start();
    client = rollbook({ baseUrl: service.url, token: () => service.key });
  });
  after(() => service.end());

  test("reads what a client sees, with its view and position", async () => {
    const answer = await client.GET("/api/client-portal/check-ins", { params: { query: { clientId: CLIENT } } });
    const { data }: Schema<"CheckIns"> = answered(answer);
    assert.equal(answer.response.headers.get("x-rollbook-view"), "legacy");
    assert.ok((positionOf(answer) ?? 0) > 200);
    assert.equal(data.checkins.length, data.summary.total);
    assert.ok(data.checkins.some((week) => week.documentId === "BsgOVS4feC4WVue2auE6" && week.recurringWeek === 1));
  });

  test("answers a week once, and tells the first answer for ever", async () => {
    const respond = (score: number) =>
      client.POST("/api/client-portal/check-in/{id}", {
        params: { path: { id: `${BASE}_week_2` } },
        body: { responses: [{ questionId: "q1", question: "How was it?", answer: "good", weight: 5, score }] },
      });
    const first = answered(await respond(8));
    assert.deepEqual([first.success, first.score, first.alreadyCompleted], [true, 80, undefined]);
    const again = answered(await respond(3));
    assert.deepEqual([again.responseId, again.score, again.alreadyCompleted], [first.responseId, 80, true]);
    const { assignment } = answered(await client.GET("/api/check-in-assignments/{id}", { params: { path: { id: `${BASE}_week_2` } } }));
    assert.deepEqual([assignment.status, assignment.responseId, assignment.recurringWeek], ["completed", first.responseId, 2]);
  });

  test("allocates a series once under its key; the key is refused for another", async () => {
    const allocate = (duration: number) =>
      client.POST("/api/check-in-assignments", {
        params: { header: { "Idempotency-Key": "client-test-1" } },
        body: { formId: FORM, clientId: CLIENT, coachId: COACH, duration, firstCheckInDate: "2026-03-02" },
      });
    const { assignments } = answered(await allocate(3));
    assert.deepEqual(assignments.map((week) => week.dueDate.slice(0, 10)), ["2026-03-02", "2026-03-09", "2026-03-16"]);
    assert.deepEqual(answered(await allocate(3)).assignments, assignments);
    const refused = await allocate(4);
    assert.equal(refused.response.status, 422);
    assert.equal(refused.error?.success, false);
  });

  test("plans, applies, validates and switches, as an operator would", async () => {
    const batch = answered(await client.GET("/v1/migrations/plan", { parseAs: "text" }));
    const sent = { body: batch, bodySerializer: (text: string) => text, headers: { "content-type": "application/x-ndjson" } };
    const applied = answered(await client.POST("/v1/migrations/apply", sent));
    assert.ok(applied.created > 0);
    const validation = answered(await client.POST("/v1/migrations/validations"));
    assert.deepEqual([validation.green, validation.all_green], [validation.total, true]);
    answered(await client.PUT("/v1/switch", { body: { view: "precreated", reason: "the client's test" } }));
    const live = await client.GET("/v1/clients/{id}/check-ins", { params: { path: { id: CLIENT } } });
    assert.equal(live.response.headers.get("x-rollbook-view"), "precreated");
    const flag = await client.POST("/ofrep/v1/evaluate/flags/{key}", {
      params: { path: { key: "use-pre-created-assignments" } },
      body: { context: { targetingKey: CLIENT } },
    });
    assert.equal(answered(flag).value, true);
  });

  test("reads events as lines, a page at a time", async () => {
    const text = answered(await client.GET("/v1/events", { params: { query: { after: 10, limit: 5 } }, parseAs: "text" }));
    assert.deepEqual(lines(text).map((event) => event.position), [11, 12, 13, 14, 15]);
  });

  test("a refusal is typed in either form, and thrown where that is wanted", async () => {
    const dropIn = await client.GET("/api/check-in-assignments/{id}", { params: { path: { id: "no-such-week" } } });
    assert.deepEqual(dropIn.error, { success: false, message: "Assignment not found" });
    const problem = await client.GET("/v1/history/{id}", { params: { path: { id: "no-such-id" } } });
    assert.throws(() => answered(problem), (error) => error instanceof Refused && error.status === 404 && error.code === "unknown_id");
    const stranger = await rollbook({ baseUrl: service.url }).GET("/v1/status");
    assert.equal(stranger.response.status, 401);
    assert.equal(stranger.error?.code, "unauthenticated");
  });
});
