// A client of another language before a real server: run by node --test from tests/node/test_node_client.py.
// HTTP and GRPC are the addresses of the two ports, STUBS the folder of the generated package.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";

const { HTTP, GRPC } = process.env;
const stubs = (name) => import(`tariffs-stubs/${name}_pb.js`);
const { DutyService } = await stubs("tariffs/v1/duty_service");
const { LawService } = await stubs("tariffs/v1/law_service");
const { SimulationService, ResponseModel } = await stubs("tariffs/v1/simulation_service");
const { TableService } = await stubs("tariffs/v1/table_service");
const { BadRequestSchema, ErrorInfoSchema } = await stubs("google/rpc/error_details");

const transports = {
  "Connect in binary": createConnectTransport({ baseUrl: HTTP, httpVersion: "1.1" }),
  "Connect in JSON": createConnectTransport({ baseUrl: HTTP, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect by GET": createConnectTransport({ baseUrl: HTTP, httpVersion: "1.1", useHttpGet: true }),
  "gRPC-Web": createGrpcWebTransport({ baseUrl: HTTP, httpVersion: "1.1" }),
  "gRPC": createGrpcTransport({ baseUrl: GRPC }),
};
const line = { hts: "9503.00.0073", origin: "CN", entry: "2025-05-14", customsValue: "10000" };
const points = [{ scenario: { scenario: { case: "name", value: "base" } }, on: "2025-05-14" }];
// The server of the test goes on with a run of this seed until it is cancelled.
const ENDLESS = 4711n;

for (const [name, transport] of Object.entries(transports)) {
  const duty = createClient(DutyService, transport);
  const law = createClient(LawService, transport);
  const simulation = createClient(SimulationService, transport);

  test(`${name}: a quote`, async () => {
    const quote = await duty.calculateDuty({ line });
    assert.equal(quote.assessed, "3000.00");
    assert.ok(quote.provenance.runDigest);
  });

  test(`${name}: the measures of the law`, async () => {
    const { measures } = await law.listMeasures({});
    assert.ok(measures.length > 100);
    assert.ok(measures.some((measure) => measure.id === "recip_cn"));
  });

  test(`${name}: a run as a stream`, async () => {
    const kinds = [];
    for await (const { content } of simulation.simulate({ points, response: ResponseModel.NONE, by: ["origin"] })) {
      if (content.case === "groups") assert.ok(content.value.arrow.length > 1000);
      kinds.push(content.case);
    }
    assert.deepEqual(kinds.filter((kind) => kind !== "progress"), ["groups", "total", "done"]);
  });

  test(`${name}: an error with its reason and field`, async () => {
    const error = await duty.calculateDuty({ line: { ...line, hts: "99" } }).then(assert.fail, ConnectError.from);
    assert.equal(error.code, Code.InvalidArgument);
    assert.equal(error.findDetails(ErrorInfoSchema)[0].reason, "HTS_CODE_MALFORMED");
    assert.equal(error.findDetails(BadRequestSchema)[0].fieldViolations[0].field, "hts");
  });

  test(`${name}: an error of a stream`, async () => {
    const error = await drain(simulation.simulate({})).then(assert.fail, ConnectError.from);
    assert.equal(error.findDetails(ErrorInfoSchema)[0].reason, "REQUEST_INVALID");
  });

  test(`${name}: a run that is cancelled`, async () => {
    const stop = new AbortController();
    const run = simulation.simulate({ points, seed: ENDLESS }, { signal: stop.signal });
    const seen = drain(run, () => stop.abort()).then(assert.fail, ConnectError.from);
    assert.equal((await seen).code, Code.Canceled);
  });

  test(`${name}: a run that has a deadline`, async () => {
    const run = simulation.simulate({ points, seed: ENDLESS }, { timeoutMs: 300 });
    const error = await drain(run).then(assert.fail, ConnectError.from);
    assert.equal(error.code, Code.DeadlineExceeded);
  });

  test(`${name}: a stream of the client`, { skip: name === "gRPC-Web" && "browsers send no streams" }, async () => {
    const error = await createClient(TableService, transport)
      .uploadTable(parts([new Uint8Array([1, 2, 3])]))
      .then(assert.fail, ConnectError.from);
    assert.equal(error.findDetails(ErrorInfoSchema)[0].reason, "ARROW_MALFORMED");
  });
}

async function* parts(tables) {
  for (const arrow of tables) yield { arrow };
}

async function drain(messages, onFirst = () => {}) {
  let first = true;
  for await (const _ of messages) {
    if (first) onFirst();
    first = false;
  }
}
