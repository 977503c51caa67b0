// Calls of one method in one of three ways: RATE calls a second whatever the server does (open loop), VUS callers who
// each wait for their answer (closed loop), or CALLS calls in all. Writes one JSON object of what it saw to OUT.

import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load([__ENV.PROTO, __ENV.THIRD_PARTY], 'tariffs/v1/duty_service.proto');
// Sent in turn, each once before the first is sent again.
const requests = JSON.parse(open(__ENV.REQUEST));
const targets = __ENV.TARGETS.split(',');
const metadata = __ENV.TOKEN ? { authorization: `Bearer ${__ENV.TOKEN}` } : {};
const ok = new Counter('ok');
const refused = new Counter('refused');
const failed = new Counter('failed');
const WARM = '1s';
const gracefulStop = '10s';

const callers = Number(__ENV.VUS);
const duration = `${__ENV.SECONDS}s`;

function atRate(startTime, lasting) {
  return {
    executor: 'constant-arrival-rate', rate: Number(__ENV.RATE), timeUnit: '1s', preAllocatedVUs: callers,
    maxVUs: callers, startTime, duration: lasting,
  };
}

function scenarios() {
  if (__ENV.RATE) {
    // While callers start and connect, k6 holds itself up; those calls are sent and not counted, for k6 breaks off
    // whatever is under way when their time is over.
    return { warm: { ...atRate('0s', WARM), gracefulStop: '0s' }, calls: { ...atRate(WARM, duration), gracefulStop } };
  }
  if (__ENV.CALLS) {
    const iterations = Number(__ENV.CALLS);
    return { calls: { executor: 'shared-iterations', vus: callers, iterations, maxDuration: duration, gracefulStop } };
  }
  return { calls: { executor: 'constant-vus', vus: callers, duration, gracefulStop } };
}

// Bounds that always hold: they make k6 keep these numbers apart.
const apart = {
  'grpc_req_duration{scenario:calls,status:0}': ['max>=0'],
  'grpc_req_duration{scenario:calls,status:8}': ['max>=0'],
  'grpc_req_duration{scenario:calls,status:1}': ['max>=0'],
  'ok{scenario:calls}': ['count>=0'],
  'refused{scenario:calls}': ['count>=0'],
  'failed{scenario:calls}': ['count>=0'],
  'dropped_iterations{scenario:calls}': ['count>=0'],
};

export const options = {
  scenarios: scenarios(),
  summaryTrendStats: ['count', 'med', 'p(99)', 'max'],
  thresholds: apart,
};

// gRPC itself turns calls away that the server has no time to look at, as CANCELLED: nobody here cancels.
function isRefusal(answer) {
  return answer.status === grpc.StatusResourceExhausted || answer.status === grpc.StatusCanceled;
}

let connected = false;

export default function () {
  if (!connected) {
    client.connect(targets[__VU % targets.length], { plaintext: true });
    connected = true;
  }
  const request = requests[exec.scenario.iterationInTest % requests.length];
  const answer = client.invoke(`tariffs.v1.${__ENV.METHOD}`, request, {
    metadata, timeout: '10s', discardResponseMessage: true,
  });
  if (answer.status === grpc.StatusOK) ok.add(1);
  else if (isRefusal(answer)) refused.add(1);
  else failed.add(1);
}

export function handleSummary(data) {
  const seen = {};
  for (const [name, metric] of Object.entries(data.metrics)) seen[name] = metric.values;
  return { [__ENV.OUT]: JSON.stringify(seen) };
}
