// A program as an application writes it, checked by tsc --strict against the generated types.

import { create } from "@bufbuild/protobuf";
import { createClient, ConnectError } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "tariffs-stubs/google/rpc/error_details_pb.js";
import { DutyService, EntryLineSchema } from "tariffs-stubs/tariffs/v1/duty_service_pb.js";
import { ResponseModel, SimulationService } from "tariffs-stubs/tariffs/v1/simulation_service_pb.js";

const transport = createConnectTransport({ baseUrl: "http://localhost:8080", httpVersion: "1.1" });

export async function assessed(hts: string): Promise<string> {
  const line = create(EntryLineSchema, { hts, origin: "CN", entry: "2025-05-14", customsValue: "10000" });
  return (await createClient(DutyService, transport).calculateDuty({ line })).assessed;
}

export async function tablesOf(scenario: string): Promise<Uint8Array[]> {
  const points = [{ scenario: { scenario: { case: "name" as const, value: scenario } } }];
  const tables: Uint8Array[] = [];
  const asked = { points, response: ResponseModel.NONE, by: ["origin"] };
  for await (const { content } of createClient(SimulationService, transport).simulate(asked)) {
    if (content.case === "groups") tables.push(content.value.arrow);
  }
  return tables;
}

export function reasonOf(error: unknown): string | undefined {
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
}

// @ts-expect-error a line has no field of this name
create(EntryLineSchema, { hst: "9503.00.0073" });
