import { beforeEach, describe, expect, it } from '@jest/globals';
import { answerScrub } from '../../lib/recovery/scrub/request.ts';
import { createScrubBench, type ScrubBench } from '../recovery/scrub/support.ts';
import { runCommands } from './run-commands.ts';

let bench: ScrubBench;
beforeEach(async () => {
  bench = await createScrubBench();
  await bench.fill();
});

/** The program over the real operation. */
const run = (argv: string[], remainingMs = 120_000) =>
  runCommands(argv, async (name, input) => {
    expect(name).toBe('scrub-events');
    bench.system.clock.advance(1_000);
    const context = {
      settings: { rotationDays: 7, readUnitsPerSecond: 100_000 },
      remainingMs: () => remainingMs,
      requestId: 'request-1',
    };
    return JSON.parse(JSON.stringify(await answerScrub(bench.deps, input, context)));
  });

describe('event-recovery scrub', () => {
  it('says where the patrol stands and that nothing is open', async () => {
    const { code, stdout } = await run(['scrub']);
    expect(code).toBe(0);
    expect(stdout).toContain('No rotation has finished yet.');
    expect(stdout).toContain('No damage is open.');
  });

  it('--rotate reads everything, in as many invocations as it takes, and lists what is open', async () => {
    await bench.change('order-3', 2, { recordedAt: 5 });
    const { code, stdout, stderr } = await run(['scrub', '--rotate'], 0);
    expect(code).toBe(1);
    expect(stderr).toContain('Log table: 11 commits of 4 streams');
    expect(stdout).toContain('11 commits of 4 streams and 5 pages');
    expect(stdout).toMatch(/hash-mismatch\s+order-3\s+2 /);
    expect(stdout).toContain('npx event-recovery scrub --stream order-3');
  });

  it('--stream looks at these streams, and a repaired one is closed', async () => {
    const whole = await bench.item('order-3', 2);
    await bench.change('order-3', 2, { recordedAt: 5 });
    const found = await run(['scrub', '--stream', 'order-3', 'order-1', '--json']);
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toMatchObject({
      streams: [
        { streamId: 'order-3', version: 5, commits: 5, entries: 5, damages: [{ kind: 'hash-mismatch', from: 2 }] },
        { streamId: 'order-1', version: 4, commits: 3, entries: 3, damages: [] },
      ],
      notLookedAt: [],
    });
    await bench.putItem(whole);
    const closed = await run(['scrub', '--stream', 'order-3']);
    expect(closed.code).toBe(0);
    expect(closed.stdout).toContain('1 findings are repaired.');
  });

  it('refuses a stream id that none can have, and another scrub at work', async () => {
    expect(await run(['scrub', '--stream', '$all'])).toMatchObject({ code: 2 });
    await bench.deps.leases.acquire('scrub', 'somebody', bench.system.clock.now(), 60_000);
    const held = await run(['scrub', '--rotate']);
    expect(held.code).toBe(3);
    expect(held.stderr).toContain('LEASE_HELD');
  });

  it('shows text of unknown origin without control characters', async () => {
    await bench.putItem({ streamId: 'order-3', version: 2, '\u001b[31mred': 1 });
    await bench.putItem({ streamId: 'a\u001b[2Jb', version: 1 });
    const { stdout } = await run(['scrub', '--rotate']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose; bold is ours
    expect(stdout.replace(/\u001b\[(1|22)m/g, '')).not.toMatch(/\u001b/);
  });
});
