// What the workflow cannot or may not repair by itself: a rule is enabled after an approval, the rest is told with its command.

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConsumerEvidence } from '../../../lib/recovery/diagnose/types.ts';
import { createRecovery, type Recovery } from './support.ts';

const MINUTE = 60_000;
const REPAIR = { actions: ['repair'], requestedBy: 'anna', reason: 'test' };
const ENABLE = 'aws events enable-rule --event-bus-name orders --name billing-rule';

let recovery: Recovery;
let says: Pick<ConsumerEvidence, 'ruleState' | 'ruleName' | 'busName' | 'mappingState' | 'mappingId' | 'functionState'>;
let ruleState: string;

const events = {
  send: async (command: { constructor: { name: string }; input: { Name?: string; EventBusName?: string } }) => {
    expect(command.input).toEqual({ Name: 'billing-rule', EventBusName: 'orders' });
    if (command.constructor.name === 'EnableRuleCommand') ruleState = 'ENABLED';
    return { State: ruleState };
  },
};
const disabled = () => {
  ruleState = 'DISABLED';
  says = { ruleName: 'billing-rule', busName: 'orders' };
};

beforeEach(async () => {
  ruleState = 'ENABLED';
  says = {};
  const look = async () => ({ consumers: new Map([['billing', { ...says, ruleState }]]) });
  recovery = await createRecovery({ signs: { look }, events: events as never });
  await recovery.system.append('order-1', ['Placed', 'Placed', 'Placed']);
  await recovery.system.settle((entry) => entry.detail.streamId === 'order-1' && entry.detail.version >= 2);
  recovery.system.clock.advance(2 * MINUTE);
});

const failure = (input: unknown): Promise<unknown> =>
  recovery.run(input).then(
    () => 'succeeded',
    (error: { name?: string; cause?: { name?: string } }) => error.cause?.name ?? error.name,
  );

describe('a disabled rule', () => {
  beforeEach(disabled);

  it('is enabled when somebody agrees, what was lost is delivered, and both are proved and audited', async () => {
    recovery.onAsked((id) => recovery.decide({ decision: 'approve', id, requestedBy: 'berta' }));
    await recovery.run(REPAIR);
    expect(ruleState).toBe('ENABLED');
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    const { result, findings, steps } = recovery.report();
    expect(result).toBe('recovered');
    expect(findings.map(({ cause }) => cause)).toEqual(['broker-down', 'delivery-lost']);
    expect(steps.map(({ name }) => name).slice(0, 4)).toEqual(['Diagnose', 'EnableRule', 'AskApproval', 'EnableRule']);
    const [message] = recovery.asks as { Message: string }[];
    expect(JSON.parse(message?.Message ?? '').what).toEqual([
      'enable: rule billing-rule of billing: disabled, enable it',
    ]);
    const month = new Date(recovery.system.clock.now()).toISOString().slice(0, 7);
    const audited = await recovery.bench.audit.list(month, 10);
    expect(audited.find(({ action }) => action === 'enable-rule')).toMatchObject({
      requestedBy: 'anna',
      input: { rule: 'billing-rule', consumer: 'billing' },
      outcome: { approvedBy: 'berta' },
    });
  });

  it('stays disabled when somebody refuses', async () => {
    recovery.onAsked((id) => recovery.decide({ decision: 'refuse', id, requestedBy: 'berta' }));
    expect(await failure(REPAIR)).toBe('ApprovalRefused');
    expect(ruleState).toBe('DISABLED');
  });

  it('is left alone when no person asked: the gaps are filled, and the report names the command', async () => {
    expect(await failure({ ...REPAIR, trigger: 'alarm' })).toBe('NotComplete');
    expect(recovery.asks).toEqual([]);
    expect(recovery.bench.effectsDone).toHaveLength(3);
    expect(recovery.report()).toMatchObject({ result: 'incomplete', after: { ok: true }, nextCommands: [ENABLE] });
    expect(ruleState).toBe('DISABLED');
  });

  it('that somebody has enabled meanwhile is asked about no more', async () => {
    const { EnableRule } = recovery.handlers;
    recovery.handlers.EnableRule = async (input: unknown) => {
      ruleState = 'ENABLED';
      return EnableRule(input);
    };
    await recovery.run(REPAIR);
    expect(recovery.asks).toEqual([]);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('is planned and not asked about in a dry run, and named by a proposal', async () => {
    await recovery.run({ ...REPAIR, dryRun: true });
    expect(recovery.asks).toEqual([]);
    expect(recovery.report().steps.at(-1)).toMatchObject({ name: 'EnableRule' });
    await recovery.run({}, 'recovery-2');
    expect(recovery.report('recovery-2').nextCommands).toContain(
      'npx event-recovery recover --action repair --consumer billing',
    );
    expect(ruleState).toBe('DISABLED');
  });
});

describe('a repair is not complete', () => {
  it('while an event source mapping is disabled, though every event is accounted for', async () => {
    says = { mappingState: 'Disabled', mappingId: 'mapping-1' };
    expect(await failure(REPAIR)).toBe('NotComplete');
    expect(recovery.report()).toMatchObject({
      result: 'incomplete',
      after: { ok: true },
      nextCommands: ['aws lambda update-event-source-mapping --uuid mapping-1 --enabled'],
    });
  });

  it('but is, once somebody has enabled it before the last look', async () => {
    says = { mappingState: 'Disabled', mappingId: 'mapping-1' };
    const { FillBatch } = recovery.handlers;
    recovery.handlers.FillBatch = async (input: unknown) => {
      says = { mappingState: 'Enabled' };
      return FillBatch(input);
    };
    await recovery.run(REPAIR);
    expect(recovery.report()).toMatchObject({ result: 'recovered', nextCommands: [] });
  });

  it('and what only takes time is no reason: throttled, and nothing left', async () => {
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-0');
    says = { functionState: { throttles: 50, invocations: 100, errors: 0 } };
    await recovery.run(REPAIR);
    const { result, findings } = recovery.report();
    expect({ result, causes: findings.map(({ cause }) => cause) }).toEqual({
      result: 'nothing-to-do',
      causes: ['throttled'],
    });
  });
});
