// `event-recovery verify` over the real steps on the memory engine.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { checkVerifyRequest } from '../../lambdas/verify-consistency/request.ts';
import { EventRecoveryError } from '../../lib/model/errors.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { sumsKey } from '../../lib/recovery/verify/places.ts';
import { addUpVerification, splitVerification, verifyBatch } from '../../lib/recovery/verify/verification.ts';
import { verificationDeps } from '../recovery/verify/in-batches.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../support/small-system.ts';
import { runCommands } from './run-commands.ts';

const TABLE_NAMES = {
  events: TABLES.eventsTable,
  log: TABLES.logTable,
  checkpoints: TABLES.checkpointsTable,
  deadLetters: TABLES.deadLettersTable,
  recovery: TABLES.recoveryTable,
};
let system: SmallSystem;
let deps: ReturnType<typeof verificationDeps>;
let steps: string[];

beforeEach(async () => {
  system = await createSmallSystem();
  await system.addConsumer({ name: 'inventory', eventTypes: ['Placed'], effects: 'idempotent' });
  for (const streamId of ['order-1', 'order-2', 'order-3']) await system.append(streamId, ['Placed', 'Placed']);
  await system.settle();
  deps = verificationDeps({ dynamo: system.dynamo, tables: TABLE_NAMES }, { streams: 2 });
  steps = [];
});

const answer = answeringErrors(async (input: unknown, _context: object) => {
  const request = checkVerifyRequest(input);
  steps.push(request.step ?? 'at once');
  if (request.step === 'batch') return verifyBatch(deps, request);
  if (request.step === 'add-up') return (await addUpVerification(deps, request)).verdict;
  return splitVerification(deps, { ...request, now: system.clock.now() });
});
/** As a deployment does: an answer with an error is thrown. */
const run = (argv: string[], after: (step: string) => Promise<void> = async () => undefined) =>
  runCommands(argv, async (name, input) => {
    expect(name).toBe('verify-consistency');
    const answered = JSON.parse(JSON.stringify(await answer(input, {})));
    await after(steps.at(-1) ?? '');
    if (answered.error === undefined) return answered;
    throw new EventRecoveryError(answered.error.code, answered.error.message);
  });

describe('event-recovery verify', () => {
  it('asks once when everything is one batch', async () => {
    deps.bounds.streams = 100;
    const { code, stdout } = await run(['verify']);
    expect(code).toBe(0);
    expect(stdout).toContain('Complete: 6 events of 3 streams are accounted for.');
    expect(steps).toEqual(['split']);
  });

  it('goes through the batches with progress, and says the same as at once', async () => {
    const inBatches = await run(['verify', '--json']);
    expect(inBatches.code).toBe(0);
    expect(steps).toEqual(['split', 'batch', 'batch', 'add-up']);
    expect(inBatches.stderr).toContain('3 streams in 2 batches');
    expect(inBatches.stderr).toContain('2 of 2 batches');
    deps.bounds.streams = 100;
    expect(JSON.parse((await run(['verify', '--json'])).stdout)).toEqual(JSON.parse(inBatches.stdout));
  });

  it('ends with 1 when a batch finds something, and only looks at the prefix that it was given', async () => {
    await system.dynamo.delete({ TableName: TABLES.eventsTable, Key: { streamId: 'order-3', version: 1 } });
    const { code, stdout } = await run(['verify']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/NOT complete: \d+ violations/);
    expect(stdout).toContain('store-hole order-3');
    deps.bounds.streams = 1;
    const others = await run(['verify', '--stream-prefix', 'order-1', '--json']);
    expect(others.code).toBe(0);
    expect(JSON.parse(others.stdout)).toMatchObject({ ok: true, streams: 1 });
  });

  it('refuses to say anything when the sums of a batch are gone', async () => {
    const { code, stdout, stderr } = await run(['verify'], async (step) => {
      if (step !== 'batch') return;
      for (const key of deps.files.texts.keys())
        if (key === sumsKey(key.split('/')[1] ?? '', 1)) deps.files.texts.delete(key);
    });
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toContain('VERIFICATION_INCOMPLETE');
  });
});
