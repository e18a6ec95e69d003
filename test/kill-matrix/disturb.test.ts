// What the kill matrix does, on a system that only notes it.

import { describe, expect, it } from '@jest/globals';
import type { DrillContext } from '../../lib/recovery/drill/context.ts';
import { seededRandom } from '../../lib/recovery/drill/random.ts';
import { type DisturbOptions, disturb, disturbRecovery } from './disturb.ts';

const FUNCTIONS = ['inventory', 'notification', 'RelayCommits', 'ScanGaps', 'Diagnose'];

/** Notes what is done to it, in order. */
function notingSystem(seed: number, dataFolder: string | null = '/data') {
  const notes: string[] = [];
  const note =
    (what: string) =>
    async (name = ''): Promise<void> =>
      void notes.push(`${what} ${name}`.trim());
  const lambda = (name: string) => ({
    spec: { name, logicalId: name, path: `Stack/${name}/Function/Resource` },
    kill: () => notes.push(`kill ${name}`),
    busy: 1,
  });
  const functions = { all: () => FUNCTIONS.map(lambda), get: (name: string) => lambda(name.split(':').at(-1) ?? name) };
  const rules = [
    { name: 'every-minute', schedule: 'rate(1 minute)', targets: [{ Arn: 'arn:aws:lambda:r:a:ScanGaps' }] },
  ];
  const system = {
    kill: (name: string) => notes.push(`kill ${name}`),
    faults: {
      pauseMappings: note('hold'),
      resumeMappings: note('release'),
      triggerRule: note('trigger'),
    },
    local: {
      cloud: { functions, buses: { rules: () => rules } },
      database: {
        dataFolder: dataFolder ?? undefined,
        pause: note('pause'),
        resume: note('resume'),
        restart: note('restart'),
      },
    },
  };
  const context = { random: seededRandom(seed), system } as unknown as DrillContext;
  const options = { everyMs: 1, system } as unknown as DisturbOptions;
  return { notes, context, options };
}

describe('the kill matrix', () => {
  it('does each kind of disturbance once, although the appends are over, and leaves everything running', async () => {
    const { notes, context, options } = notingSystem(1);
    const counts: Record<string, number> = {};
    await disturb(context, options, counts, AbortSignal.abort());
    const of = (what: string): number => notes.filter((one) => one.startsWith(what)).length;
    expect(counts).toMatchObject({ 'pause database': 1, 'restart database': 1, 'kill ScanGaps': 1 });
    expect(Object.keys(counts)).toHaveLength(5);
    expect([of('pause'), of('resume'), of('restart'), of('hold'), of('release')]).toEqual([1, 1, 1, 1, 1]);
    expect(notes.indexOf('trigger every-minute')).toBeLessThan(notes.indexOf('kill ScanGaps'));
  }, 60_000);

  it('never restarts a database that would lose its data', async () => {
    const { notes, context, options } = notingSystem(1, null);
    await disturb(context, options, {}, AbortSignal.abort());
    expect(notes).toContain('pause');
    expect(notes).not.toContain('restart');
  }, 60_000);

  it('kills what works in a recovery, each function twice at most, and leaves the scan alone', async () => {
    const { notes, context, options } = notingSystem(1);
    const counts: Record<string, number> = {};
    const stop = new AbortController();
    const disturbing = disturbRecovery(context, options, counts, stop.signal);
    while ((counts['kill Diagnose in a recovery'] ?? 0) < 2) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // Longer than it waits before it looks again.
    await new Promise((resolve) => setTimeout(resolve, 500));
    stop.abort();
    await disturbing;
    expect(counts).toEqual({ 'kill Diagnose in a recovery': 2 });
    expect(notes).toEqual(['kill Diagnose', 'kill Diagnose']);
  }, 60_000);
});
