// The short form of `npm run kill-matrix`. What was in the hands of a killed function comes back after the visibility
// timeout of 60 seconds, which is most of the time that it takes.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type LocalSystem, startLocalSystem } from '../../lib/local/index.ts';
import { runMatrix } from './run-matrix.ts';

let system: LocalSystem;
beforeAll(async () => {
  // In memory, where a database cannot be restarted: on a disk the same takes two minutes longer.
  system = await startLocalSystem();
}, 180_000);
afterAll(() => system?.stop());

it('loses nothing, doubles nothing and keeps the order while functions die, also those of a recovery, and the database is silent', async () => {
  const result = await runMatrix({
    system,
    events: 600,
    streams: 20,
    seed: 3,
    runId: 's3',
    everyMs: 250,
    quietLimitMs: 480_000,
    progress: () => undefined,
  });
  expect(result).toMatchObject({ ok: true, events: 600, problems: [] });
  expect(result.consumers.map(({ lost, doubled, reordered, unknown }) => lost + doubled + reordered + unknown)).toEqual(
    [0, 0],
  );
  const kills = Object.entries(result.disturbances).filter(([name]) => name.startsWith('kill'));
  expect(kills.length).toBeGreaterThan(0);
  expect(kills.filter(([name]) => name.endsWith('in a recovery')).length).toBeGreaterThan(1);
}, 1_200_000);
