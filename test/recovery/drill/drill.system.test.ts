// The drill itself on the real app: that it passes when nothing is wrong, and above all that it fails when something is.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalSystem, startLocalSystem } from '../../../lib/local/index.ts';
import { runDrill } from '../../../lib/recovery/drill/run-drill.ts';
import type { Scenario, ScenarioResult } from '../../../lib/recovery/drill/scenario.ts';
import { duplicateDelivery } from '../../../lib/recovery/drill/scenarios/deliveries.ts';
import { relayCrash } from '../../../lib/recovery/drill/scenarios/relay-crash.ts';
import type { Workload } from '../../../lib/recovery/drill/workload.ts';
import { github } from '../../../lib/recovery/drill/workloads/github.ts';
import { orders } from '../../../lib/recovery/drill/workloads/orders.ts';

let system: LocalSystem;
let runs = 0;

async function run(
  scenario: Scenario,
  events: number,
  { workload = orders, recover }: { workload?: Workload; recover?: boolean } = {},
): Promise<ScenarioResult> {
  runs += 1;
  const report = await runDrill({
    system,
    workload,
    scenarios: [scenario],
    seed: 1,
    events,
    runId: `t${runs}`,
    recover,
    progress: () => undefined,
  });
  expect(report.scenarios).toHaveLength(1);
  return report.scenarios[0] as ScenarioResult;
}

beforeAll(async () => {
  system = await startLocalSystem();
}, 180_000);
afterAll(() => system?.stop());

describe('the drill', () => {
  it('finds nothing wrong after the relay was killed at its four critical points', async () => {
    const result = await run(relayCrash, 48);
    expect(result).toMatchObject({
      ok: true,
      appended: 48,
      resolved: 48,
      lost: 0,
      doubled: 0,
      reordered: 0,
      deadLetters: 0,
      problems: [],
    });
    expect(result.facts.positions).toBe(48);
    expect(result.recoveries).toMatchObject([{ result: expect.stringMatching(/^(recovered|nothing-to-do)$/) }]);
  });

  it('runs the consumers over 329 real webhook payloads, delivered twice, and reads them back byte for byte', async () => {
    const result = await run(duplicateDelivery, 0, { workload: github });
    expect(result).toMatchObject({
      ok: true,
      appended: 329,
      resolved: 329,
      streams: 16,
      lost: 0,
      doubled: 0,
      problems: [],
    });
  }, 180_000);

  it('fails when deliveries are lost and nobody repairs it', async () => {
    const losing: Scenario = {
      name: 'losing',
      summary: 'the last deliveries to the inventory are lost',
      async run(context) {
        const streams = context.plan(2);
        await context.append(streams, { from: 0, to: 3 });
        context.system.faults.bus({ kind: 'drop' });
        await context.append(streams, { from: 3, to: 5 });
        await context.system.faults.pauseMappings('RelayCommits');
      },
    };
    const result = await run(losing, 10, { recover: false });
    expect(result.ok).toBe(false);
    expect(result.appended).toBe(10);
    expect(result.lost).toBeGreaterThan(0);
    expect(result.problems.join('\n')).toContain('acknowledged events have no effect');
  });

  it('fails when an effect happens twice', async () => {
    const doubling: Scenario = {
      name: 'doubling',
      summary: 'somebody else publishes a confirmation again',
      async run(context) {
        const [stream] = context.plan(1);
        if (!stream) return;
        await context.append([stream]);
      },
      async verify(context) {
        // As if the notification had sent its last message a second time: nothing in the system hides it.
        const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
        const last = context.orderOf('notification').at(-1);
        const sns = new SNSClient(context.system.clientConfig);
        await sns.send(
          new PublishCommand({ TopicArn: context.system.outputs.ConfirmationsTopicArn, Message: JSON.stringify(last) }),
        );
      },
    };
    const result = await run(doubling, 3, { recover: false });
    expect(result).toMatchObject({ ok: false, repeated: 1, lost: 0 });
    expect(result.problems).toEqual(['notification: 1 more repeated effects than 0 injected kills explain']);
  });

  it('fails when what it wanted to inject never happened', async () => {
    const idle: Scenario = {
      name: 'idle',
      summary: 'a kill at an event that no consumer ever reacts to',
      async run(context) {
        const [stream] = context.plan(1);
        if (!stream) return;
        context.killAt('inventory', stream, 2, 'before');
        await context.append([stream], { from: 0, to: 2 });
      },
    };
    const result = await run(idle, 3, { recover: false });
    expect(result.ok).toBe(false);
    expect(result.problems.join('\n')).toContain('never happened, so nothing was proved');
    expect(result.kills).toMatchObject([{ consumer: 'inventory', version: 3, resumedAt: null }]);
  });
});
