// `npm run drill` as far as it goes without a system: what it lists, and which options it refuses.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type DrillOptions, parseDrillOptions } from '../../lib/cli/drill-options.ts';
import { SCENARIOS } from '../../lib/recovery/drill/scenarios/index.ts';

const DRILL = join(import.meta.dirname, '../../lib/cli/drill.ts');
const run = promisify(execFile);

const drill = (...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  run(process.execPath, [DRILL, ...options]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

describe('npm run drill', () => {
  it('lists every scenario with a sentence, as text and as one JSON document', async () => {
    const { code, stdout } = await drill('--list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(SCENARIOS.map(({ name, summary }) => ({ name, summary })));
    const listed = (await drill('--list')).stdout;
    for (const { name } of SCENARIOS) expect(listed).toContain(name);
  }, 30_000);

  it('takes every scenario that is named, with commas or one by one, each once', () => {
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
    const options = ['--scenario', 'poison-message,two-at-once', '--scenario', 'broker-down,poison-message'];
    const parsed = parseDrillOptions(options, streams as never) as DrillOptions;
    expect(parsed.scenario?.map(({ name }) => name)).toEqual(['poison-message', 'two-at-once', 'broker-down']);
  });

  it.each([
    ['a scenario that does not exist', ['--scenario', 'earthquake'], 'earthquake'],
    ['everything and one scenario at once', ['--all', '--scenario', 'poison-message'], '--all'],
    ['no events', ['--events', '0'], '--events'],
    ['an unknown input', ['--input', 'letters'], 'letters'],
    ['an unknown option', ['--everything'], '--everything'],
  ])(
    'refuses %s with exit code 2, and starts nothing',
    async (_what, options, named) => {
      const { code, stdout, stderr } = await drill(...options);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(named);
    },
    30_000,
  );
});
