// What starts a recovery, under which name, and what is not started again.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../lib/platform/logging.ts';
import { createAlerts } from '../../../lib/recovery/alert/alerts.ts';
import { createLeases, type Leases } from '../../../lib/recovery/lease/leases.ts';
import { checkRecoveryRequest } from '../../../lib/recovery/recover/input.ts';
import { ALARMS_THAT_START, decideStart, type Sign } from '../../../lib/recovery/start/decide-start.ts';
import { lookAfter } from '../../../lib/recovery/start/look-after.ts';
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
  let executions: Map<string, { status: string; error?: string; input: string; stopDate?: Date }>;
  let told: unknown[];

  beforeEach(async () => {
    system = await createSmallSystem();
    await system.addConsumer({ name: 'billing', eventTypes: ['Placed'], effects: 'idempotent' });
    executions = new Map();
    told = [];
    const sfn = {
      send: async ({ input }: { input: { name?: string; input?: string; executionArn?: string } }) => {
        if (input.executionArn !== undefined) {
          const known = executions.get(input.executionArn.slice('arn:execution:machine:'.length));
          if (known === undefined) throw Object.assign(new Error('unknown'), { name: 'ExecutionDoesNotExist' });
          return known;
        }
        const { name = '', input: text = '' } = input;
        const earlier = executions.get(name);
        if (earlier !== undefined && (earlier.status !== 'RUNNING' || earlier.input !== text)) {
          throw Object.assign(new Error(name), { name: 'ExecutionAlreadyExists' });
        }
        executions.set(name, earlier ?? { status: 'RUNNING', input: text });
        return { executionArn: `arn:execution:machine:${name}` };
      },
    };
    const recovery = { dynamo: system.dynamo, table: TABLES.recoveryTable };
    deps = {
      sfn: sfn as never,
      stateMachineArn: 'arn:stateMachine:machine',
      starts: createStarts(recovery),
      leases: createLeases(recovery),
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
      if (execution.status === 'RUNNING') {
        Object.assign(execution, { status, error, stopDate: new Date(system.clock.now()) });
      }
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

  describe('beside another recovery of its consumer', () => {
    const RED = alarm(QUEUE_AGE);
    /** As the recovery's first step takes it. */
    const take = (consumer: string, owner: string) =>
      leases.acquire(`recovery#${consumer}`, owner, system.clock.now(), 90 * MINUTE);
    const atWork = async (consumer: string, owner: string) => {
      executions.set(owner, { status: 'RUNNING', input: '{}' });
      const lease = await take(consumer, owner);
      if (lease.kind === 'held') throw new Error(lease.owner);
      return lease;
    };

    let leases: Leases;
    beforeEach(() => {
      leases = createLeases({ dynamo: system.dynamo, table: TABLES.recoveryTable });
    });

    const leasesOf = async () => (await leases.held('recovery#', system.clock.now())).map(({ name }) => name);

    it('waits, and is started by the schedule when that has ended: an alarm tells once', async () => {
      const lease = await atWork('billing', 'by-hand');
      expect(await startRecovery(deps, RED)).toMatchObject({ kind: 'waits', for: 'by-hand' });
      expect(await startRecovery(deps, RED)).toMatchObject({ kind: 'waits' });
      expect(await lookAfter(deps)).toEqual({ kind: 'looked-after', freed: [], started: [], waiting: 1 });
      expect(executions.size).toBe(1);
      end('SUCCEEDED');
      await leases.release(lease);
      const { started } = await lookAfter(deps);
      const { name, input } = decideStart(RED) as { name: string; input: object };
      expect(started).toEqual([name]);
      expect(JSON.parse(executions.get(name)?.input ?? '')).toEqual(input);
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 0 });
      expect(told).toEqual([]);
    });

    it('a sign that comes when it has ended starts it at once', async () => {
      const lease = await atWork('billing', 'by-hand');
      await startRecovery(deps, RED);
      end('SUCCEEDED');
      await leases.release(lease);
      expect(await startRecovery(deps, RED)).toMatchObject({ kind: 'started' });
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 0 });
    });

    it('another consumer is not waited for, also one whose name begins alike; a recovery of all waits for each', async () => {
      await system.addConsumer({ name: 'billing-2', eventTypes: ['Placed'], effects: 'idempotent' });
      await atWork('billing-2', 'by-hand');
      expect(await startRecovery(deps, RED)).toMatchObject({ kind: 'started' });
      expect(await startRecovery(deps, damageFound)).toMatchObject({ kind: 'waits', for: 'by-hand' });
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 1 });
    });

    it('one that met it all the same is started again, once for all that wait for the same consumer', async () => {
      await startRecovery(deps, RED);
      await startRecovery(deps, seen());
      const lease = await take('billing', 'by-hand');
      executions.set('by-hand', { status: 'RUNNING', input: '{}' });
      for (const [name, execution] of executions) {
        if (name !== 'by-hand') Object.assign(execution, { status: 'FAILED', error: 'AlreadyRecovering' });
      }
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 2 });
      if (lease.kind === 'acquired') await leases.release(lease);
      expect(await lookAfter(deps)).toMatchObject({ started: [expect.stringMatching(/-2$/)], waiting: 1 });
    });

    it('is noted as started when the row could not be written after its start', async () => {
      const lease = await atWork('billing', 'by-hand');
      await startRecovery(deps, RED);
      await leases.release(lease);
      const dies = { ...deps.starts, put: () => Promise.reject(new Error('the function died')) };
      await expect(lookAfter({ ...deps, starts: dies })).rejects.toThrow('died');
      end('SUCCEEDED');
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 0 });
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 0 });
      expect(await deps.starts.list()).toMatchObject([
        { state: 'begun', executionArn: expect.stringMatching(/billing/) },
      ]);
      expect(executions.size).toBe(2);
    });

    it('is not started for a consumer that was removed meanwhile', async () => {
      const lease = await atWork('billing', 'by-hand');
      await startRecovery(deps, RED);
      await leases.release(lease);
      expect(await lookAfter({ ...deps, registry: { list: async () => [] } })).toMatchObject({
        started: [],
        waiting: 0,
      });
      expect(await lookAfter(deps)).toMatchObject({ started: [], waiting: 0 });
    });

    it.each(['ABORTED', 'TIMED_OUT', 'FAILED'])(
      '%s: its leases are given back when nothing of it can be under way any more',
      async (status) => {
        await atWork('billing', 'cut-off');
        await atWork('shipping', 'at-work');
        await take('audit', 'unknown');
        Object.assign(executions.get('cut-off') ?? {}, { status, stopDate: new Date(system.clock.now()) });
        system.clock.advance(15 * MINUTE - 1);
        expect(await lookAfter(deps)).toMatchObject({ freed: [] });
        system.clock.advance(1);
        expect(await lookAfter(deps)).toMatchObject({ freed: ['billing'] });
        expect(await leasesOf()).toEqual(['recovery#audit', 'recovery#shipping']);
      },
    );

    it('a recovery that was redriven meanwhile keeps its leases', async () => {
      await atWork('billing', 'redriven');
      Object.assign(executions.get('redriven') ?? {}, { status: 'FAILED', stopDate: new Date(0) });
      const raced = {
        ...leases,
        held: async (prefix: string, now: number) => {
          const seenBefore = await leases.held(prefix, now);
          await take('billing', 'redriven');
          return seenBefore;
        },
      };
      await lookAfter({ ...deps, leases: raced });
      expect(await leasesOf()).toEqual(['recovery#billing']);
    });
  });
});
