// What starts a recovery, under which name, and what is not started again.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../lib/platform/logging.ts';
import { createAlerts } from '../../../lib/recovery/alert/alerts.ts';
import { checkRecoveryRequest } from '../../../lib/recovery/recover/input.ts';
import { ALARMS_THAT_START, decideStart, type Sign } from '../../../lib/recovery/start/decide-start.ts';
import { type StartDeps, startRecovery } from '../../../lib/recovery/start/start-recovery.ts';
import { createStarts } from '../../../lib/recovery/start/starts.ts';
import { createSmallSystem, type SmallSystem, TABLES } from '../../support/small-system.ts';

const MINUTE = 60_000;
const gapsFound = (detail: object = {}): Sign => ({
  source: 'event-recovery.recovery',
  'detail-type': 'GapsFound',
  detail: {
    format: 1,
    consumer: 'billing',
    scannedAt: 1_000,
    scannedTo: 812,
    gaps: 1,
    gapEvents: 3,
    listed: [{ consumer: 'billing', streamId: 'order-1', from: 2, to: 4, count: 3, oldestAgeSeconds: 90 }],
    ...detail,
  },
});
const damageFound: Sign = {
  source: 'event-recovery.recovery',
  'detail-type': 'DamageFound',
  detail: { format: 1, scrubbedAt: 5, findings: 1, kinds: { fork: 1 }, listed: [{ id: 'f1', kind: 'fork' }] },
};
const alarm = (description: string, timestamp = '2026-11-25T10:15:00.000+0000', value = 'ALARM'): Sign => ({
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  detail: { alarmName: 'An-Alarm-1', state: { value, timestamp }, configuration: { description } },
});
const QUEUE_AGE = 'Consumer billing: the oldest message waits. Runbook: docs/runbooks/README.md#consumer-queue-age';

describe('what a sign asks for', () => {
  it.each([
    ['gaps', gapsFound(), { actions: ['fill-gaps'], consumers: ['billing'], trigger: 'scan' }],
    ['damage', damageFound, { actions: ['repair'], trigger: 'scrub' }],
    ['an alarm of a consumer', alarm(QUEUE_AGE), { actions: ['repair'], consumers: ['billing'], trigger: 'alarm' }],
  ])('%s: an input that the recovery accepts, under a name of the right length', (_what, sign, input) => {
    const decision = decideStart(sign);
    if (decision.kind !== 'start') throw new Error(decision.why);
    expect(checkRecoveryRequest(decision.input)).toMatchObject(input);
    expect(decision.name).toMatch(/^[a-z0-9-]{1,80}$/);
  });

  it('nothing, when an alarm is over, knows no consumer here or is one that only people can help against', () => {
    expect(decideStart(alarm(QUEUE_AGE, undefined, 'OK'))).toMatchObject({ kind: 'ignore' });
    expect(decideStart(alarm('Runbook: docs/runbooks/README.md#recovery-failed'))).toMatchObject({ kind: 'ignore' });
    expect(decideStart({ source: 'x', 'detail-type': 'y', detail: {} })).toMatchObject({ kind: 'ignore' });
    expect(ALARMS_THAT_START).not.toContain('recovery-failed');
  });

  it('the same name for the same finding and evidence, another one when the evidence has moved', () => {
    const nameOf = (sign: Sign) => (decideStart(sign) as { name: string }).name;
    const hashOf = (sign: Sign) => (decideStart(sign) as { hash: string }).hash;
    expect(nameOf(gapsFound({ scannedAt: 9_999 }))).toBe(nameOf(gapsFound()));
    expect(nameOf(gapsFound({ scannedTo: 813 }))).not.toBe(nameOf(gapsFound()));
    expect(hashOf(gapsFound({ scannedTo: 813 }))).toBe(hashOf(gapsFound()));
    // Which of many gaps are listed changes from scan to scan, and what is stuck stays the same.
    expect(hashOf(gapsFound({ listed: [{ streamId: 'order-9', from: 3 }], gaps: 700 }))).toBe(hashOf(gapsFound()));
    expect(hashOf(gapsFound({ consumer: 'shipping' }))).not.toBe(hashOf(gapsFound()));
  });
});

describe('starting', () => {
  let system: SmallSystem;
  let deps: StartDeps;
  let executions: Map<string, { status: string; error?: string; input: string }>;
  let told: unknown[];

  beforeEach(async () => {
    system = await createSmallSystem();
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent' });
    executions = new Map();
    told = [];
    const sfn = {
      send: async ({ input }: { input: { name?: string; input?: string; executionArn?: string } }) => {
        if (input.executionArn !== undefined) return executions.get(input.executionArn.slice('arn:'.length));
        const { name = '', input: text = '' } = input;
        const earlier = executions.get(name);
        if (earlier !== undefined && (earlier.status !== 'RUNNING' || earlier.input !== text)) {
          throw Object.assign(new Error(name), { name: 'ExecutionAlreadyExists' });
        }
        executions.set(name, earlier ?? { status: 'RUNNING', input: text });
        return { executionArn: `arn:${name}` };
      },
    };
    const recovery = { dynamo: system.dynamo, table: TABLES.recoveryTable };
    deps = {
      sfn: sfn as never,
      stateMachineArn: 'machine',
      starts: createStarts(recovery),
      alerts: createAlerts({
        ...recovery,
        sns: { send: async ({ input }) => told.push(input) },
        topicArn: 'topic',
        clock: system.clock,
      }),
      registry: system.registry,
      logger: silentLogger,
      now: () => system.clock.now(),
    };
  });

  /** Gaps that scans met first `from` to `to` minutes ago. */
  const seen = (more: object = {}, { from = 0, to = 0 } = {}): Sign => {
    const now = system.clock.now();
    return gapsFound({ scannedAt: now, foundFrom: now - from * MINUTE, foundTo: now - to * MINUTE, ...more });
  };
  const end = (status: string, error?: string): void => {
    for (const execution of executions.values()) {
      if (execution.status === 'RUNNING') Object.assign(execution, { status, error });
    }
  };

  it('happens once, however often the sign is delivered, also when its recovery has ended meanwhile', async () => {
    const sign = seen();
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => startRecovery(deps, sign)));
    expect(outcomes.filter(({ kind }) => kind === 'started').length).toBeGreaterThanOrEqual(1);
    expect(executions.size).toBe(1);
    end('SUCCEEDED');
    expect(await startRecovery(deps, sign)).toMatchObject({ kind: 'already-started' });
    expect({ executions: executions.size, told }).toEqual({ executions: 1, told: [] });
  });

  it.each([
    ['runs', undefined],
    ['has ended', 'SUCCEEDED'],
  ])(
    'happens once when its function died before it noted the start, and the execution %s meanwhile',
    async (_, ended) => {
      const sign = seen();
      const dies = { ...deps.starts, put: () => Promise.reject(new Error('the function died')) };
      await expect(startRecovery({ ...deps, starts: dies }, sign)).rejects.toThrow('died');
      if (ended !== undefined) end(ended);
      // No row tells of it: only the name of the execution can.
      expect(await deps.starts.get((decideStart(sign) as { hash: string }).hash)).toBeUndefined();
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => startRecovery(deps, sign)));
      expect(new Set(outcomes.map((outcome) => (outcome as { name: string }).name))).toEqual(
        new Set(executions.keys()),
      );
      expect({ executions: executions.size, told }).toEqual({ executions: 1, told: [] });
    },
  );

  it('does not happen again for what its recovery knew and left, whichever streams are listed: people are told once an hour', async () => {
    await startRecovery(deps, seen());
    end('FAILED', 'NotComplete');
    system.clock.advance(5 * MINUTE);
    const left = { from: 5, to: 5 };
    expect(await startRecovery(deps, seen({ scannedTo: 900 }, left))).toMatchObject({
      kind: 'did-not-help',
      alert: 'published',
    });
    const others = [{ consumer: 'billing', streamId: 'order-7', from: 1, to: 1, count: 1, oldestAgeSeconds: 9 }];
    expect(await startRecovery(deps, seen({ scannedTo: 901, listed: others }, left))).toMatchObject({
      kind: 'did-not-help',
      alert: 'told-already',
    });
    expect(executions.size).toBe(1);
    expect(told).toHaveLength(1);
    system.clock.advance(25 * 60 * MINUTE);
    expect(await startRecovery(deps, seen({ scannedTo: 950 }, { from: 1_505, to: 1_505 }))).toMatchObject({
      kind: 'started',
    });
  });

  it('happens again for damage that came after a recovery that helped, at once', async () => {
    await startRecovery(deps, seen());
    end('SUCCEEDED');
    system.clock.advance(5 * MINUTE);
    expect(await startRecovery(deps, seen({ scannedTo: 900 }))).toMatchObject({ kind: 'started' });
    expect(executions.size).toBe(2);
    expect(told).toEqual([]);
  });

  it('happens again when the first one could not begin', async () => {
    await startRecovery(deps, seen());
    end('FAILED', 'AlreadyRecovering');
    system.clock.advance(5 * MINUTE);
    expect(await startRecovery(deps, seen())).toMatchObject({ kind: 'started', name: expect.stringMatching(/-2$/) });
    end('FAILED', 'AlreadyRecovering');
    system.clock.advance(5 * MINUTE);
    expect(await startRecovery(deps, seen())).toMatchObject({ kind: 'started', name: expect.stringMatching(/-3$/) });
    expect(told).toEqual([]);
  });

  it('happens for each time that an alarm becomes red, when the recovery before had helped', async () => {
    const red = () => alarm(QUEUE_AGE, new Date(system.clock.now()).toISOString());
    expect(await startRecovery(deps, red())).toMatchObject({ kind: 'started' });
    end('SUCCEEDED');
    system.clock.advance(40 * MINUTE);
    const again = red();
    expect(await startRecovery(deps, again)).toMatchObject({ kind: 'started' });
    end('SUCCEEDED');
    expect(await startRecovery(deps, again)).toMatchObject({ kind: 'already-started' });
    expect(executions.size).toBe(2);
  });

  it('waits for the one that is at work', async () => {
    await startRecovery(deps, seen());
    system.clock.advance(5 * MINUTE);
    expect(await startRecovery(deps, seen({ scannedTo: 900 }))).toMatchObject({ kind: 'already-started' });
  });

  it('does not happen for a consumer of another deployment', async () => {
    expect(await startRecovery(deps, seen({ consumer: 'stranger' }))).toMatchObject({ kind: 'ignored' });
    expect(executions.size).toBe(0);
  });
});
