// Every Lambda function against input that nobody sane would send: a clear error or a clear answer, no crash, and nothing
// written unless the input was taken for good. The functions are the deployed ones; AWS is an endpoint that refuses writes.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { LambdaContext } from '../../lib/platform/lambda-context.ts';
import { type FakeAws, REFUSED, startFakeAws } from './fake-aws.ts';
import { hostileObject, hostileValue, isUnpolluted, jsonOf } from './values.ts';

type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;

const ROOT = join(import.meta.dirname, '../..');
const OPERATION = ['requestedBy', 'reason', 'dryRun', 'action', 'selection', 'consumer', 'streamId', 'approvedBy'];
const QUEUE = ['Records', 'messageId', 'body', 'attributes', 'eventSourceARN', 'messageAttributes'];
const WAKE_UP = ['format', 'kind', 'streamId', 'version', 'versions', 'hops', 'reason', 'replayId', 'detail', 'source'];
const ENVELOPE = ['detail-type', 'source', 'detail', 'data', 'type', 'commitHash', 'commitVersion', 'timestamp'];

/** What each function reads, so that hostile values stand where it looks. A new function has to be added here. */
const FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  'lambdas/archive-events': [...OPERATION, 'full', 'from', 'to'],
  'lambdas/ask-approval': ['token', 'timeoutSeconds', 'progress', 'id', 'jobs', 'request'],
  'lambdas/decide-approval': ['decision', 'id', 'question', ...OPERATION],
  'lambdas/diagnose': ['step', 'id', 'input', 'state', ...OPERATION],
  'lambdas/enable-rule': [...OPERATION, 'rule', 'brief'],
  'lambdas/intake-dead-letters': [...QUEUE, 'requestContext', 'requestPayload', 'action'],
  'lambdas/react-to-drill': QUEUE,
  'lambdas/redrive-dead-letters': [...OPERATION, 'brief', 'runId', 'canary', 'force', 'ratePerSecond', 'max'],
  'lambdas/register-consumer': ['RequestType', 'ResourceProperties', 'PhysicalResourceId', 'Declaration', 'RequestId'],
  'lambdas/relay-commits': ['Records', 'dynamodb', 'eventName', ...WAKE_UP],
  'lambdas/repair-relay': ['detail', 'bucket', 'object', 'key', 'name'],
  'lambdas/replay-events': [...OPERATION, 'mode', 'planId', 'replayId', 'positions', 'times', 'target', 'window'],
  'lambdas/report-status': ['accumulated', 'input', 'progress', 'verdict'],
  'lambdas/restore-commits': [...OPERATION, 'planId', 'streams', 'at', 'source'],
  'lambdas/run-drill': OPERATION,
  'lambdas/scan-gaps': [...OPERATION, 'graceSeconds', 'fill', 'last', 'maxStreams'],
  'lambdas/scrub-events': [...OPERATION, 'streams', 'full', 'budget'],
  'lambdas/start-recovery': [...ENVELOPE, 'listed', 'consumer', 'state', 'configuration', 'alarmName'],
  'lambdas/verify-consistency': [...OPERATION, 'step', 'run', 'batch', 'streamIds', 'consumers', 'quiet', 'listed'],
  'examples/order-fulfilment/inventory': QUEUE,
  'examples/order-fulfilment/notification': QUEUE,
};

/** What nobody understands is kept (a dead message) or recorded as an incident (a record of the stream), and told to people. */
const KEEPS: Readonly<Record<string, readonly string[]>> = {
  'lambdas/intake-dead-letters': ['Recovery'],
  'lambdas/relay-commits': ['Log'],
};

const PROGRAMMING_ERRORS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError']);
const MESSAGE_MAX = 4_000;
/** Our mappings deliver at most 10 messages. */
const OVERSIZED_BATCH = 40;
const RUNS = 60;
const TIMEOUT_MS = 120_000;

const environment = (url: string, name: string): Record<string, string> => ({
  ...Object.fromEntries(
    ['Events', 'Log', 'Checkpoints', 'Dead_Letters', 'Idempotency', 'Recovery', 'Inventory', 'Loyalty', 'Drill'].map(
      (table) => [`${table.toUpperCase()}_TABLE`, table],
    ),
  ),
  EVENTS_TABLE_ARN: 'arn:aws:dynamodb:us-east-1:111122223333:table/Events',
  ALERTS_TOPIC_ARN: 'arn:aws:sns:us-east-1:111122223333:alerts',
  CONFIRMATIONS_TOPIC_ARN: 'arn:aws:sns:us-east-1:111122223333:confirmations',
  RELAY_FUNCTION_ARN: 'arn:aws:lambda:us-east-1:111122223333:function:relay',
  RELAY_MAPPING_ARN: 'arn:aws:lambda:us-east-1:111122223333:event-source-mapping:1',
  ARCHIVE_BUCKET: 'archive',
  ARCHIVE_SPAN_MINUTES: '60',
  RELAY_FAILURES_BUCKET: 'failures',
  REPORTS_BUCKET: 'reports',
  EVENT_BUS_NAME: 'bus',
  DEPLOYMENT: 'test',
  CONSUMER_NAME: name === 'lambdas/react-to-drill' ? 'drill-rehearsal' : name.slice(name.lastIndexOf('/') + 1),
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:111122223333:stateMachine:recovery',
  QUEUE_URL: `${url}/111122223333/queue`,
  MARKER_TTL_SECONDS: '1296000',
  AWS_ENDPOINT_URL: url,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_MAX_ATTEMPTS: '1',
  POWERTOOLS_SERVICE_NAME: 'hostile',
  POWERTOOLS_METRICS_NAMESPACE: 'EventRecovery',
  POWERTOOLS_METRICS_DISABLED: 'true',
  LOG_LEVEL: 'DEBUG',
});

const context = {
  functionName: 'hostile',
  awsRequestId: 'request-1',
  getRemainingTimeInMillis: () => 30_000,
} as LambdaContext;

let aws: FakeAws;
const printed: string[] = [];
const escaped: unknown[] = [];
const onEscape = (error: unknown): void => void escaped.push(error);
beforeAll(async () => {
  aws = await startFakeAws();
  const print = (text: unknown): boolean => printed.push(String(text)) > 0;
  jest.spyOn(process.stdout, 'write').mockImplementation(print);
  jest.spyOn(process.stderr, 'write').mockImplementation(print);
  process.on('unhandledRejection', onEscape);
});
afterAll(async () => {
  jest.restoreAllMocks();
  process.off('unhandledRejection', onEscape);
  await aws.close();
});

/** Powertools' own words, without anything from the input. */
const POWERTOOLS_HINT = 'No application metrics to publish';

/** What is wrong with one thing that a function printed: a line of CloudWatch Logs is one JSON document of the logger or the metrics. */
function brokenLine(text: string): string | undefined {
  const line = text.replace(/\n$/, '');
  if (line.startsWith(POWERTOOLS_HINT)) return undefined;
  if (line.includes('\n')) return `several lines: ${line.slice(0, 500)}`;
  try {
    const { level, service, timestamp, _aws } = JSON.parse(line) as Record<string, unknown>;
    const isLog = typeof level === 'string' && service === 'hostile' && typeof timestamp === 'string';
    return isLog || _aws !== undefined ? undefined : `neither log nor metrics: ${line.slice(0, 500)}`;
  } catch {
    return `no JSON: ${line.slice(0, 500)}`;
  }
}

const foldersWithHandler = (parent: string): string[] =>
  readdirSync(join(ROOT, parent))
    .map((name) => `${parent}/${name}`)
    .filter((folder) => existsSync(join(ROOT, folder, 'handler.ts')));

/** Batches of records with hostile bodies, and whole events that are hostile. */
function hostileEvent(fields: readonly string[]): fc.Arbitrary<unknown> {
  const body = fc.oneof(
    hostileObject([...WAKE_UP, ...ENVELOPE]).map(jsonOf),
    hostileValue.map((value) => (typeof value === 'string' ? value : jsonOf(value))),
  );
  const record = fc.oneof(
    body.map((text, index = 0) => ({ messageId: `m-${index}`, body: text, attributes: {} })),
    hostileObject(fields),
  );
  const batch = fc.array(record, { maxLength: 4 }).map((Records) => ({ Records }));
  const oversized = record.map((one) => ({ Records: Array.from({ length: OVERSIZED_BATCH }, () => one) }));
  return fc.oneof(
    { weight: 3, arbitrary: hostileObject(fields) },
    hostileValue,
    fields.includes('Records') ? fc.oneof({ weight: 9, arbitrary: batch }, oversized) : hostileValue,
  );
}

describe('hostile input', () => {
  it('has been thought of for every Lambda function', () => {
    const deployed = [...foldersWithHandler('lambdas'), ...foldersWithHandler('examples/order-fulfilment')];
    expect(Object.keys(FUNCTIONS).sort()).toEqual(deployed.sort());
  });

  it.each(Object.keys(FUNCTIONS))(
    'ends %s with a clear error or answer, and writes nothing',
    async (folder) => {
      Object.assign(process.env, environment(aws.url, folder));
      const { handler } = (await import(join(ROOT, folder, 'handler.ts'))) as { handler: Handler };
      await fc.assert(
        fc.asyncProperty(hostileEvent(FUNCTIONS[folder] ?? []), async (event) => {
          aws.writes.length = 0;
          printed.length = 0;
          const end = await outcomeOf(handler, event);
          for (const line of printed) expect(brokenLine(line)).toBeUndefined();
          if (end.kind === 'threw') {
            expect(PROGRAMMING_ERRORS.has(end.name) ? `${end.name}: ${end.message}` : '').toBe('');
            expect(end.message.length).toBeLessThan(MESSAGE_MAX);
          }
          const isTakenForGood = end.kind === 'answered' || end.name.includes(REFUSED);
          const kept = KEEPS[folder] ?? [];
          const written = aws.writes.filter(({ tables }) => !tables.every((table) => kept.includes(table)));
          if (!isTakenForGood) expect(written).toEqual([]);
          expect(isUnpolluted()).toBe(true);
        }),
        { numRuns: RUNS },
      );
      expect(escaped).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

type Outcome = { kind: 'answered'; answer: unknown } | { kind: 'threw'; name: string; message: string };

/** `{ error }` is a refusal like a thrown one. */
async function outcomeOf(handler: Handler, event: unknown): Promise<Outcome> {
  try {
    const answer = await handler(event, context);
    const refusal = (answer as { error?: { code: string; message: string } } | null | undefined)?.error;
    if (refusal === undefined) return { kind: 'answered', answer };
    return { kind: 'threw', name: refusal.code, message: refusal.message };
  } catch (error) {
    const { name = typeof error, message = '' } = (error ?? {}) as Partial<Error>;
    return { kind: 'threw', name, message };
  }
}
